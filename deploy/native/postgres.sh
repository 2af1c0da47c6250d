# PostgreSQL, Debian's: the truth of the graph. Sourced by ./cluster.
# shellcheck shell=bash

readonly kPostgresPrograms=/usr/lib/postgresql/15/bin
readonly kMigrationLock='DO $$ BEGIN PERFORM pg_advisory_xact_lock(1316373857, 0); END $$'

# PostgreSQL refuses to run as root; then it runs as the user that Debian made for it.
postgres_user=()
[ "$(id -u)" != 0 ] || postgres_user=(setpriv --reuid=postgres --regid=postgres --init-groups)

remember_postgres() {
  remember POSTGRES_HOST echo 127.0.0.1
  remember POSTGRES_PORT free_port
  remember POSTGRES_ADMIN_PASSWORD new_password
  remember POSTGRES_APP_PASSWORD new_password
  remember POSTGRES_CDC_PASSWORD new_password
}

# Made beside its place and moved there, so that half of one is never taken for whole.
make_postgres_data() {
  local data=$home/postgres.new password=$home/postgres.password
  [ ! -d "$home/postgres" ] || return 0
  rm -rf "$data"
  mkdir -m 700 "$data"
  (umask 077 && printf '%s\n' "$POSTGRES_ADMIN_PASSWORD" >"$password")
  if [ ${#postgres_user[@]} -gt 0 ]; then
    chown postgres: "$data" "$password"
    "${postgres_user[@]}" test -w "$data" ||
      fail "The user postgres, as whom PostgreSQL runs where root starts it, cannot reach $home: let everybody pass" \
        "through the folders above it (chmod o+x), give another one with --data, or start ./cluster as another user."
  fi
  "${postgres_user[@]}" "$kPostgresPrograms/initdb" --pgdata="$data" --username=postgres --encoding=UTF8 --locale=C \
    --auth=scram-sha-256 --pwfile="$password" >>"$logs/postgres.log" 2>&1 || {
    show_end_of_log postgres
    fail "PostgreSQL could not make its data in $data."
  }
  rm "$password"
  mv "$data" "$home/postgres"
}

start_postgres() {
  if ! is_running postgres; then
    make_postgres_data
    # From the sources at each start.
    install -m 644 "$kDeploy/postgres/postgresql.conf" "$kDeploy/postgres/pg_hba.conf" "$home/postgres/"
    spawn postgres "$POSTGRES_PORT" "${postgres_user[@]}" "$kPostgresPrograms/postgres" -D "$home/postgres" \
      -c listen_addresses=127.0.0.1 -c "port=$POSTGRES_PORT" -c unix_socket_directories=
  fi
  await postgres 60 ask_postgres postgres -c 'SELECT 1'
  prepare_database || fail "postgres: the database novafeed could not be prepared; above is why."
}

# ask_postgres DATABASE [ARGUMENT OF PSQL...], as the superuser; ask_as_owner [...], as who owns the graph. Passwords go by
# the environment.
ask_postgres() { PGPASSWORD=$POSTGRES_ADMIN_PASSWORD run_psql -U postgres -d "$@"; }
ask_as_owner() { PGPASSWORD=$POSTGRES_APP_PASSWORD run_psql -U novafeed -d novafeed "$@"; }

run_psql() {
  PGCONNECT_TIMEOUT=5 PGOPTIONS='-c client_min_messages=warning' \
    psql -X -q -A -t -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$POSTGRES_PORT" "$@"
}

prepare_database() {
  export POSTGRES_APP_PASSWORD POSTGRES_CDC_PASSWORD
  ask_postgres postgres -f "$kDeploy/postgres/roles.sql" >/dev/null &&
    migrate_postgres &&
    ask_postgres novafeed -f "$kDeploy/postgres/capture.sql" >/dev/null
}

# The numbered scripts of schema/postgres that the database lacks, each in a transaction of its own; as a program that opens
# the store does (adapters/postgres/migrations.cpp), and under its lock.
migrate_postgres() {
  local version file name number
  ask_as_owner --single-transaction -c "$kMigrationLock" -c 'CREATE SCHEMA IF NOT EXISTS novafeed' \
    -c 'CREATE TABLE IF NOT EXISTS novafeed.schema_migrations (
          number bigint PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())' || return 1
  version=$(ask_as_owner -c 'SELECT coalesce(max(number), 0) FROM schema_migrations') || return 1
  for file in "$kRoot"/schema/postgres/[0-9]*.sql; do
    name=$(basename "$file")
    number=$((10#${name%%_*}))
    [ "$number" -gt "$version" ] || continue
    ask_as_owner --single-transaction -c "$kMigrationLock" -f "$file" \
      -c "INSERT INTO schema_migrations (number, name) VALUES ($number, '$name')" || return 1
  done
}

stop_postgres() { signal postgres INT; }  # "fast": open transactions are taken back

where_postgres() { echo "postgresql://127.0.0.1:$POSTGRES_PORT/novafeed"; }

# Health of the slot, too: what it keeps of the WAL is disk.
check_postgres() {
  ask_postgres novafeed -c "SELECT concat_ws(', ', 'schema ' || (SELECT max(number) FROM novafeed.schema_migrations),
    (SELECT concat('slot ', slot_name, ' ', CASE WHEN active THEN 'read' ELSE 'not read' END, ', ', wal_status, ', keeps ',
      pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn))) FROM pg_replication_slots WHERE slot_name = 'novafeed'))"
}
