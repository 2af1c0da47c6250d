#!/usr/bin/env bash
# prepare.sh: makes a PostgreSQL server ready: roles and database, the schema of schema/postgres, what change capture
# needs. As often as you like; it changes only what is missing. Who to be and where, by the environment, as for psql:
#   PGHOST, PGPORT, PGUSER, PGPASSWORD          a superuser
#   POSTGRES_APP_PASSWORD, POSTGRES_CDC_PASSWORD  what the roles novafeed and cdc get
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
scripts=$here/../../schema/postgres

export PGCONNECT_TIMEOUT=5 PGOPTIONS='-c client_min_messages=warning'

psql_on() { psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$@"; }
as_owner() { PGUSER=novafeed PGPASSWORD=$POSTGRES_APP_PASSWORD psql_on novafeed "$@"; }

# The numbered scripts that the database lacks, each in a transaction of its own, as who opens the store does it.
migrate() {
  local file name
  for file in "$scripts"/[0-9]*.sql; do
    name=$(basename "$file")
    as_owner --single-transaction -v file="$file" -v name="$name" -v number=$((10#${name%%_*})) -f "$here/migration.sql"
  done
}

psql_on postgres -f "$here/roles.sql"
migrate
psql_on novafeed -f "$here/capture.sql"
