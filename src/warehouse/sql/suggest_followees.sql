-- Whom the viewer follows, and since when.
-- viewer.
SELECT following_id, toUnixTimestamp64Milli(created_at) AS followed_ms
FROM novafeed.follows_cdc FINAL
WHERE follower_id = {viewer:UUID}
