-- Who follows whom the viewer follows: the nearest 200 and whoever ties with the last of them (the exact cut is made in
-- C++). overlap: in how many lists of latest followers of the viewer's latest followees they are.
-- viewer: whom users are suggested to.
WITH
    lists AS
    (
        SELECT latest_followers
        FROM novafeed.user_follows FINAL
        WHERE user_id IN
        (
            SELECT arrayJoin(latest_following) FROM novafeed.user_follows FINAL WHERE user_id = {viewer:UUID}
        )
    ),
    overlaps AS
    (
        SELECT arrayJoin(latest_followers) AS neighbour_id, count() AS overlap
        FROM lists
        GROUP BY neighbour_id
    )
SELECT
    neighbour_id,
    toInt64(overlap) AS overlap_count,
    following,
    assumeNotNull((SELECT any(following) FROM novafeed.user_follows FINAL WHERE user_id = {viewer:UUID}))
        AS viewer_following
FROM
(
    SELECT
        neighbour_id, overlap, following,
        overlap / sqrt(following) AS closeness,
        row_number() OVER (ORDER BY closeness DESC) AS place
    FROM overlaps
    INNER JOIN (SELECT user_id, following FROM novafeed.user_follows FINAL) AS counters
        ON counters.user_id = overlaps.neighbour_id
    WHERE neighbour_id != {viewer:UUID}
)
QUALIFY closeness >= min(if(place <= 200, closeness, inf)) OVER () - 1e-9
