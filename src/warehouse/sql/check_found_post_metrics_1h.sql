-- The counts of each post by the clock hour, of their sets; of the hours before hours_to.
SELECT
    post_id,
    metric_hour,
    [
        uniqExactMerge(likes_added) - uniqExactMerge(likes_removed),
        uniqExactMerge(comments_added) - uniqExactMerge(comments_removed),
        uniqExactMerge(shares_seen),
        uniqExactMerge(impressions_seen),
        uniqExactMerge(views_seen)
    ]::Array(UInt64) AS values
FROM novafeed.post_metrics_1h
WHERE metric_hour >= fromUnixTimestamp64Milli({hours_from:Int64}, 'UTC')
    AND metric_hour < fromUnixTimestamp64Milli({hours_to:Int64}, 'UTC')
GROUP BY post_id, metric_hour
