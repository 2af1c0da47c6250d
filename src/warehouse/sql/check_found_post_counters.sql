-- The counts of each post, as refreshed.
SELECT
    author_id,
    created_at,
    post_id,
    [likes, comments, shares, impressions, views, is_live, is_deleted]::Array(UInt64) AS values
FROM novafeed.post_counters FINAL
