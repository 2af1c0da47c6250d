-- What user_follows has to say, from follow_graph and follows_cdc. Sorted in pieces, by the key of the table: no window over
-- all follows.
SELECT
    user_id,
    [sum(gained), sum(given), sum(latest_gained), sum(latest_given)] AS values
FROM
(
    SELECT following_id AS user_id, count() AS gained, toUInt64(0) AS given, toUInt64(0) AS latest_gained, toUInt64(0) AS latest_given
    FROM novafeed.follow_graph FINAL
    GROUP BY following_id
    UNION ALL
    SELECT follower_id, toUInt64(0), count(), toUInt64(0), toUInt64(0)
    FROM novafeed.follows_cdc FINAL
    GROUP BY follower_id
    UNION ALL
    SELECT following_id, toUInt64(0), toUInt64(0), sum(sipHash64(follower_id)), toUInt64(0)
    FROM
    (
        SELECT following_id, follower_id
        FROM novafeed.follow_graph FINAL
        ORDER BY following_id, created_at DESC, UUIDToNum(follower_id)
        LIMIT 1000 BY following_id
    )
    GROUP BY following_id
    UNION ALL
    SELECT follower_id, toUInt64(0), toUInt64(0), toUInt64(0), sum(sipHash64(following_id))
    FROM
    (
        SELECT follower_id, following_id
        FROM novafeed.follows_cdc FINAL
        ORDER BY follower_id, created_at DESC, UUIDToNum(following_id)
        LIMIT 500 BY follower_id
    )
    GROUP BY follower_id
)
GROUP BY user_id
