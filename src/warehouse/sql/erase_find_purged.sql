-- Those of purged users whom rows name again, found by digests of their ids (graph/retired.h).
SELECT DISTINCT id
FROM
(
    SELECT id FROM novafeed.users_cdc
    UNION DISTINCT SELECT user_id FROM novafeed.posts_cdc
    UNION DISTINCT SELECT arrayJoin([user_id, post_author_id]) FROM novafeed.comments_cdc
    UNION DISTINCT SELECT arrayJoin([user_id, post_author_id]) FROM novafeed.likes_cdc
    UNION DISTINCT SELECT arrayJoin([follower_id, following_id]) FROM novafeed.follows_cdc
    UNION DISTINCT SELECT arrayJoin([user_id, post_author_id]) FROM novafeed.events_raw
)
WHERE has(
    {digests:Array(UUID)},
    toUUID(UUIDNumToString(toFixedString(substring(SHA256(concat('novafeed/retired', char(1), UUIDToNum(id))), 1, 16), 16))))
