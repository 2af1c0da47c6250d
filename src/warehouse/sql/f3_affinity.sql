-- F3: posts of the last 30 days by authors with whom the viewer has interacted, all of them. Whether that was on one of 90
-- days, interactions.sql tells; the best 200 are found in C++, by the score.
-- viewer: whose feed; as_of: milliseconds since 1970.
WITH fromUnixTimestamp64Milli({as_of:Int64}, 'UTC') AS instant
SELECT
    post_id, author_id, toUnixTimestamp64Milli(created_at) AS created_ms,
    likes, comments, shares, impressions
FROM novafeed.post_counters FINAL
WHERE is_live AND author_id != {viewer:UUID}
    AND author_id IN (SELECT author_id FROM novafeed.user_author_90d WHERE user_id = {viewer:UUID})
    AND created_at > instant - INTERVAL 30 DAY AND created_at <= instant
