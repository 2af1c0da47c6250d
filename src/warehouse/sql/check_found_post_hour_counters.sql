-- The counts of each post by the clock hour, as refreshed.
SELECT
    post_id,
    metric_hour,
    [likes, comments, shares, impressions, views]::Array(UInt64) AS values
FROM novafeed.post_hour_counters FINAL
WHERE metric_hour >= fromUnixTimestamp64Milli({hours_from:Int64}, 'UTC')
