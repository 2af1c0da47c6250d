-- The sets of touched clock hours as integers, of some days and of the posts from `first` to `last`, as
-- refresh_post_counters does for posts.
INSERT INTO novafeed.post_hour_counters
    (metric_hour, post_id, author_id, post_created_at, likes, comments, shares, impressions, views, _version)
SELECT
    metric_hour,
    post_id,
    any(hours.author_id) AS author_id,
    any(hours.post_created_at) AS post_created_at,
    toInt64(uniqExactMerge(likes_added)) - toInt64(uniqExactMerge(likes_removed)) AS likes,
    toInt64(uniqExactMerge(comments_added)) - toInt64(uniqExactMerge(comments_removed)) AS comments,
    toInt64(uniqExactMerge(shares_seen)) AS shares,
    toInt64(uniqExactMerge(impressions_seen)) AS impressions,
    toInt64(uniqExactMerge(views_seen)) AS views,
    {version:UInt64} AS _version
FROM novafeed.post_metrics_1h AS hours
WHERE post_id BETWEEN {first:UUID} AND {last:UUID}
    AND toDate(metric_hour) BETWEEN {first_day:Date} AND {last_day:Date}
    AND (post_id, metric_hour) IN (
        SELECT post_id, metric_hour
        FROM novafeed.touched_hours
        WHERE post_id BETWEEN {first:UUID} AND {last:UUID}
            AND toDate(metric_hour) BETWEEN {first_day:Date} AND {last_day:Date})
GROUP BY post_id, metric_hour
