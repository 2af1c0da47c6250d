-- The warehouse: the seed's analytical schema, exact under replays. docs/warehouse.md shows it as a picture and a table.
--
-- Every message lands in a table without storage ("landing"), is parsed once into a second one ("parsed"), and from
-- there either enters its table or, where it is broken, ingest_errors. Nothing between can throw: a materialized view
-- that throws would stop the stream behind it. Aggregates hang on the tables and are sets that only grow (incarnations of
-- rows, identities of events), so a message that comes again changes nothing.
--
-- A landing table's engine, Null, becomes Kafka on the topic in the comment behind it where ClickHouse itself reads the log
-- (warehouse/schema.h).
-- Times are UTC. now() stands only where garbage is collected.

CREATE DATABASE IF NOT EXISTS novafeed ENGINE = Atomic;

CREATE TABLE IF NOT EXISTS novafeed.schema_migrations
(
    version UInt32,
    name String,
    checksum String
)
ENGINE = ReplacingMergeTree ORDER BY version;

-- How far each stream of the log is applied: written after the rows that it describes.
CREATE TABLE IF NOT EXISTS novafeed.log_positions
(
    stream LowCardinality(String),
    generation String,
    point Int64,
    _version UInt64
)
ENGINE = ReplacingMergeTree(_version) ORDER BY stream;

-- Whom erasing hides, and behind which pseudonym, while it does (warehouse/sql/erase_*.sql). In memory only: the text of
-- a mutation stays in a file, so it must name a table and no id.
CREATE TABLE IF NOT EXISTS novafeed.erasing
(
    user_id UUID,
    pseudonym UUID
)
ENGINE = Memory;

CREATE TABLE IF NOT EXISTS novafeed.ingest_errors
(
    topic LowCardinality(String),
    reason String,
    raw String,
    landed_at DateTime DEFAULT now()
)
ENGINE = MergeTree ORDER BY (topic, landed_at) TTL landed_at + INTERVAL 30 DAY;

-- ---------------------------------------------------------------------------------------------------- landing, parsing

CREATE TABLE IF NOT EXISTS novafeed.users_kafka (raw String) ENGINE = Null /* cdc.users */;
CREATE TABLE IF NOT EXISTS novafeed.posts_kafka (raw String) ENGINE = Null /* cdc.posts */;
CREATE TABLE IF NOT EXISTS novafeed.comments_kafka (raw String) ENGINE = Null /* cdc.comments */;
CREATE TABLE IF NOT EXISTS novafeed.likes_kafka (raw String) ENGINE = Null /* cdc.likes */;
CREATE TABLE IF NOT EXISTS novafeed.follows_kafka (raw String) ENGINE = Null /* cdc.follows */;
CREATE TABLE IF NOT EXISTS novafeed.events_kafka (raw String) ENGINE = Null /* events */;

-- ------------------------------------------------------------------------------------------ users

CREATE TABLE IF NOT EXISTS novafeed.users_parsed
(
    raw String,
    op String,
    version UInt64,
    id Nullable(UUID),
    external_id Nullable(String),
    handle String,
    name String,
    created_at Nullable(DateTime64(3, 'UTC')),
    is_valid UInt8 MATERIALIZED op IN ('c', 'u', 'd', 'r') AND version > 0 AND isNotNull(id) AND isNotNull(created_at)
)
ENGINE = Null;

CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed.mv_users_parse TO novafeed.users_parsed AS
WITH
    JSONExtract(raw, 'Tuple(op String, before Tuple(id String, external_id Nullable(String), handle String, name String, created_at String), after Tuple(id String, external_id Nullable(String), handle String, name String, created_at String), source Tuple(lsn UInt64))') AS message,
    if(message.op = 'd', message.before, message.after) AS row
SELECT
    raw,
    message.op AS op,
    message.source.lsn AS version,
    toUUIDOrNull(row.id) AS id,
    row.external_id AS external_id,
    row.handle AS handle,
    row.name AS name,
    parseDateTime64BestEffortOrNull(row.created_at, 3, 'UTC') AS created_at
FROM novafeed.users_kafka;

CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed.mv_users_errors TO novafeed.ingest_errors AS
SELECT 'cdc.users' AS topic, 'not a change of users' AS reason, raw
FROM novafeed.users_parsed
WHERE NOT is_valid;

CREATE TABLE IF NOT EXISTS novafeed.users_cdc
(
    id UUID,
    external_id Nullable(String),
    handle String,
    name String,
    created_at DateTime64(3, 'UTC'),
    _version UInt64,
    _deleted UInt8
)
ENGINE = ReplacingMergeTree(_version, _deleted) ORDER BY id SETTINGS index_granularity = 1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed.mv_users_ingest TO novafeed.users_cdc AS
SELECT
    assumeNotNull(id) AS id,
    external_id AS external_id,
    handle AS handle,
    name AS name,
    assumeNotNull(created_at) AS created_at,
    version AS _version,
    op = 'd' AS _deleted
FROM novafeed.users_parsed
WHERE is_valid;

-- ------------------------------------------------------------------------------------------ posts

CREATE TABLE IF NOT EXISTS novafeed.posts_parsed
(
    raw String,
    op String,
    version UInt64,
    id Nullable(UUID),
    external_id Nullable(String),
    user_id Nullable(UUID),
    text String,
    created_at Nullable(DateTime64(3, 'UTC')),
    deleted_at Nullable(DateTime64(3, 'UTC')),
    is_valid UInt8 MATERIALIZED op IN ('c', 'u', 'd', 'r') AND version > 0 AND isNotNull(id) AND isNotNull(user_id) AND isNotNull(created_at)
)
ENGINE = Null;

CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed.mv_posts_parse TO novafeed.posts_parsed AS
WITH
    JSONExtract(raw, 'Tuple(op String, before Tuple(id String, external_id Nullable(String), author_id String, text String, created_at String, deleted_at Nullable(String)), after Tuple(id String, external_id Nullable(String), author_id String, text String, created_at String, deleted_at Nullable(String)), source Tuple(lsn UInt64))') AS message,
    if(message.op = 'd', message.before, message.after) AS row
SELECT
    raw,
    message.op AS op,
    message.source.lsn AS version,
    toUUIDOrNull(row.id) AS id,
    row.external_id AS external_id,
    toUUIDOrNull(row.author_id) AS user_id,
    row.text AS text,
    parseDateTime64BestEffortOrNull(row.created_at, 3, 'UTC') AS created_at,
    parseDateTime64BestEffortOrNull(row.deleted_at, 3, 'UTC') AS deleted_at
FROM novafeed.posts_kafka;

CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed.mv_posts_errors TO novafeed.ingest_errors AS
SELECT 'cdc.posts' AS topic, 'not a change of posts' AS reason, raw
FROM novafeed.posts_parsed
WHERE NOT is_valid;

CREATE TABLE IF NOT EXISTS novafeed.posts_cdc
(
    id UUID,
    external_id Nullable(String),
    user_id UUID,
    text String,
    created_at DateTime64(3, 'UTC'),
    deleted_at Nullable(DateTime64(3, 'UTC')),
    _version UInt64,
    _deleted UInt8
)
ENGINE = ReplacingMergeTree(_version, _deleted) ORDER BY (id, created_at) SETTINGS index_granularity = 1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed.mv_posts_ingest TO novafeed.posts_cdc AS
SELECT
    assumeNotNull(id) AS id,
    external_id AS external_id,
    assumeNotNull(user_id) AS user_id,
    text AS text,
    assumeNotNull(created_at) AS created_at,
    deleted_at AS deleted_at,
    version AS _version,
    op = 'd' AS _deleted
FROM novafeed.posts_parsed
WHERE is_valid;

-- --------------------------------------------------------------------------------------- comments

CREATE TABLE IF NOT EXISTS novafeed.comments_parsed
(
    raw String,
    op String,
    version UInt64,
    id Nullable(UUID),
    external_id Nullable(String),
    post_id Nullable(UUID),
    user_id Nullable(UUID),
    post_author_id Nullable(UUID),
    post_created_at Nullable(DateTime64(3, 'UTC')),
    text String,
    created_at Nullable(DateTime64(3, 'UTC')),
    incarnation UInt64,
    is_valid UInt8 MATERIALIZED op IN ('c', 'u', 'd', 'r') AND version > 0 AND isNotNull(id) AND isNotNull(post_id) AND isNotNull(user_id) AND isNotNull(post_author_id) AND isNotNull(post_created_at) AND isNotNull(created_at) AND incarnation > 0
)
ENGINE = Null;

CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed.mv_comments_parse TO novafeed.comments_parsed AS
WITH
    JSONExtract(raw, 'Tuple(op String, before Tuple(id String, external_id Nullable(String), post_id String, user_id String, post_author_id String, post_created_at String, text String, created_at String, incarnation UInt64), after Tuple(id String, external_id Nullable(String), post_id String, user_id String, post_author_id String, post_created_at String, text String, created_at String, incarnation UInt64), source Tuple(lsn UInt64))') AS message,
    if(message.op = 'd', message.before, message.after) AS row
SELECT
    raw,
    message.op AS op,
    message.source.lsn AS version,
    toUUIDOrNull(row.id) AS id,
    row.external_id AS external_id,
    toUUIDOrNull(row.post_id) AS post_id,
    toUUIDOrNull(row.user_id) AS user_id,
    toUUIDOrNull(row.post_author_id) AS post_author_id,
    parseDateTime64BestEffortOrNull(row.post_created_at, 3, 'UTC') AS post_created_at,
    row.text AS text,
    parseDateTime64BestEffortOrNull(row.created_at, 3, 'UTC') AS created_at,
    row.incarnation AS incarnation
FROM novafeed.comments_kafka;

CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed.mv_comments_errors TO novafeed.ingest_errors AS
SELECT 'cdc.comments' AS topic, 'not a change of comments' AS reason, raw
FROM novafeed.comments_parsed
WHERE NOT is_valid;

CREATE TABLE IF NOT EXISTS novafeed.comments_cdc
(
    id UUID,
    external_id Nullable(String),
    post_id UUID,
    user_id UUID,
    post_author_id UUID,
    post_created_at DateTime64(3, 'UTC'),
    text String,
    created_at DateTime64(3, 'UTC'),
    incarnation UInt64,
    _version UInt64,
    _deleted UInt8
)
ENGINE = ReplacingMergeTree(_version, _deleted) ORDER BY id SETTINGS index_granularity = 1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed.mv_comments_ingest TO novafeed.comments_cdc AS
SELECT
    assumeNotNull(id) AS id,
    external_id AS external_id,
    assumeNotNull(post_id) AS post_id,
    assumeNotNull(user_id) AS user_id,
    assumeNotNull(post_author_id) AS post_author_id,
    assumeNotNull(post_created_at) AS post_created_at,
    text AS text,
    assumeNotNull(created_at) AS created_at,
    incarnation AS incarnation,
    version AS _version,
    op = 'd' AS _deleted
FROM novafeed.comments_parsed
WHERE is_valid;

-- ------------------------------------------------------------------------------------------ likes

CREATE TABLE IF NOT EXISTS novafeed.likes_parsed
(
    raw String,
    op String,
    version UInt64,
    user_id Nullable(UUID),
    post_id Nullable(UUID),
    post_author_id Nullable(UUID),
    post_created_at Nullable(DateTime64(3, 'UTC')),
    created_at Nullable(DateTime64(3, 'UTC')),
    incarnation UInt64,
    is_valid UInt8 MATERIALIZED op IN ('c', 'u', 'd', 'r') AND version > 0 AND isNotNull(user_id) AND isNotNull(post_id) AND isNotNull(post_author_id) AND isNotNull(post_created_at) AND isNotNull(created_at) AND incarnation > 0
)
ENGINE = Null;

CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed.mv_likes_parse TO novafeed.likes_parsed AS
WITH
    JSONExtract(raw, 'Tuple(op String, before Tuple(user_id String, post_id String, post_author_id String, post_created_at String, created_at String, incarnation UInt64), after Tuple(user_id String, post_id String, post_author_id String, post_created_at String, created_at String, incarnation UInt64), source Tuple(lsn UInt64))') AS message,
    if(message.op = 'd', message.before, message.after) AS row
