-- The candidates: the 500 latest followees of each neighbour, without the viewer and those whom the viewer follows; with
-- the places, in the list of neighbours, of all neighbours who follow them. Only of who follows more than 500 is that more
-- than their list says.
-- viewer; neighbours: at most 200.
WITH edges AS
(
    SELECT user_id AS neighbour_id, arrayJoin(latest_following) AS candidate_id, 1 AS is_latest
    FROM novafeed.user_follows FINAL
    WHERE user_id IN {neighbours:Array(UUID)}
    UNION ALL
    SELECT follower_id, following_id, 0
    FROM novafeed.follows_cdc FINAL
    WHERE follower_id IN
    (
        SELECT user_id FROM novafeed.user_follows FINAL WHERE user_id IN {neighbours:Array(UUID)} AND following > 500
    )
)
SELECT candidate_id, followers, places
FROM
(
    SELECT candidate_id, groupUniqArray(toUInt16(indexOf({neighbours:Array(UUID)}, neighbour_id) - 1)) AS places
    FROM edges
    WHERE candidate_id != {viewer:UUID}
        AND candidate_id NOT IN (SELECT following_id FROM novafeed.follows_cdc FINAL WHERE follower_id = {viewer:UUID})
    GROUP BY candidate_id
    HAVING max(is_latest) = 1
) AS candidates
INNER JOIN (SELECT user_id, followers FROM novafeed.user_follows FINAL) AS counters
    ON counters.user_id = candidates.candidate_id
