-- Keeps the best 200 posts of the current clock hour and the one before it, in order.
-- as_of: milliseconds since 1970.
INSERT INTO novafeed.hot_posts_1h
SELECT
    fromUnixTimestamp64Milli({as_of:Int64}, 'UTC') AS as_of,
    row_number() OVER (ORDER BY score DESC, created_at DESC, UUIDToNum(post_id)) AS rank,
    post_id, author_id, created_at, likes, comments, shares, impressions, score
FROM novafeed.trending_posts(as_of = {as_of:Int64}, hours = 2)
QUALIFY rank <= 200
