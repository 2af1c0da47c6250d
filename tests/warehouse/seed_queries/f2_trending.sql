-- F2: Trending candidates
SELECT post_id, likes_count, combined_score
FROM post_metrics_1h
WHERE metric_hour >= {now:DateTime('UTC')} - INTERVAL 24 HOUR
ORDER BY combined_score DESC LIMIT 200
