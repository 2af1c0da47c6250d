-- A like that was taken back and given again while nobody captured: its key has a new life, and the sets still count the
-- one before, whose number nothing says any more. So many tokens are taken off as a post has too many, of the authors
-- from `first` to `last`; always the same ones.
INSERT INTO novafeed.post_totals (author_id, created_at, post_id, likes_removed, comments_removed)
SELECT
    author_id,
    created_at,
    post_id,
    arrayReduce('uniqExactState', arrayMap(i -> sipHash64('lost', 'like', {version:UInt64}, post_id, i), range(toUInt64(greatest(likes, 0))))),
    arrayReduce('uniqExactState', arrayMap(i -> sipHash64('lost', 'comment', {version:UInt64}, post_id, i), range(toUInt64(greatest(comments, 0)))))
FROM
(
    SELECT author_id, created_at, post_id, sum(counts.1) AS likes, sum(counts.2) AS comments
    FROM
    (
        SELECT
            author_id,
            created_at,
            post_id,
            (toInt64(uniqExactMerge(likes_added)) - toInt64(uniqExactMerge(likes_removed)),
             toInt64(uniqExactMerge(comments_added)) - toInt64(uniqExactMerge(comments_removed))) AS counts
        FROM novafeed.post_totals
        WHERE author_id BETWEEN {first:UUID} AND {last:UUID}
        GROUP BY author_id, created_at, post_id
        UNION ALL
        SELECT post_author_id, post_created_at, post_id, (toInt64(-1), toInt64(0))
        FROM novafeed.likes_cdc FINAL
        WHERE post_author_id BETWEEN {first:UUID} AND {last:UUID}
        UNION ALL
        SELECT post_author_id, post_created_at, post_id, (toInt64(0), toInt64(-1))
        FROM novafeed.comments_cdc FINAL
        WHERE post_author_id BETWEEN {first:UUID} AND {last:UUID}
    )
    GROUP BY author_id, created_at, post_id
    HAVING likes > 0 OR comments > 0
)
