-- The truth of the social graph. Rules (who may, what exists) live in graph/commands; here are rows. The five captured
-- tables (users, posts, comments, likes, follows) have the columns, their order and the types of capture/envelope.cpp:
-- Debezium renders a uuid as its text, a timestamptz as RFC 3339 with six digits and Z, a bigint as a number. With
-- REPLICA IDENTITY FULL an update or delete carries the whole row that was there.
--
-- No foreign keys: an erased user's rows go in later transactions than the user, and rows on deleted posts stay. What
-- holds in their place are the row locks of the transactions (adapters/postgres/graph_transaction.h).

CREATE TABLE data_set (
  generation text NOT NULL  -- one row: names this data set, part of every position
);
INSERT INTO data_set (generation) VALUES (replace(gen_random_uuid()::text, '-', ''));

-- Of likes, comments and follows together. No CACHE: a later life of a row has the greater number, whoever writes it.
CREATE SEQUENCE incarnations AS bigint;

CREATE TABLE users (
  id uuid PRIMARY KEY,
  external_id text,
  handle text COLLATE "C" NOT NULL UNIQUE,
  name text NOT NULL,
  created_at timestamptz NOT NULL CHECK (isfinite(created_at))
);
ALTER TABLE users REPLICA IDENTITY FULL;

CREATE TABLE posts (
  id uuid PRIMARY KEY,
  external_id text,
  author_id uuid NOT NULL,
  text text NOT NULL,
  created_at timestamptz NOT NULL CHECK (isfinite(created_at)),
  deleted_at timestamptz CHECK (isfinite(deleted_at))
);
ALTER TABLE posts REPLICA IDENTITY FULL;
CREATE INDEX posts_of_author ON posts (author_id, created_at DESC, id) WHERE deleted_at IS NULL;

CREATE TABLE comments (
  id uuid PRIMARY KEY,
  external_id text,
  post_id uuid NOT NULL,
  user_id uuid NOT NULL,
  post_author_id uuid NOT NULL,
  post_created_at timestamptz NOT NULL CHECK (isfinite(post_created_at)),
  text text NOT NULL,
  created_at timestamptz NOT NULL CHECK (isfinite(created_at)),
  incarnation bigint NOT NULL DEFAULT nextval('incarnations')
);
ALTER TABLE comments REPLICA IDENTITY FULL;
CREATE INDEX comments_on_post ON comments (post_id, created_at DESC, id);
CREATE INDEX comments_of_user ON comments (user_id);

CREATE TABLE likes (
  user_id uuid NOT NULL,
  post_id uuid NOT NULL,
  post_author_id uuid NOT NULL,
  post_created_at timestamptz NOT NULL CHECK (isfinite(post_created_at)),
  created_at timestamptz NOT NULL CHECK (isfinite(created_at)),
  incarnation bigint NOT NULL DEFAULT nextval('incarnations'),
  PRIMARY KEY (user_id, post_id)
);
ALTER TABLE likes REPLICA IDENTITY FULL;

CREATE TABLE follows (
  follower_id uuid NOT NULL,
  following_id uuid NOT NULL,
  created_at timestamptz NOT NULL CHECK (isfinite(created_at)),
  incarnation bigint NOT NULL DEFAULT nextval('incarnations'),
  PRIMARY KEY (follower_id, following_id)
);
ALTER TABLE follows REPLICA IDENTITY FULL;
CREATE INDEX follows_from ON follows (follower_id, created_at DESC, following_id);
CREATE INDEX follows_to ON follows (following_id, created_at DESC, follower_id);

-- Copies of like and unlike events on their way to the event log.
CREATE TABLE outbox (
  sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id uuid NOT NULL,
  type smallint NOT NULL,
  post_id uuid NOT NULL,
  at timestamptz NOT NULL,
  event_id uuid NOT NULL,
  post_author_id uuid NOT NULL,
  post_created_at timestamptz NOT NULL
);

-- Like and unlike events that were applied. `at` leads, so that new ones land side by side.
CREATE TABLE event_identities (
  at timestamptz NOT NULL,
  digest uuid NOT NULL,
  PRIMARY KEY (at, digest)
);

-- Ids that are never accepted again, as digests (graph/retired.h).
CREATE TABLE retired_ids (
  kind smallint NOT NULL,
  digest uuid NOT NULL,
  PRIMARY KEY (kind, digest)
);

-- Who is being erased, until the purge is done with them.
CREATE TABLE erasures (
  user_id uuid PRIMARY KEY,
  pseudonym uuid NOT NULL,       -- stands for the user in what stays
  erased_at timestamptz NOT NULL,
  removed boolean NOT NULL       -- their posts, comments, likes and follows are gone
);

-- Suggested users whom somebody does not want to see again. Only serving reads them: they are not captured.
CREATE TABLE dismissals (
  user_id uuid NOT NULL,
  dismissed_id uuid NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, dismissed_id)
);
CREATE INDEX dismissals_of ON dismissals (dismissed_id);

CREATE TABLE facts (
  key text COLLATE "C" PRIMARY KEY,
  value bytea NOT NULL
);
