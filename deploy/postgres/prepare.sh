#!/usr/bin/env bash
# prepare.sh: makes a PostgreSQL server ready: roles and database, the schema of schema/postgres, what change capture
# needs. As often as you like; it changes only what is missing. Who to be and where, by the environment, as for psql:
#   PGHOST, PGPORT, PGUSER, PGPASSWORD          a superuser
#   POSTGRES_APP_PASSWORD, POSTGRES_CDC_PASSWORD  what the roles novafeed and cdc get
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
scripts=$here/../../schema/postgres
lock='DO $$ BEGIN PERFORM pg_advisory_xact_lock(1316373857, 0); END $$'  # as adapters/postgres/migrations.cpp

export PGCONNECT_TIMEOUT=5 PGOPTIONS='-c client_min_messages=warning'

psql_on() { psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$@"; }
as_owner() { PGUSER=novafeed PGPASSWORD=$POSTGRES_APP_PASSWORD psql_on novafeed "$@"; }

# The numbered scripts that the database lacks, each in a transaction of its own, as who opens the store does it.
migrate() {
  local version file name number
  as_owner --single-transaction -c "$lock" -c 'CREATE SCHEMA IF NOT EXISTS novafeed' \
    -c 'CREATE TABLE IF NOT EXISTS novafeed.schema_migrations (
          number bigint PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())'
  version=$(as_owner -c 'SELECT coalesce(max(number), 0) FROM schema_migrations')
  for file in "$scripts"/[0-9]*.sql; do
    name=$(basename "$file")
    number=$((10#${name%%_*}))
    [ "$number" -gt "$version" ] || continue
    as_owner --single-transaction -c "$lock" -f "$file" \
      -c "INSERT INTO schema_migrations (number, name) VALUES ($number, '$name')"
  done
}

psql_on postgres -f "$here/roles.sql"
migrate
psql_on novafeed -f "$here/capture.sql"
