-- Who follows whom the viewer follows: the nearest 200 and whoever ties with the last of them (the exact cut is made in
-- C++); before them the viewer. overlap: in how many lists of latest followers of the viewer's latest followees they are.
-- The quotient of whole numbers that they are ordered by, the square of the similarity but for a factor that is the same
-- for all, is equal where these are, and nowhere else.
-- viewer: whom users are suggested to.
SELECT user_id, toInt64(overlap) AS overlap_count, following
FROM (SELECT user_id, following FROM novafeed.user_follows FINAL) AS counters
LEFT JOIN
(
    SELECT arrayJoin(latest_followers) AS neighbour_id, count() AS overlap
    FROM novafeed.user_follows FINAL
    WHERE user_id IN
    (
        SELECT arrayJoin(latest_following) FROM novafeed.user_follows FINAL WHERE user_id = {viewer:UUID}
    )
    GROUP BY neighbour_id
) AS overlaps ON overlaps.neighbour_id = counters.user_id
WHERE overlap > 0 OR user_id = {viewer:UUID}
ORDER BY user_id = {viewer:UUID} DESC, overlap * overlap / following DESC
LIMIT 201 WITH TIES
