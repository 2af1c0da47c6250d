-- F1: Follow candidates
SELECT fp.id, fp.user_id, pm.likes_count, pm.comments_count, pm.shares_count, pm.impressions_count, pm.combined_score
FROM posts_cdc fp
INNER JOIN follows_cdc f ON fp.user_id = f.following_id
LEFT JOIN post_metrics_1h pm ON pm.post_id = fp.id
WHERE f.follower_id = {user_id:UUID} AND fp.created_at > {now:DateTime('UTC')} - INTERVAL 72 HOUR
ORDER BY combined_score DESC LIMIT 500
