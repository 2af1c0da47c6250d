-- Shares of the events that retention has removed, as interactions of one user with one author on one UTC day (days
-- since 1970): what the counters of 90 days need of them. Those of days that no window reaches any more are dropped.
CREATE TABLE forgotten_interactions (
  day INTEGER NOT NULL,  -- leads: days go whole
  user BLOB NOT NULL,
  author BLOB NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (day, user, author)
) STRICT, WITHOUT ROWID;
