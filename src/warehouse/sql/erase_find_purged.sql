-- Those of purged users whom rows, sets or messages that nobody understood name again, found by digests of their ids
-- (graph/retired.h). Sets outlive the rows that they were made of. Ids in messages are looked for as erase_hide takes
-- them out: with all dashes or with none.
SELECT DISTINCT id
FROM
(
    SELECT id FROM novafeed.users_cdc
    UNION DISTINCT SELECT user_id FROM novafeed.posts_cdc
    UNION DISTINCT SELECT arrayJoin([user_id, post_author_id]) FROM novafeed.comments_cdc
    UNION DISTINCT SELECT arrayJoin([user_id, post_author_id]) FROM novafeed.likes_cdc
    UNION DISTINCT SELECT arrayJoin([follower_id, following_id]) FROM novafeed.follows_cdc
    UNION DISTINCT SELECT arrayJoin([user_id, post_author_id]) FROM novafeed.events_raw
    UNION DISTINCT SELECT author_id FROM novafeed.post_totals
    UNION DISTINCT SELECT arrayJoin([user_id, author_id]) FROM novafeed.user_author_90d
    UNION DISTINCT SELECT arrayJoin(arrayMap(
        hex -> toUUIDOrZero(concat(substring(hex, 1, 8), '-', substring(hex, 9, 4), '-', substring(hex, 13, 4), '-',
            substring(hex, 17, 4), '-', substring(hex, 21, 12))),
        arrayMap(
            text -> replaceAll(text, '-', ''),
            extractAll(lower(raw), '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}'))))
    FROM novafeed.ingest_errors
)
WHERE has(
    {digests:Array(UUID)},
    toUUID(UUIDNumToString(toFixedString(substring(SHA256(concat('novafeed/retired', char(1), UUIDToNum(id))), 1, 16), 16))))
