-- What an answer says of suggested users beside the score, one row for each: how many follow them and whom they follow,
-- how many of those whom the viewer follows follow them and the three of these whom the viewer followed last, and the
-- interactions of the neighbours with them within the 90 days.
-- viewer; users: those suggested; neighbours; as_of: milliseconds since 1970.
WITH
    fromUnixTimestamp64Milli({as_of:Int64}, 'UTC') AS instant,
    followed AS
    (
        SELECT following_id AS friend_id, created_at
        FROM novafeed.follows_cdc FINAL
        WHERE follower_id = {viewer:UUID}
    ),
    friends AS
    (
        SELECT user_id AS friend_id, following, latest_following
        FROM novafeed.user_follows FINAL
        WHERE user_id IN (SELECT friend_id FROM followed)
    ),
    edges AS
    (
        SELECT friend_id, arrayJoin(arrayFilter(id -> has({users:Array(UUID)}, id), latest_following)) AS candidate_id
        FROM friends
        WHERE following <= 500
        UNION ALL
        SELECT follower_id, following_id
        FROM novafeed.follows_cdc FINAL
        WHERE follower_id IN (SELECT friend_id FROM friends WHERE following > 500)
            AND following_id IN {users:Array(UUID)}
    ),
    mutual AS
    (
        SELECT
            candidate_id,
            toInt64(count()) AS mutual_followers,
            arraySort(groupArray((-toUnixTimestamp64Milli(created_at), UUIDToNum(edges.friend_id), edges.friend_id)))
                AS latest_first
        FROM edges
        INNER JOIN followed ON followed.friend_id = edges.friend_id
        GROUP BY candidate_id
    ),
    given AS
    (
        SELECT user_id, author_id, toInt64(uniqExactMerge(given)) - toInt64(uniqExactMerge(taken_back)) AS count
        FROM novafeed.user_author_90d
        WHERE user_id IN {neighbours:Array(UUID)} AND author_id IN {users:Array(UUID)}
            AND day > toDate32(instant) - 90 AND day <= toDate32(instant)
        GROUP BY user_id, author_id
    )
SELECT
    suggested.id AS suggested_id,
    counters.followers AS follower_count,
    counters.following AS following_count,
    mutual.mutual_followers AS mutual_count,
    arrayMap(entry -> entry.3, arraySlice(mutual.latest_first, 1, 3)) AS mutual_ids,
    interactions.count AS interaction_count
FROM (SELECT arrayJoin({users:Array(UUID)}) AS id) AS suggested
LEFT JOIN
(
    SELECT user_id, followers, following FROM novafeed.user_follows FINAL WHERE user_id IN {users:Array(UUID)}
) AS counters ON counters.user_id = suggested.id
LEFT JOIN mutual ON mutual.candidate_id = suggested.id
LEFT JOIN (SELECT author_id, sum(count) AS count FROM given GROUP BY author_id) AS interactions
    ON interactions.author_id = suggested.id