SELECT
    raw,
    message.op AS op,
    message.source.lsn AS version,
    toUUIDOrNull(row.user_id) AS user_id,
    toUUIDOrNull(row.post_id) AS post_id,
    toUUIDOrNull(row.post_author_id) AS post_author_id,
    parseDateTime64BestEffortOrNull(row.post_created_at, 3, 'UTC') AS post_created_at,
    parseDateTime64BestEffortOrNull(row.created_at, 3, 'UTC') AS created_at,
    row.incarnation AS incarnation
FROM novafeed.likes_kafka;

CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed.mv_likes_errors TO novafeed.ingest_errors AS
SELECT 'cdc.likes' AS topic, 'not a change of likes' AS reason, raw
FROM novafeed.likes_parsed
WHERE NOT is_valid;

CREATE TABLE IF NOT EXISTS novafeed.likes_cdc
(
    user_id UUID,
    post_id UUID,
    post_author_id UUID,
    post_created_at DateTime64(3, 'UTC'),
    created_at DateTime64(3, 'UTC'),
    incarnation UInt64,
    _version UInt64,
    _deleted UInt8
)
ENGINE = ReplacingMergeTree(_version, _deleted) ORDER BY (user_id, post_id) SETTINGS index_granularity = 1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed.mv_likes_ingest TO novafeed.likes_cdc AS
SELECT
    assumeNotNull(user_id) AS user_id,
    assumeNotNull(post_id) AS post_id,
    assumeNotNull(post_author_id) AS post_author_id,
    assumeNotNull(post_created_at) AS post_created_at,
    assumeNotNull(created_at) AS created_at,
    incarnation AS incarnation,
    version AS _version,
    op = 'd' AS _deleted
FROM novafeed.likes_parsed
WHERE is_valid;

-- ---------------------------------------------------------------------------------------- follows

CREATE TABLE IF NOT EXISTS novafeed.follows_parsed
(
    raw String,
    op String,
    version UInt64,
    follower_id Nullable(UUID),
    following_id Nullable(UUID),
    created_at Nullable(DateTime64(3, 'UTC')),
    incarnation UInt64,
    is_valid UInt8 MATERIALIZED op IN ('c', 'u', 'd', 'r') AND version > 0 AND isNotNull(follower_id) AND isNotNull(following_id) AND isNotNull(created_at) AND incarnation > 0
)
ENGINE = Null;

CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed.mv_follows_parse TO novafeed.follows_parsed AS
WITH
    JSONExtract(raw, 'Tuple(op String, before Tuple(follower_id String, following_id String, created_at String, incarnation UInt64), after Tuple(follower_id String, following_id String, created_at String, incarnation UInt64), source Tuple(lsn UInt64))') AS message,
    if(message.op = 'd', message.before, message.after) AS row
SELECT
    raw,
    message.op AS op,
    message.source.lsn AS version,
    toUUIDOrNull(row.follower_id) AS follower_id,
    toUUIDOrNull(row.following_id) AS following_id,
    parseDateTime64BestEffortOrNull(row.created_at, 3, 'UTC') AS created_at,
    row.incarnation AS incarnation
FROM novafeed.follows_kafka;

CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed.mv_follows_errors TO novafeed.ingest_errors AS
SELECT 'cdc.follows' AS topic, 'not a change of follows' AS reason, raw
FROM novafeed.follows_parsed
WHERE NOT is_valid;

CREATE TABLE IF NOT EXISTS novafeed.follows_cdc
(
    follower_id UUID,
    following_id UUID,
    created_at DateTime64(3, 'UTC'),
    incarnation UInt64,
    _version UInt64,
    _deleted UInt8
)
ENGINE = ReplacingMergeTree(_version, _deleted) ORDER BY (follower_id, following_id) SETTINGS index_granularity = 1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed.mv_follows_ingest TO novafeed.follows_cdc AS
SELECT
    assumeNotNull(follower_id) AS follower_id,
    assumeNotNull(following_id) AS following_id,
    assumeNotNull(created_at) AS created_at,
    incarnation AS incarnation,
    version AS _version,
    op = 'd' AS _deleted
