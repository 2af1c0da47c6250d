-- Users who were purged, as long as Kafka may still name them: what of them is read there gets the pseudonym. The id is
-- a digest (graph/retired.h). Numbers ascend in the order of commits, and are not used again. Not captured.
CREATE TABLE purged (
  number bigint PRIMARY KEY,
  digest uuid NOT NULL UNIQUE,
  pseudonym uuid NOT NULL,
  changes bigint NOT NULL,         -- a place in the write-ahead log behind which no row names the user
  purged_at timestamptz NOT NULL
);
