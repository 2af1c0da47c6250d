-- The events of each post, counted again: one row for each of them.
SELECT
    post_id,
    [0, 0, type = 'share', type = 'impression', type = 'view']::Array(UInt64) AS values
FROM novafeed.events_raw FINAL
WHERE type IN ('share', 'impression', 'view')
