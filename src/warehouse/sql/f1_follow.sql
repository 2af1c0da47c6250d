-- F1: posts of the last 72 hours by followed authors, all of them; the best 500 are found in C++, by the score.
-- viewer: whose feed; as_of: milliseconds since 1970.
SELECT
    post_id, author_id, toUnixTimestamp64Milli(created_at) AS created_ms,
    likes, comments, shares, impressions
FROM novafeed.feed_recent_follows(viewer = {viewer:UUID}, as_of = {as_of:Int64})
