-- Whom each user follows, and since when, for the index. Ranges of followers as in boot_users.
SELECT follower_id, groupArray((following_id, toUnixTimestamp64Milli(created_at))) AS follows
FROM novafeed.follows_cdc FINAL
WHERE (follower_id > {after:UUID} OR ({is_first:UInt8} AND follower_id = {after:UUID})) AND follower_id <= {up_to:UUID}
GROUP BY follower_id
