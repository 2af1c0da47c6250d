-- F1: posts of the last 72 hours by followed authors, the best 500 and whatever ties with the last of them: exp and log1p
-- of ClickHouse may differ from C++ in the last digit, so the exact cut is made there.
-- viewer: whose feed; as_of: milliseconds since 1970.
SELECT
    post_id, author_id, toUnixTimestamp64Milli(created_at) AS created_ms,
    likes, comments, shares, impressions, interaction_count
FROM
(
    SELECT *, row_number() OVER (ORDER BY combined_score DESC) AS place
    FROM novafeed.feed_recent_follows(viewer = {viewer:UUID}, as_of = {as_of:Int64})
)
QUALIFY combined_score >= min(if(place <= 500, combined_score, inf)) OVER () - 1e-9
