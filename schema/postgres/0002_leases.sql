-- Who does what only one process may do at a time (graph/leases.h), by this server's clock. Not captured: no publication
-- has it.
CREATE TABLE leases (
  name text COLLATE "C" PRIMARY KEY,
  holder text COLLATE "C" NOT NULL,
  expires_at timestamptz NOT NULL
);