FROM novafeed.follows_parsed
WHERE is_valid;

-- ------------------------------------------------------------------------------------------------- behaviour events

CREATE TABLE IF NOT EXISTS novafeed.events_parsed
(
    raw String,
    user_id Nullable(UUID),
    type String,
    post_id Nullable(UUID),
    created_at_ms Int64,
    event_id Nullable(UUID),
    post_author_id Nullable(UUID),
    post_created_at_ms Int64,
    identity Nullable(String),
    is_valid UInt8 MATERIALIZED type IN ('impression', 'view', 'share', 'like', 'unlike')
        AND isNotNull(user_id) AND isNotNull(post_id) AND isNotNull(event_id) AND isNotNull(post_author_id)
        AND created_at_ms BETWEEN 0 AND 4133980799999 AND post_created_at_ms BETWEEN 0 AND 4133980799999
        AND (isNull(identity) OR match(identity, '^[0-9a-f]{32}$'))
)
ENGINE = Null;

CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed.mv_events_parse TO novafeed.events_parsed AS
WITH JSONExtract(raw, 'Tuple(event_id String, type String, user_id String, post_id String, at Nullable(Int64), post_author_id String, post_created_at Nullable(Int64), identity Nullable(String))') AS message
SELECT
    raw,
    toUUIDOrNull(message.user_id) AS user_id,
    message.type AS type,
    toUUIDOrNull(message.post_id) AS post_id,
    ifNull(message.at, -1) AS created_at_ms,
    toUUIDOrNull(message.event_id) AS event_id,
    toUUIDOrNull(message.post_author_id) AS post_author_id,
    ifNull(message.post_created_at, -1) AS post_created_at_ms,
    message.identity AS identity
FROM novafeed.events_kafka;

CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed.mv_events_errors TO novafeed.ingest_errors AS
SELECT 'events' AS topic, 'not an event' AS reason, raw
FROM novafeed.events_parsed
WHERE NOT is_valid;

