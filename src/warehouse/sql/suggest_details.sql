-- How many follow some users and whom they follow; and of `users`, those who are among their 500 latest followees.
-- followers: whose; users: who is looked for.
SELECT user_id, followers, following, arrayIntersect(latest_following, {users:Array(UUID)}) AS followed_ids
FROM novafeed.user_follows FINAL
WHERE user_id IN {followers:Array(UUID)}
