-- Counters of one clock hour, for the index.
SELECT post_id, likes, comments, shares, impressions
FROM novafeed.post_hour_counters FINAL
WHERE metric_hour = toDateTime({hour_seconds:UInt32}, 'UTC')
  AND (likes != 0 OR comments != 0 OR shares != 0 OR impressions != 0)
