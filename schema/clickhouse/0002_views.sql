-- The seed's views: what the feed's queries (warehouse/sql) read. Parameterised, so that an answer depends on the instant
-- it is asked for and not on a clock: `SELECT … FROM novafeed.post_ranking_scores(viewer = '…', as_of = 1700000000000)`.
-- A condition on author_id or created_at reaches the tables below through the views, and prunes by their keys.

-- Posts that a viewer may see as of an instant, with the terms of their score (profile v1). The viewer's own, deleted and
-- later posts are in none of them. An erased or unknown viewer interacts with nobody. The score serves to cut; the one
-- that counts is computed in C++ from the integers.
CREATE VIEW IF NOT EXISTS novafeed.post_ranking_scores AS
WITH
    fromUnixTimestamp64Milli({as_of:Int64}, 'UTC') AS instant,
    interactions AS
    (
        SELECT author_id, toInt64(uniqExactMerge(given)) - toInt64(uniqExactMerge(taken_back)) AS count
        FROM novafeed.user_author_90d
        WHERE user_id = {viewer:UUID} AND day > toDate32(instant) - 90 AND day <= toDate32(instant)
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

-- Of these, those of the last 72 hours by authors whom the viewer follows.
CREATE VIEW IF NOT EXISTS novafeed.feed_recent_follows AS
SELECT *
FROM novafeed.post_ranking_scores(viewer = {viewer:UUID}, as_of = {as_of:Int64})
WHERE author_id IN (SELECT following_id FROM novafeed.follows_cdc FINAL WHERE follower_id = {viewer:UUID})
    AND created_at > fromUnixTimestamp64Milli({as_of:Int64}, 'UTC') - INTERVAL 72 HOUR;

-- Posts of the last 30 days with a like, comment or share in the clock-hour buckets that end with that of the instant, so
-- many as `hours` says; with the counters of these buckets, and the score that they trend by.
CREATE VIEW IF NOT EXISTS novafeed.trending_posts AS
WITH
    fromUnixTimestamp64Milli({as_of:Int64}, 'UTC') AS instant,
    active AS
    (
        SELECT
            buckets.post_id AS post_id,
            any(buckets.author_id) AS author_id,
            any(buckets.post_created_at) AS created_at,
            sum(buckets.likes) AS likes,
            sum(buckets.comments) AS comments,
            sum(buckets.shares) AS shares,
            sum(buckets.impressions) AS impressions
        FROM novafeed.post_hour_counters AS buckets FINAL
        WHERE metric_hour > instant - toIntervalHour({hours:Int32}) AND metric_hour <= instant
            AND post_created_at > instant - INTERVAL 30 DAY AND post_created_at <= instant
        GROUP BY post_id
        HAVING likes + comments + shares >= 1
    )
SELECT
    *,
    0.40 * log1p((likes + 2 * comments + 3 * shares) / greatest(impressions, 1))
        + 0.30 * exp(-0.10 * ({as_of:Int64} - toUnixTimestamp64Milli(created_at)) / 3600000.) AS score
FROM active
WHERE post_id NOT IN (SELECT post_id FROM novafeed.post_counters WHERE is_deleted);
