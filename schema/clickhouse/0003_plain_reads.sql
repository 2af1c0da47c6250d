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

-- As it was, but that days are compared as Date, which they are in the key: as Date32 each mark of the index would be
-- converted first.
CREATE OR REPLACE VIEW novafeed.post_ranking_scores AS
WITH
    fromUnixTimestamp64Milli({as_of:Int64}, 'UTC') AS instant,
    toDate32(instant) AS today,
    toDate(greatest(today - 89, toDate32('1970-01-01'))) AS first_day,
    toDate(least(today, toDate32('2149-06-06'))) AS last_day,
    interactions AS
    (
        SELECT author_id, toInt64(uniqExactMerge(given)) - toInt64(uniqExactMerge(taken_back)) AS count
        FROM novafeed.user_author_90d
        WHERE user_id = {viewer:UUID} AND day BETWEEN first_day AND last_day
            AND user_id IN (SELECT id FROM novafeed.users_cdc FINAL WHERE id = {viewer:UUID})
        GROUP BY author_id
    )
SELECT
    posts.post_id AS post_id,
    posts.author_id AS author_id,
    posts.created_at AS created_at,
    posts.likes AS likes,
    posts.comments AS comments,
    posts.shares AS shares,
    posts.impressions AS impressions,
    ifNull(interactions.count, 0) AS interaction_count,
    ({as_of:Int64} - toUnixTimestamp64Milli(created_at)) / 3600000. AS age_hours,
    exp(-0.10 * age_hours) AS freshness,
    log1p((likes + 2 * comments + 3 * shares) / greatest(impressions, 1)) AS engagement,
    log1p(interaction_count) AS affinity,
    0.30 * freshness + 0.40 * engagement + 0.30 * affinity AS combined_score
FROM novafeed.post_counters AS posts FINAL
LEFT JOIN interactions ON posts.author_id = interactions.author_id
WHERE posts.is_live AND posts.author_id != {viewer:UUID} AND posts.created_at <= instant;
