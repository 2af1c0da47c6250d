-- Some posts with their counters: the row itself, likes and comments counted from their rows, the rest from the sets.
SELECT
    posts.id,
    posts.user_id,
    toUnixTimestamp64Milli(posts.created_at) AS created_ms,
    isNotNull(posts.deleted_at) AS is_deleted,
    ifNull(likes.number, 0) AS likes,
    ifNull(comments.number, 0) AS comments,
    ifNull(sets.shares, 0) AS shares,
    ifNull(sets.impressions, 0) AS impressions,
    ifNull(sets.views, 0) AS views
FROM (SELECT * FROM novafeed.posts_cdc FINAL WHERE id IN {posts:Array(UUID)}) AS posts
LEFT JOIN
(
    SELECT post_id, toInt64(count()) AS number
    FROM
    (
        SELECT post_id
        FROM novafeed.likes_cdc
        WHERE post_id IN {posts:Array(UUID)}
        GROUP BY user_id, post_id
        HAVING argMax(_deleted, _version) = 0
    )
    GROUP BY post_id
) AS likes ON likes.post_id = posts.id
LEFT JOIN
(
    SELECT post_id, toInt64(count()) AS number
    FROM
    (
        SELECT post_id
        FROM novafeed.comments_cdc
        WHERE post_id IN {posts:Array(UUID)}
        GROUP BY id, post_id
        HAVING argMax(_deleted, _version) = 0
    )
    GROUP BY post_id
) AS comments ON comments.post_id = posts.id
LEFT JOIN
(
    SELECT
        post_id,
        toInt64(uniqExactMerge(shares_seen)) AS shares,
        toInt64(uniqExactMerge(impressions_seen)) AS impressions,
        toInt64(uniqExactMerge(views_seen)) AS views
    FROM novafeed.post_totals
    WHERE author_id IN {authors:Array(UUID)} AND post_id IN {posts:Array(UUID)}
    GROUP BY post_id
) AS sets ON sets.post_id = posts.id
