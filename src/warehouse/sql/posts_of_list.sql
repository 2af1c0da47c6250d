-- What rankings need of certain posts, those of the shared trending list or of a page: their counters without a window.
-- Those that are gone are left out. In any order.
-- posts, authors: of the list.
SELECT
    post_id, author_id, toUnixTimestamp64Milli(created_at) AS created_ms,
    likes, comments, shares, impressions
FROM novafeed.post_counters FINAL
WHERE is_live AND author_id IN {authors:Array(UUID)} AND post_id IN {posts:Array(UUID)}
