-- One numbered script of schema/postgres, where the database lacks it; run by psql in a single transaction, as the role
-- novafeed, on the database novafeed. Variables: file, name and number of the script.
\set ON_ERROR_STOP on

-- Whoever changes the schema takes this lock first (adapters/postgres/migrations.cpp, too), so that what is read below
-- stays true until the commit.
DO $$ BEGIN PERFORM pg_advisory_xact_lock(1316373857, 0); END $$;

CREATE SCHEMA IF NOT EXISTS novafeed;
CREATE TABLE IF NOT EXISTS novafeed.schema_migrations (
  number bigint PRIMARY KEY,
  name text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
);

SELECT :number > coalesce(max(number), 0) AS is_missing FROM novafeed.schema_migrations \gset
\if :is_missing
  \i :file
  INSERT INTO novafeed.schema_migrations (number, name) VALUES (:number, :'name');
\endif
