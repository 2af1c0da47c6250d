-- Suggested users whom somebody does not want to see again. Only serving reads them, so they are no part of the change log.

CREATE TABLE dismissals (
  user BLOB NOT NULL,
  dismissed BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (user, dismissed)
) STRICT, WITHOUT ROWID;
-- Erasing a user takes them out on both sides.
CREATE INDEX dismissals_of ON dismissals (dismissed);
