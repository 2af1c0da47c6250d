-- Who interacted with whom by the day, counted again: one row for each like, comment and share.
SELECT user_id, post_author_id AS author_id, toDate(likes.created_at) AS day, [1]::Array(UInt64) AS values
FROM novafeed.likes_cdc AS likes FINAL
WHERE _deleted = 0 AND user_id != post_author_id
    AND toDate(likes.created_at) >= toDate(fromUnixTimestamp64Milli({days_from:Int64}, 'UTC'))
UNION ALL
SELECT user_id, post_author_id AS author_id, toDate(comments.created_at) AS day, [1]::Array(UInt64) AS values
FROM novafeed.comments_cdc AS comments FINAL
WHERE _deleted = 0 AND user_id != post_author_id
    AND toDate(comments.created_at) >= toDate(fromUnixTimestamp64Milli({days_from:Int64}, 'UTC'))
UNION ALL
SELECT user_id, post_author_id AS author_id, toDate(events.created_at) AS day, [1]::Array(UInt64) AS values
FROM novafeed.events_raw AS events FINAL
WHERE type = 'share' AND user_id != post_author_id
    AND toDate(events.created_at) >= toDate(fromUnixTimestamp64Milli({days_from:Int64}, 'UTC'))
