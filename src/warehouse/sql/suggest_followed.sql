-- Whom some users follow, of the 500 latest followees of each; with their followers, and as bits the places, in the list
-- of these users, of those whose latest they are among.
-- users: at most 256.
SELECT candidate_id, followers, places
FROM (SELECT user_id, followers FROM novafeed.user_follows FINAL) AS counters
INNER JOIN
(
    SELECT arrayJoin(latest_following) AS candidate_id, groupBitOr(place) AS places
    FROM
    (
        SELECT latest_following, bitShiftLeft(toUInt256(1), toUInt8(indexOf({users:Array(UUID)}, user_id) - 1)) AS place
        FROM novafeed.user_follows FINAL
        WHERE user_id IN {users:Array(UUID)}
    )
    GROUP BY candidate_id
) AS candidates ON candidates.candidate_id = counters.user_id
