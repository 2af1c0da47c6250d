-- What change capture needs beside the schema; run by psql as a superuser, on the database novafeed, after the
-- migrations of schema/postgres, as often as one likes.
\set ON_ERROR_STOP on

-- One row that the connector writes every second. Its age where the log is read is the health of the whole way, and it
-- moves the slot on while the captured tables rest.
CREATE TABLE IF NOT EXISTS novafeed.cdc_heartbeat (
  id integer PRIMARY KEY CHECK (id = 1),
  beat timestamptz NOT NULL
);

GRANT USAGE ON SCHEMA novafeed TO cdc;
GRANT SELECT ON novafeed.users, novafeed.posts, novafeed.comments, novafeed.likes, novafeed.follows TO cdc;
GRANT SELECT ON novafeed.cdc_heartbeat TO cdc;
GRANT INSERT, UPDATE ON novafeed.cdc_heartbeat TO cdc;

-- Truncating has no rows to tell of, so it is not published; and not allowed.
REVOKE TRUNCATE ON novafeed.users, novafeed.posts, novafeed.comments, novafeed.likes, novafeed.follows FROM novafeed;

SELECT 'CREATE PUBLICATION novafeed WITH (publish = ''insert, update, delete'')'
WHERE NOT EXISTS (SELECT FROM pg_publication WHERE pubname = 'novafeed') \gexec
ALTER PUBLICATION novafeed
  SET TABLE novafeed.users, novafeed.posts, novafeed.comments, novafeed.likes, novafeed.follows, novafeed.cdc_heartbeat;
