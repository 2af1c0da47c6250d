-- The sets of touched posts as integers, of the authors from `first` to `last`. Whatever was counted meanwhile is newer,
-- so a row never goes back.
INSERT INTO novafeed.post_counters
    (author_id, created_at, post_id, is_live, is_deleted, likes, comments, shares, impressions, views, _version)
SELECT
    author_id,
    created_at,
    post_id,
    max(is_known) AND NOT max(totals.is_deleted) AS is_live,
    max(totals.is_deleted) AS is_deleted,
    toInt64(uniqExactMerge(likes_added)) - toInt64(uniqExactMerge(likes_removed)) AS likes,
    toInt64(uniqExactMerge(comments_added)) - toInt64(uniqExactMerge(comments_removed)) AS comments,
    toInt64(uniqExactMerge(shares_seen)) AS shares,
    toInt64(uniqExactMerge(impressions_seen)) AS impressions,
    toInt64(uniqExactMerge(views_seen)) AS views,
    {version:UInt64} AS _version
FROM novafeed.post_totals AS totals
WHERE author_id BETWEEN {first:UUID} AND {last:UUID}
    AND (author_id, created_at, post_id) IN (
        SELECT author_id, created_at, post_id
        FROM novafeed.touched_posts
        WHERE author_id BETWEEN {first:UUID} AND {last:UUID})
GROUP BY author_id, created_at, post_id