-- created_at is the event's own time (`at`). The key is what its identity is made of, so an event that comes again is
-- the same row. The identity travels with the event, because it outlives the names of erased users; whoever sends none
-- gets one that is made of the key.
CREATE TABLE IF NOT EXISTS novafeed.events_raw
(
    created_at DateTime64(3, 'UTC'),
    user_id UUID,
    post_id UUID,
    type LowCardinality(String),
    event_id UUID,
    post_author_id UUID,
    post_created_at DateTime64(3, 'UTC'),
    identity UInt64
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(created_at)
ORDER BY (created_at, user_id, post_id, type, event_id)
TTL toDateTime(created_at) + INTERVAL 90 DAY;

CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed.mv_events_ingest TO novafeed.events_raw AS
SELECT
    fromUnixTimestamp64Milli(created_at_ms, 'UTC') AS created_at,
    assumeNotNull(user_id) AS user_id,
    assumeNotNull(post_id) AS post_id,
    type,
    assumeNotNull(event_id) AS event_id,
    assumeNotNull(post_author_id) AS post_author_id,
    fromUnixTimestamp64Milli(post_created_at_ms, 'UTC') AS post_created_at,
    if(isNull(events.identity),
        sipHash64(events.user_id, type, events.post_id, created_at_ms, events.event_id),
        reinterpretAsUInt64(unhex(left(assumeNotNull(events.identity), 16)))) AS identity
FROM novafeed.events_parsed AS events
WHERE is_valid;

-- ------------------------------------------------------------------------------------- counters of posts, in all time

-- What counts is kept as sets: a like by its row's incarnation, once among the added and once among the removed; an
-- event by its identity. L = added - removed. No window, no TTL.
CREATE TABLE IF NOT EXISTS novafeed.post_totals
(
    author_id UUID,
    created_at DateTime64(3, 'UTC'),
    post_id UUID,
    is_known SimpleAggregateFunction(max, UInt8),
    is_deleted SimpleAggregateFunction(max, UInt8),
    likes_added AggregateFunction(uniqExact, UInt64),
    likes_removed AggregateFunction(uniqExact, UInt64),
    comments_added AggregateFunction(uniqExact, UInt64),
    comments_removed AggregateFunction(uniqExact, UInt64),
    shares_seen AggregateFunction(uniqExact, UInt64),
    impressions_seen AggregateFunction(uniqExact, UInt64),
    views_seen AggregateFunction(uniqExact, UInt64)
)
ENGINE = AggregatingMergeTree ORDER BY (author_id, created_at, post_id) SETTINGS index_granularity = 1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed.mv_post_totals_posts TO novafeed.post_totals AS
SELECT
    user_id AS author_id,
    created_at,
    id AS post_id,
    max(toUInt8(1)) AS is_known,
    max(toUInt8(_deleted OR isNotNull(deleted_at))) AS is_deleted
FROM novafeed.posts_cdc
GROUP BY user_id, created_at, id;

CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed.mv_post_totals_likes TO novafeed.post_totals AS
SELECT
    post_author_id AS author_id,
    post_created_at AS created_at,
    post_id,
    uniqExactState(incarnation) AS likes_added,
    uniqExactStateIf(incarnation, _deleted = 1) AS likes_removed
FROM novafeed.likes_cdc AS rows
GROUP BY post_author_id, post_created_at, post_id;

CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed.mv_post_totals_comments TO novafeed.post_totals AS
SELECT
    post_author_id AS author_id,
    post_created_at AS created_at,
    post_id,
    uniqExactState(incarnation) AS comments_added,
    uniqExactStateIf(incarnation, _deleted = 1) AS comments_removed
FROM novafeed.comments_cdc AS rows
GROUP BY post_author_id, post_created_at, post_id;

CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed.mv_post_totals_events TO novafeed.post_totals AS
SELECT
    post_author_id AS author_id,
    post_created_at AS created_at,
    post_id,
    uniqExactStateIf(identity, type = 'share') AS shares_seen,
    uniqExactStateIf(identity, type = 'impression') AS impressions_seen,
    uniqExactStateIf(identity, type = 'view') AS views_seen
FROM novafeed.events_raw AS rows
WHERE type IN ('share', 'impression', 'view')
GROUP BY post_author_id, post_created_at, post_id;

-- ------------------------------------------------------------------------------------------ counters by the clock hour

CREATE TABLE IF NOT EXISTS novafeed.post_metrics_1h
(
    post_id UUID,
    metric_hour DateTime('UTC'),
    author_id SimpleAggregateFunction(any, UUID),
    post_created_at SimpleAggregateFunction(any, DateTime64(3, 'UTC')),
    likes_added AggregateFunction(uniqExact, UInt64),
    likes_removed AggregateFunction(uniqExact, UInt64),
    comments_added AggregateFunction(uniqExact, UInt64),
    comments_removed AggregateFunction(uniqExact, UInt64),
    shares_seen AggregateFunction(uniqExact, UInt64),
    impressions_seen AggregateFunction(uniqExact, UInt64),
    views_seen AggregateFunction(uniqExact, UInt64),
    likes_count Int64 ALIAS toInt64(finalizeAggregation(likes_added)) - toInt64(finalizeAggregation(likes_removed)),
    comments_count Int64 ALIAS toInt64(finalizeAggregation(comments_added)) - toInt64(finalizeAggregation(comments_removed)),
    shares_count Int64 ALIAS toInt64(finalizeAggregation(shares_seen)),
    impressions_count Int64 ALIAS toInt64(finalizeAggregation(impressions_seen)),
    views_count Int64 ALIAS toInt64(finalizeAggregation(views_seen)),
    likes Int64 ALIAS likes_count,
    comments Int64 ALIAS comments_count,
    shares Int64 ALIAS shares_count,
    impressions Int64 ALIAS impressions_count,
    age_hours Float64 ALIAS greatest(0, now64(3, 'UTC') - post_created_at) / 3600,
    combined_score Float64 ALIAS 0.40 * log1p((likes_count + 2 * comments_count + 3 * shares_count) / greatest(impressions_count, 1)) + 0.30 * exp(-0.10 * age_hours)
)
ENGINE = AggregatingMergeTree
PARTITION BY toDate(metric_hour)
ORDER BY (post_id, metric_hour)
TTL metric_hour + INTERVAL 30 DAY
SETTINGS index_granularity = 1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed.mv_post_metrics_1h TO novafeed.post_metrics_1h AS
SELECT
    post_id,
    toStartOfHour(rows.created_at) AS metric_hour,
    any(rows.post_author_id) AS author_id,
    any(rows.post_created_at) AS post_created_at,
    uniqExactStateIf(identity, type = 'share') AS shares_seen,
    uniqExactStateIf(identity, type = 'impression') AS impressions_seen,
    uniqExactStateIf(identity, type = 'view') AS views_seen
FROM novafeed.events_raw AS rows
WHERE type IN ('share', 'impression', 'view')
GROUP BY post_id, metric_hour;

CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed.mv_post_metrics_1h_likes TO novafeed.post_metrics_1h AS
SELECT
    post_id,
    toStartOfHour(rows.created_at) AS metric_hour,
    any(rows.post_author_id) AS author_id,
    any(rows.post_created_at) AS post_created_at,
    uniqExactState(incarnation) AS likes_added,
    uniqExactStateIf(incarnation, _deleted = 1) AS likes_removed
FROM novafeed.likes_cdc AS rows
GROUP BY post_id, metric_hour;

CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed.mv_post_metrics_1h_comments TO novafeed.post_metrics_1h AS
SELECT
    post_id,
    toStartOfHour(rows.created_at) AS metric_hour,
    any(rows.post_author_id) AS author_id,
    any(rows.post_created_at) AS post_created_at,
    uniqExactState(incarnation) AS comments_added,
    uniqExactStateIf(incarnation, _deleted = 1) AS comments_removed
FROM novafeed.comments_cdc AS rows
GROUP BY post_id, metric_hour;

-- ------------------------------------------------------------------------------------------ the same sets, as integers

-- What the feed's queries read, because merging sets costs many times a plain read. The sink refreshes them for what was
-- touched since the last time (warehouse/sql/refresh_*.sql), and then empties the list of what was touched.

CREATE TABLE IF NOT EXISTS novafeed.touched_posts
(
    author_id UUID,
    created_at DateTime64(3, 'UTC'),
    post_id UUID
)
ENGINE = MergeTree ORDER BY (author_id, created_at, post_id);

CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed.mv_touched_posts TO novafeed.touched_posts AS
SELECT author_id, created_at, post_id
FROM novafeed.post_totals;

-- A feed reads a few posts of each of many authors: small granules and blocks, so that little else is unpacked with them.
CREATE TABLE IF NOT EXISTS novafeed.post_counters
(
    author_id UUID,
    created_at DateTime64(3, 'UTC'),
    post_id UUID,
    is_live UInt8,
    is_deleted UInt8,
    likes Int64,
    comments Int64,
    shares Int64,
    impressions Int64,
    views Int64,
    _version UInt64
)
ENGINE = ReplacingMergeTree(_version)
ORDER BY (author_id, created_at, post_id)
SETTINGS index_granularity = 128, min_compress_block_size = 4096, max_compress_block_size = 8192;

CREATE TABLE IF NOT EXISTS novafeed.touched_hours
(
    post_id UUID,
    metric_hour DateTime('UTC')
)
ENGINE = MergeTree ORDER BY (post_id, metric_hour);

CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed.mv_touched_hours TO novafeed.touched_hours AS
SELECT post_id, metric_hour
FROM novafeed.post_metrics_1h;

CREATE TABLE IF NOT EXISTS novafeed.post_hour_counters
(
    metric_hour DateTime('UTC'),
    post_id UUID,
    author_id UUID,
    post_created_at DateTime64(3, 'UTC'),
    likes Int64,
    comments Int64,
    shares Int64,
    impressions Int64,
    views Int64,
    _version UInt64
)
ENGINE = ReplacingMergeTree(_version)
PARTITION BY toDate(metric_hour)
ORDER BY (metric_hour, post_id)
TTL metric_hour + INTERVAL 30 DAY;

-- --------------------------------------------------------------------------------- who interacts with whom, by the day

CREATE TABLE IF NOT EXISTS novafeed.user_author_90d
(
    user_id UUID,
    author_id UUID,
    day Date,
    given AggregateFunction(uniqExact, UInt64),
    taken_back AggregateFunction(uniqExact, UInt64),
    interaction_count Int64 ALIAS toInt64(finalizeAggregation(given)) - toInt64(finalizeAggregation(taken_back))
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (user_id, author_id, day)
TTL day + INTERVAL 92 DAY
SETTINGS index_granularity = 1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed.mv_user_author_90d TO novafeed.user_author_90d AS
SELECT
    user_id,
    post_author_id AS author_id,
    toDate(events.created_at) AS day,
    uniqExactState(sipHash64('share', identity)) AS given
FROM novafeed.events_raw AS events
WHERE type = 'share' AND user_id != post_author_id
GROUP BY user_id, author_id, day;

CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed.mv_user_author_90d_likes TO novafeed.user_author_90d AS
SELECT
    user_id,
    post_author_id AS author_id,
    toDate(likes.created_at) AS day,
    uniqExactState(sipHash64('like', incarnation)) AS given,
    uniqExactStateIf(sipHash64('like', incarnation), _deleted = 1) AS taken_back
FROM novafeed.likes_cdc AS likes
WHERE user_id != post_author_id
GROUP BY user_id, author_id, day;

CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed.mv_user_author_90d_comments TO novafeed.user_author_90d AS
SELECT
    user_id,
    post_author_id AS author_id,
    toDate(comments.created_at) AS day,
    uniqExactState(sipHash64('comment', incarnation)) AS given,
    uniqExactStateIf(sipHash64('comment', incarnation), _deleted = 1) AS taken_back
FROM novafeed.comments_cdc AS comments
WHERE user_id != post_author_id
GROUP BY user_id, author_id, day;

-- -------------------------------------------------------------------------------------------------- the other direction

-- Who follows somebody, latest first.
CREATE TABLE IF NOT EXISTS novafeed.follow_graph
(
    following_id UUID,
    follower_id UUID,
    created_at DateTime64(3, 'UTC'),
    _version UInt64,
    _deleted UInt8
)
ENGINE = ReplacingMergeTree(_version, _deleted) ORDER BY (following_id, follower_id) SETTINGS index_granularity = 1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed.mv_follow_graph TO novafeed.follow_graph AS
SELECT following_id, follower_id, created_at, _version, _deleted
FROM novafeed.follows_cdc;

-- -------------------------------------------------------------------------------------------- a user's place in the graph

-- What suggested users are found from: how many follow a user and whom the user follows, and the latest of both, so many as
-- the formula looks at. A celebrity's row is no longer than that. Refreshed as the counters of posts are, for who was
-- touched. Small granules, because a suggestion reads a few hundred rows from all over the table.
CREATE TABLE IF NOT EXISTS novafeed.touched_users
(
    user_id UUID
)
ENGINE = MergeTree ORDER BY user_id;

CREATE MATERIALIZED VIEW IF NOT EXISTS novafeed.mv_touched_users TO novafeed.touched_users AS
SELECT DISTINCT arrayJoin([follower_id, following_id]) AS user_id
FROM novafeed.follows_cdc;

CREATE TABLE IF NOT EXISTS novafeed.user_follows
(
    user_id UUID,
    followers Int64,
    following Int64,
    latest_followers Array(UUID),
    latest_following Array(UUID),
    _version UInt64
)
ENGINE = ReplacingMergeTree(_version)
ORDER BY user_id
SETTINGS index_granularity = 32, min_compress_block_size = 8192, max_compress_block_size = 32768;

-- --------------------------------------------------------------------------------------------------------- hot posts

-- The best posts of the current clock hour and the one before it, as of each refresh.
CREATE TABLE IF NOT EXISTS novafeed.hot_posts_1h
(
    as_of DateTime64(3, 'UTC'),
    rank UInt16,
    post_id UUID,
    author_id UUID,
    created_at DateTime64(3, 'UTC'),
    likes Int64,
    comments Int64,
    shares Int64,
    impressions Int64,
    score Float64
)
ENGINE = MergeTree ORDER BY (as_of, rank) TTL toDateTime(as_of) + INTERVAL 2 DAY;
