-- Which of `users` somebody follows who follows more than 500: suggest_details does not say all of these.
-- followers: whose follows; users: who is looked for.
SELECT follower_id, following_id
FROM novafeed.follows_cdc FINAL
WHERE follower_id IN {followers:Array(UUID)} AND following_id IN {users:Array(UUID)}
