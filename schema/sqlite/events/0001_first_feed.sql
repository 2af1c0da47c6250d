-- The log of behaviour events. Times are milliseconds since 1970, UTC; ids are the 16 bytes of a UUID.

CREATE TABLE events (
  sequence INTEGER PRIMARY KEY,  -- given by the one writer, without gaps, never twice
  received_at INTEGER NOT NULL,
  user BLOB NOT NULL,
  type INTEGER NOT NULL,
  post BLOB NOT NULL,
  at INTEGER NOT NULL,
  event_id BLOB NOT NULL,
  post_author BLOB NOT NULL,
  post_created_at INTEGER NOT NULL
) STRICT;

-- One row for each event above. `at` leads, so that new ones land side by side.
CREATE TABLE identities (
  at INTEGER NOT NULL,
  digest BLOB NOT NULL,
  PRIMARY KEY (at, digest)
) STRICT, WITHOUT ROWID;

-- Sums of the events that retention has removed, up to and with `forgotten_through`.
CREATE TABLE forgotten_totals (
  post BLOB PRIMARY KEY NOT NULL,
  post_author BLOB NOT NULL,
  post_created_at INTEGER NOT NULL,
  shares INTEGER NOT NULL,
  impressions INTEGER NOT NULL,
  views INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE event_log (
  forgotten_through INTEGER NOT NULL  -- one row
) STRICT;
INSERT INTO event_log VALUES (0);
