-- The platform's newest posts, newest first, for a viewer whose sources give fewer than 20: at most 19 of these 40 are
-- among those already, so nothing beyond them of the newest 1,000 is ever reached.
-- viewer: whose feed; as_of: milliseconds since 1970.
SELECT
    post_id, author_id, toUnixTimestamp64Milli(created_at) AS created_ms,
    likes, comments, shares, impressions
FROM novafeed.post_ranking_scores(viewer = {viewer:UUID}, as_of = {as_of:Int64})
WHERE (author_id, created_at, post_id) IN
(
    SELECT author_id, created_at, post_id
    FROM novafeed.post_counters FINAL
    WHERE is_live AND author_id != {viewer:UUID} AND created_at <= fromUnixTimestamp64Milli({as_of:Int64}, 'UTC')
    ORDER BY created_at DESC, UUIDToNum(post_id)
    LIMIT 40
)
ORDER BY created_at DESC, UUIDToNum(post_id)
