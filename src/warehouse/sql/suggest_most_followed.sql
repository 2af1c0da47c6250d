-- The users with the most followers, ties by id, without the viewer and those whom the viewer follows.
-- viewer; limit: how many.
SELECT users.id AS user_id, counters.followers AS follower_count
FROM (SELECT id FROM novafeed.users_cdc FINAL) AS users
LEFT JOIN (SELECT user_id, followers FROM novafeed.user_follows FINAL) AS counters ON counters.user_id = users.id
WHERE users.id != {viewer:UUID}
    AND users.id NOT IN (SELECT following_id FROM novafeed.follows_cdc FINAL WHERE follower_id = {viewer:UUID})
ORDER BY follower_count DESC, UUIDToNum(users.id)
LIMIT {limit:UInt64}
