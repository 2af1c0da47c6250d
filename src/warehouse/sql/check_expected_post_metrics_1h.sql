-- The counts of each post by the clock hour, counted again: one row for each like, comment and event.
SELECT post_id, toStartOfHour(likes.created_at) AS metric_hour, [1, 0, 0, 0, 0]::Array(UInt64) AS values
FROM novafeed.likes_cdc AS likes FINAL
WHERE _deleted = 0 AND likes.created_at >= fromUnixTimestamp64Milli({hours_from:Int64}, 'UTC')
UNION ALL
SELECT post_id, toStartOfHour(comments.created_at) AS metric_hour, [0, 1, 0, 0, 0]::Array(UInt64) AS values
FROM novafeed.comments_cdc AS comments FINAL
WHERE _deleted = 0 AND comments.created_at >= fromUnixTimestamp64Milli({hours_from:Int64}, 'UTC')
UNION ALL
SELECT
    post_id,
    toStartOfHour(events.created_at) AS metric_hour,
    [0, 0, type = 'share', type = 'impression', type = 'view']::Array(UInt64) AS values
FROM novafeed.events_raw AS events FINAL
WHERE type IN ('share', 'impression', 'view')
    AND events.created_at >= fromUnixTimestamp64Milli({hours_from:Int64}, 'UTC')
