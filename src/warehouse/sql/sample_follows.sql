-- Who follows some users, and whom they follow, from the table of the other direction: latest version of each row, and
-- no FINAL.
SELECT follower_id, following_id, toUnixTimestamp64Milli(argMax(created_at, _version)) AS created_ms
FROM novafeed.follow_graph
WHERE follower_id IN {users:Array(UUID)} OR following_id IN {users:Array(UUID)}
GROUP BY follower_id, following_id
HAVING argMax(_deleted, _version) = 0
