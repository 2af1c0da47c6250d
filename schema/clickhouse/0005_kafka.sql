-- Where ClickHouse lands the topics itself, a message knows its place on its topic, and a broken one keeps it. (The landing
-- tables stay as they are: what reads Kafka is a table beside each, in a database of its own; warehouse/kafka_landing.h.)
ALTER TABLE novafeed.ingest_errors
    ADD COLUMN IF NOT EXISTS partition Nullable(UInt64) AFTER topic,
    ADD COLUMN IF NOT EXISTS offset Nullable(UInt64) AFTER partition;

ALTER TABLE novafeed.users_kafka
    ADD COLUMN IF NOT EXISTS partition Nullable(UInt64),
    ADD COLUMN IF NOT EXISTS offset Nullable(UInt64);

ALTER TABLE novafeed.users_parsed
    ADD COLUMN IF NOT EXISTS partition Nullable(UInt64),
    ADD COLUMN IF NOT EXISTS offset Nullable(UInt64);

ALTER TABLE novafeed.mv_users_parse MODIFY QUERY
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
    parseDateTime64BestEffortOrNull(row.created_at, 3, 'UTC') AS created_at,
    partition AS partition,
    offset AS offset
FROM novafeed.users_kafka;

ALTER TABLE novafeed.mv_users_errors MODIFY QUERY
SELECT 'cdc.users' AS topic, partition AS partition, offset AS offset, 'not a change of users' AS reason, raw
FROM novafeed.users_parsed
WHERE NOT is_valid;

ALTER TABLE novafeed.posts_kafka
    ADD COLUMN IF NOT EXISTS partition Nullable(UInt64),
    ADD COLUMN IF NOT EXISTS offset Nullable(UInt64);

ALTER TABLE novafeed.posts_parsed
    ADD COLUMN IF NOT EXISTS partition Nullable(UInt64),
    ADD COLUMN IF NOT EXISTS offset Nullable(UInt64);

ALTER TABLE novafeed.mv_posts_parse MODIFY QUERY
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
    parseDateTime64BestEffortOrNull(row.deleted_at, 3, 'UTC') AS deleted_at,
    partition AS partition,
    offset AS offset
FROM novafeed.posts_kafka;

ALTER TABLE novafeed.mv_posts_errors MODIFY QUERY
SELECT 'cdc.posts' AS topic, partition AS partition, offset AS offset, 'not a change of posts' AS reason, raw
FROM novafeed.posts_parsed
WHERE NOT is_valid;

ALTER TABLE novafeed.comments_kafka
    ADD COLUMN IF NOT EXISTS partition Nullable(UInt64),
    ADD COLUMN IF NOT EXISTS offset Nullable(UInt64);

ALTER TABLE novafeed.comments_parsed
    ADD COLUMN IF NOT EXISTS partition Nullable(UInt64),
    ADD COLUMN IF NOT EXISTS offset Nullable(UInt64);

ALTER TABLE novafeed.mv_comments_parse MODIFY QUERY
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
    row.incarnation AS incarnation,
    partition AS partition,
    offset AS offset
FROM novafeed.comments_kafka;

ALTER TABLE novafeed.mv_comments_errors MODIFY QUERY
SELECT 'cdc.comments' AS topic, partition AS partition, offset AS offset, 'not a change of comments' AS reason, raw
FROM novafeed.comments_parsed
WHERE NOT is_valid;

ALTER TABLE novafeed.likes_kafka
    ADD COLUMN IF NOT EXISTS partition Nullable(UInt64),
    ADD COLUMN IF NOT EXISTS offset Nullable(UInt64);

ALTER TABLE novafeed.likes_parsed
    ADD COLUMN IF NOT EXISTS partition Nullable(UInt64),
    ADD COLUMN IF NOT EXISTS offset Nullable(UInt64);

ALTER TABLE novafeed.mv_likes_parse MODIFY QUERY
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
    row.incarnation AS incarnation,
    partition AS partition,
    offset AS offset
FROM novafeed.likes_kafka;

ALTER TABLE novafeed.mv_likes_errors MODIFY QUERY
SELECT 'cdc.likes' AS topic, partition AS partition, offset AS offset, 'not a change of likes' AS reason, raw
FROM novafeed.likes_parsed
WHERE NOT is_valid;

ALTER TABLE novafeed.follows_kafka
    ADD COLUMN IF NOT EXISTS partition Nullable(UInt64),
    ADD COLUMN IF NOT EXISTS offset Nullable(UInt64);

ALTER TABLE novafeed.follows_parsed
    ADD COLUMN IF NOT EXISTS partition Nullable(UInt64),
    ADD COLUMN IF NOT EXISTS offset Nullable(UInt64);

ALTER TABLE novafeed.mv_follows_parse MODIFY QUERY
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
    row.incarnation AS incarnation,
    partition AS partition,
    offset AS offset
FROM novafeed.follows_kafka;

ALTER TABLE novafeed.mv_follows_errors MODIFY QUERY
SELECT 'cdc.follows' AS topic, partition AS partition, offset AS offset, 'not a change of follows' AS reason, raw
FROM novafeed.follows_parsed
WHERE NOT is_valid;

ALTER TABLE novafeed.events_kafka
    ADD COLUMN IF NOT EXISTS partition Nullable(UInt64),
    ADD COLUMN IF NOT EXISTS offset Nullable(UInt64);

ALTER TABLE novafeed.events_parsed
    ADD COLUMN IF NOT EXISTS partition Nullable(UInt64),
    ADD COLUMN IF NOT EXISTS offset Nullable(UInt64);

ALTER TABLE novafeed.mv_events_parse MODIFY QUERY
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
    message.identity AS identity,
    partition AS partition,
    offset AS offset
FROM novafeed.events_kafka;

ALTER TABLE novafeed.mv_events_errors MODIFY QUERY
SELECT 'events' AS topic, partition AS partition, offset AS offset, 'not an event' AS reason, raw
FROM novafeed.events_parsed
WHERE NOT is_valid;

-- Who wants landing to hold still, for how long, and who was told that it does: a node that does not settle asks the one
-- that does (warehouse/landing_holds.h). In memory only: an engine that starts again has no readers.
CREATE TABLE IF NOT EXISTS novafeed.landing_holds
(
    holder String,
    state LowCardinality(String),
    until DateTime64(3, 'UTC')
)
ENGINE = Memory;
