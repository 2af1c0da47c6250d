SELECT aa.author_id, count(distinct aa.user_id) as mutual_followers,
       round(log1p(sum(aa.interaction_count)), 4) as affinity_score
FROM user_author_90d aa
WHERE aa.author_id NOT IN (SELECT following_id FROM follows_cdc WHERE follower_id = {user_id:UUID})
GROUP BY aa.author_id
ORDER BY affinity_score DESC LIMIT 20
