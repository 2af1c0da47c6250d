-- What some users gave to others by day, counted from the rows themselves: likes and comments that exist, shares.
SELECT user_id, post_author_id, toUInt16(day) AS day_number, toInt64(count()) AS interactions
FROM
(
    SELECT user_id, post_author_id, toDate(created_at) AS day
    FROM novafeed.likes_cdc FINAL
    WHERE user_id IN {users:Array(UUID)}
    UNION ALL
    SELECT user_id, post_author_id, toDate(created_at) AS day
    FROM
    (
        SELECT any(user_id) AS user_id, any(post_author_id) AS post_author_id, any(created_at) AS created_at
        FROM novafeed.comments_cdc AS comments
        WHERE comments.user_id IN {users:Array(UUID)}
        GROUP BY id
        HAVING argMax(_deleted, _version) = 0
    )
    UNION ALL
    SELECT user_id, post_author_id, toDate(created_at) AS day
    FROM
    (
        SELECT DISTINCT created_at, user_id, post_id, event_id, post_author_id
        FROM novafeed.events_raw
        WHERE type = 'share' AND user_id IN {users:Array(UUID)}
          AND created_at >= toDateTime64(toDate({oldest_day:UInt16}), 3, 'UTC')
    )
)
WHERE user_id != post_author_id AND day >= toDate({oldest_day:UInt16})
GROUP BY user_id, post_author_id, day
