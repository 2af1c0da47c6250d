-- The clock hours that the index holds counters of.
SELECT DISTINCT toUnixTimestamp(metric_hour) AS hour_seconds
FROM novafeed.post_hour_counters
WHERE metric_hour >= toDateTime({oldest_hour_seconds:UInt32}, 'UTC')
ORDER BY hour_seconds
