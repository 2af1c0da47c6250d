-- Erased ids are kept as digests (graph/retired.h), so that no file holds what was erased; and who is being erased, until
-- the purge is done with them.

CREATE TABLE retired_digests (
  kind INTEGER NOT NULL,
  digest BLOB NOT NULL,
  PRIMARY KEY (kind, digest)
) STRICT, WITHOUT ROWID;
INSERT INTO retired_digests (kind, digest) SELECT kind, retired_digest(kind, id) FROM retired_ids;

CREATE TABLE erasures (
  user BLOB PRIMARY KEY NOT NULL,
  pseudonym BLOB NOT NULL,        -- stands for the user in what stays
  erased_at INTEGER NOT NULL,
  removed INTEGER NOT NULL        -- 1: their posts, comments, likes and follows are gone
) STRICT, WITHOUT ROWID;
-- Whoever was erased before there was a purge: it is due.
INSERT INTO erasures (user, pseudonym, erased_at, removed) SELECT id, randomblob(16), 0, 1 FROM retired_ids WHERE kind = 1;

DROP TABLE retired_ids;
ALTER TABLE retired_digests RENAME TO retired_ids;
