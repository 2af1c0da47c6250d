-- Counters of some posts by clock hour, from the sets.
SELECT
    post_id,
    toUnixTimestamp(metric_hour) AS hour_seconds,
    toInt64(uniqExactMerge(likes_added)) - toInt64(uniqExactMerge(likes_removed)) AS likes,
    toInt64(uniqExactMerge(comments_added)) - toInt64(uniqExactMerge(comments_removed)) AS comments,
    toInt64(uniqExactMerge(shares_seen)) AS shares,
    toInt64(uniqExactMerge(impressions_seen)) AS impressions
FROM novafeed.post_metrics_1h
WHERE post_id IN {posts:Array(UUID)} AND metric_hour >= toDateTime({oldest_hour_seconds:UInt32}, 'UTC')
GROUP BY post_id, metric_hour
HAVING likes != 0 OR comments != 0 OR shares != 0 OR impressions != 0
