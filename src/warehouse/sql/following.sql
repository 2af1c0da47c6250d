-- mode=following: posts of the last 30 days by followed authors, newest first, ties by the id's bytes; strictly after the
-- place (after_ms, after_id).
-- viewer: whose feed; as_of, after_ms: milliseconds since 1970; limit: rows.
WITH
    fromUnixTimestamp64Milli({as_of:Int64}, 'UTC') AS instant,
    fromUnixTimestamp64Milli({after_ms:Int64}, 'UTC') AS after
SELECT
    post_id, author_id, toUnixTimestamp64Milli(created_at) AS created_ms,
    likes, comments, shares, impressions
FROM novafeed.post_counters FINAL
WHERE is_live AND author_id != {viewer:UUID}
    AND author_id IN (SELECT following_id FROM novafeed.follows_cdc FINAL WHERE follower_id = {viewer:UUID})
    AND created_at > instant - INTERVAL 30 DAY AND created_at <= least(instant, after)
    AND (created_at < after OR UUIDToNum(post_id) > UUIDToNum({after_id:UUID}))
ORDER BY created_at DESC, UUIDToNum(post_id)
LIMIT {limit:UInt32}
