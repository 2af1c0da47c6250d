-- F3: posts of the last 30 days by authors with whom the viewer interacted on one of 90 days, the best 200 and whatever
-- ties with the last of them (the exact cut is made in C++).
-- viewer: whose feed; as_of: milliseconds since 1970.
SELECT
    post_id, author_id, toUnixTimestamp64Milli(created_at) AS created_ms,
    likes, comments, shares, impressions, interaction_count
FROM
(
    SELECT *, row_number() OVER (ORDER BY combined_score DESC) AS place
    FROM novafeed.post_ranking_scores(viewer = {viewer:UUID}, as_of = {as_of:Int64})
    WHERE interaction_count >= 1
        AND author_id IN (SELECT author_id FROM novafeed.user_author_90d WHERE user_id = {viewer:UUID})
        AND created_at > fromUnixTimestamp64Milli({as_of:Int64}, 'UTC') - INTERVAL 30 DAY
)
QUALIFY combined_score >= min(if(place <= 200, combined_score, inf)) OVER () - 1e-9
