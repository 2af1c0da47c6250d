SELECT post_id, author_id, likes, comments, shares,
       0.40 * log1p((likes + 2 * comments + 3 * shares) / greatest(impressions, 1)) + 0.30 * exp(-0.10 * age_hours) as score
FROM post_metrics_1h
WHERE metric_hour >= {now:DateTime('UTC')} - INTERVAL 1 HOUR
ORDER BY score DESC LIMIT 200
