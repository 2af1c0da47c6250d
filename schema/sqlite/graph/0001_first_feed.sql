-- The truth of the social graph, and what captures its changes. Times are milliseconds since 1970, UTC; ids are the
-- 16 bytes of a UUID. Rules (who may, what exists) live in graph/commands; here are rows. The indexes of the lists that
-- are read newest first stand in adapters/sqlite/list_indexes.cpp: a bulk load does without them and makes them at its end.

CREATE TABLE data_set (
  generation TEXT NOT NULL  -- one row: names this data set, part of every position
) STRICT;

CREATE TABLE users (
  row INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  external_id TEXT,
  handle TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE posts (
  row INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  external_id TEXT,
  author BLOB NOT NULL,
  text TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  deleted_at INTEGER
) STRICT;

CREATE TABLE comments (
  row INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  external_id TEXT,
  post BLOB NOT NULL,
  user BLOB NOT NULL,
  post_author BLOB NOT NULL,
  post_created_at INTEGER NOT NULL,
  text TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  incarnation INTEGER NOT NULL
) STRICT;

CREATE TABLE likes (
  user BLOB NOT NULL,
  post BLOB NOT NULL,
  post_author BLOB NOT NULL,
  post_created_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  incarnation INTEGER NOT NULL,
  PRIMARY KEY (user, post)
) STRICT, WITHOUT ROWID;

CREATE TABLE follows (
  follower BLOB NOT NULL,
  followee BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  incarnation INTEGER NOT NULL,
  PRIMARY KEY (follower, followee)
) STRICT, WITHOUT ROWID;

-- Change capture: one row for each changed row, in commit order. Sequences are given by the one writer, never twice.
CREATE TABLE changes (
  sequence INTEGER PRIMARY KEY,
  work INTEGER NOT NULL,          -- sequence of the first change of the same command
  committed_at INTEGER NOT NULL,
  kind INTEGER NOT NULL,          -- RowKind
  op INTEGER NOT NULL,            -- ChangeOp: 'c', 'u' or 'd' as its character's code
  before BLOB,                    -- row_codec
  after BLOB
) STRICT;

CREATE TABLE change_log (
  forgotten_through INTEGER NOT NULL  -- one row: changes up to here may be gone
) STRICT;
INSERT INTO change_log VALUES (0);

-- Copies of like and unlike events on their way to the event log.
CREATE TABLE outbox (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  user BLOB NOT NULL,
  type INTEGER NOT NULL,
  post BLOB NOT NULL,
  at INTEGER NOT NULL,
  event_id BLOB NOT NULL,
  post_author BLOB NOT NULL,
  post_created_at INTEGER NOT NULL
) STRICT;

-- Like and unlike events that were applied. `at` leads, so that new ones land side by side.
CREATE TABLE event_identities (
  at INTEGER NOT NULL,
  digest BLOB NOT NULL,
  PRIMARY KEY (at, digest)
) STRICT, WITHOUT ROWID;

-- Ids of what was erased: never accepted again.
CREATE TABLE retired_ids (
  kind INTEGER NOT NULL,
  id BLOB NOT NULL,
  PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE facts (
  key TEXT PRIMARY KEY NOT NULL,
  value BLOB NOT NULL
) STRICT;
