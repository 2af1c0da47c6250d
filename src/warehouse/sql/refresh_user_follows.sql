-- The follows of touched users as numbers and as the lists of the latest ones (contract, section 1), of the users from
-- `first` to `last`. Who has none left gets a row that says so.
INSERT INTO novafeed.user_follows (user_id, followers, following, latest_followers, latest_following, _version)
WITH
    touched AS
    (
        SELECT DISTINCT user_id
        FROM novafeed.touched_users
        WHERE user_id BETWEEN {first:UUID} AND {last:UUID}
    ),
    gained AS
    (
        SELECT following_id AS user_id, follower_id AS other_id, created_at
        FROM novafeed.follow_graph FINAL
        WHERE following_id BETWEEN {first:UUID} AND {last:UUID} AND following_id IN touched
    ),
    given AS
    (
        SELECT follower_id AS user_id, following_id AS other_id, created_at
        FROM novafeed.follows_cdc FINAL
        WHERE follower_id BETWEEN {first:UUID} AND {last:UUID} AND follower_id IN touched
    ),
    CAST([], 'Array(UUID)') AS nobody
SELECT
    parts.user_id AS user_id,
    toInt64(sum(parts.gained)) AS followers,
    toInt64(sum(parts.given)) AS following,
    arraySort(groupArrayArray(parts.latest_gained)) AS latest_followers,
    arraySort(groupArrayArray(parts.latest_given)) AS latest_following,
    {version:UInt64} AS _version
FROM
(
    SELECT user_id, 0 AS gained, 0 AS given, nobody AS latest_gained, nobody AS latest_given FROM touched
    UNION ALL
    SELECT user_id, count(), 0, nobody, nobody FROM gained GROUP BY user_id
    UNION ALL
    SELECT user_id, 0, count(), nobody, nobody FROM given GROUP BY user_id
    UNION ALL
    SELECT user_id, 0, 0, groupArray(other_id), nobody
    FROM
    (
        SELECT user_id, other_id
        FROM gained
        ORDER BY user_id, created_at DESC, UUIDToNum(other_id)
        LIMIT 1000 BY user_id
    )
    GROUP BY user_id
    UNION ALL
    SELECT user_id, 0, 0, nobody, groupArray(other_id)
    FROM
    (
        SELECT user_id, other_id
        FROM given
        ORDER BY user_id, created_at DESC, UUIDToNum(other_id)
        LIMIT 500 BY user_id
    )
    GROUP BY user_id
) AS parts
GROUP BY parts.user_id
