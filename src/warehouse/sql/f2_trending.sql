-- F2, for everybody: the best 200 trending posts, with their counters within the window, and whatever ties with the last
-- of them (the exact cut is made in C++). In any order.
-- as_of: milliseconds since 1970; hours: clock-hour buckets that the window has.
SELECT post_id, author_id, toUnixTimestamp64Milli(created_at) AS created_ms, likes, comments, shares, impressions
FROM
(
    SELECT *, row_number() OVER (ORDER BY score DESC) AS place
    FROM novafeed.trending_posts(as_of = {as_of:Int64}, hours = {hours:Int32})
)
QUALIFY score >= min(if(place <= 200, score, inf)) OVER () - 1e-9
