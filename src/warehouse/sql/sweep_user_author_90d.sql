-- As sweep_post_totals.sql, by who gave to whom on a day; of the users from `first` to `last`, and of the days whose events
-- are all there: the sets are kept for two days longer.
INSERT INTO novafeed.user_author_90d (user_id, author_id, day, taken_back)
SELECT
    user_id,
    author_id,
    day,
    arrayReduce('uniqExactState', arrayMap(i -> sipHash64('lost', {version:UInt64}, user_id, author_id, day, i), range(toUInt64(extra))))
FROM
(
    SELECT user_id, author_id, day, sum(count) AS extra
    FROM
    (
        SELECT user_id, author_id, day, toInt64(uniqExactMerge(given)) - toInt64(uniqExactMerge(taken_back)) AS count
        FROM novafeed.user_author_90d
        WHERE user_id BETWEEN {first:UUID} AND {last:UUID} AND day >= toDate(fromUnixTimestamp64Milli({days_from:Int64}, 'UTC'))
        GROUP BY user_id, author_id, day
        UNION ALL
        SELECT user_id, post_author_id, toDate(likes.created_at), toInt64(-1)
        FROM novafeed.likes_cdc AS likes FINAL
        WHERE user_id BETWEEN {first:UUID} AND {last:UUID} AND user_id != post_author_id
        UNION ALL
        SELECT user_id, post_author_id, toDate(comments.created_at), toInt64(-1)
        FROM novafeed.comments_cdc AS comments FINAL
        WHERE user_id BETWEEN {first:UUID} AND {last:UUID} AND user_id != post_author_id
        UNION ALL
        SELECT user_id, post_author_id, toDate(events.created_at), toInt64(-1)
        FROM novafeed.events_raw AS events FINAL
        WHERE user_id BETWEEN {first:UUID} AND {last:UUID} AND type = 'share' AND user_id != post_author_id
    )
    GROUP BY user_id, author_id, day
    HAVING extra > 0
)
