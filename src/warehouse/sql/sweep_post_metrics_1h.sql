-- As sweep_post_totals.sql, by the clock hour; of the posts from `first` to `last`.
INSERT INTO novafeed.post_metrics_1h
    (post_id, metric_hour, author_id, post_created_at, likes_removed, comments_removed)
SELECT
    post_id,
    metric_hour,
    author_id,
    post_created_at,
    arrayReduce('uniqExactState', arrayMap(i -> sipHash64('lost', 'like', {version:UInt64}, post_id, metric_hour, i), range(toUInt64(greatest(likes, 0))))),
    arrayReduce('uniqExactState', arrayMap(i -> sipHash64('lost', 'comment', {version:UInt64}, post_id, metric_hour, i), range(toUInt64(greatest(comments, 0)))))
FROM
(
    SELECT
        post_id,
        metric_hour,
        any(author) AS author_id,
        any(post_created) AS post_created_at,
        sum(counts.1) AS likes,
        sum(counts.2) AS comments
    FROM
    (
        SELECT
            post_id,
            metric_hour,
            any(hours.author_id) AS author,
            any(hours.post_created_at) AS post_created,
            (toInt64(uniqExactMerge(likes_added)) - toInt64(uniqExactMerge(likes_removed)),
             toInt64(uniqExactMerge(comments_added)) - toInt64(uniqExactMerge(comments_removed))) AS counts
        FROM novafeed.post_metrics_1h AS hours
        WHERE post_id BETWEEN {first:UUID} AND {last:UUID}
        GROUP BY post_id, metric_hour
        UNION ALL
        SELECT post_id, toStartOfHour(likes.created_at), post_author_id, likes.post_created_at, (toInt64(-1), toInt64(0))
        FROM novafeed.likes_cdc AS likes FINAL
        WHERE post_id BETWEEN {first:UUID} AND {last:UUID}
        UNION ALL
        SELECT post_id, toStartOfHour(comments.created_at), post_author_id, comments.post_created_at, (toInt64(0), toInt64(-1))
        FROM novafeed.comments_cdc AS comments FINAL
        WHERE post_id BETWEEN {first:UUID} AND {last:UUID}
    )
    GROUP BY post_id, metric_hour
    HAVING likes > 0 OR comments > 0
)
