-- F3: Affinity candidates
SELECT fp.id, aa.interaction_count, 0.30 * log1p(aa.interaction_count) AS combined_score
FROM posts_cdc fp
INNER JOIN user_author_90d aa ON fp.user_id = aa.author_id
WHERE aa.user_id = {user_id:UUID}
ORDER BY combined_score DESC LIMIT 200
