-- The counts of each post, of its sets.
SELECT
    author_id,
    created_at,
    post_id,
    [
        uniqExactMerge(likes_added) - uniqExactMerge(likes_removed),
        uniqExactMerge(comments_added) - uniqExactMerge(comments_removed),
        uniqExactMerge(shares_seen),
        uniqExactMerge(impressions_seen),
        uniqExactMerge(views_seen),
        max(is_known) AND NOT max(totals.is_deleted),
        max(totals.is_deleted)
    ]::Array(UInt64) AS values
FROM novafeed.post_totals AS totals
GROUP BY author_id, created_at, post_id
