-- Posts, for the index, also deleted ones; the content only of those that it holds content of. Ranges as in boot_users.
SELECT
    id,
    user_id,
    toUnixTimestamp64Milli(created_at) AS created_ms,
    isNotNull(deleted_at) AS is_deleted,
    created_at > fromUnixTimestamp64Milli({content_after:Int64}, 'UTC') AND NOT is_deleted AS has_content,
    if(has_content, ifNull(external_id, ''), '') AS content_external_id,
    if(has_content, text, '') AS content_text
FROM novafeed.posts_cdc FINAL
WHERE (id > {after:UUID} OR ({is_first:UInt8} AND id = {after:UUID})) AND id <= {up_to:UUID}
