-- What every feed reads is read plainly: to plan a view on a view, joined with sums of sets, took longer than to read the
-- posts. Whom a viewer interacts with is asked beside (warehouse/sql/interactions.sql), and the exact score is computed
-- behind the warehouse anyway.

-- Posts that a viewer may see as of an instant, of its last 72 hours, by authors whom the viewer follows.
CREATE OR REPLACE VIEW novafeed.feed_recent_follows AS
WITH fromUnixTimestamp64Milli({as_of:Int64}, 'UTC') AS instant
SELECT
    post_id,
    author_id,
    created_at,
    likes,
    comments,
    shares,
    impressions,
    ({as_of:Int64} - toUnixTimestamp64Milli(created_at)) / 3600000. AS age_hours
FROM novafeed.post_counters FINAL
WHERE is_live AND author_id != {viewer:UUID}
    AND author_id IN (SELECT following_id FROM novafeed.follows_cdc FINAL WHERE follower_id = {viewer:UUID})
    AND created_at > instant - INTERVAL 72 HOUR AND created_at <= instant;
