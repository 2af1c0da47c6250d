-- All whom some users follow: of who follows more than 500, the lists of user_follows do not say it.
-- users: these.
SELECT follower_id, following_id
FROM novafeed.follows_cdc FINAL
WHERE follower_id IN {users:Array(UUID)}
