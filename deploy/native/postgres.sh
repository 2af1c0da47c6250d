# PostgreSQL, Debian's: the truth of the graph. Sourced by ./cluster.
# shellcheck shell=bash

readonly kPostgresPrograms=/usr/lib/postgresql/15/bin

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
  if [ ${#postgres_user[@]} -gt 0 ]; then
    chown postgres: "$data"
    "${postgres_user[@]}" test -w "$data" ||
      fail "The user postgres, as whom PostgreSQL runs where root starts it, cannot reach $home: let everybody pass" \
        "through the folders above it (chmod o+x), give another one with --data, or start ./cluster as another user."
  fi
  (umask 077 && printf '%s\n' "$POSTGRES_ADMIN_PASSWORD" >"$password")
  [ ${#postgres_user[@]} = 0 ] || chown postgres: "$password"
  "${postgres_user[@]}" "$kPostgresPrograms/initdb" --pgdata="$data" --username=postgres --encoding=UTF8 --locale=C \
    --data-checksums --auth=scram-sha-256 --pwfile="$password" >>"$logs/postgres.log" 2>&1 || {
    rm "$password"
    show_end_of_log postgres
    fail "PostgreSQL could not make its data in $data."
  }
  rm "$password"
  mv "$data" "$home/postgres"
}

start_postgres() {
  if ! is_running postgres; then
    make_postgres_data
    clear_dead_server
    # From the sources at each start.
    install -m 644 "$kDeploy/postgres/postgresql.conf" "$kDeploy/postgres/pg_hba.conf" "$home/postgres/"
    spawn postgres "$POSTGRES_PORT" "${postgres_user[@]}" "$kPostgresPrograms/postgres" -D "$home/postgres" \
      -c listen_addresses=127.0.0.1 -c "port=$POSTGRES_PORT" -c unix_socket_directories=
  fi
  await postgres 60 ask_postgres postgres -c 'SELECT 1'
  export POSTGRES_APP_PASSWORD POSTGRES_CDC_PASSWORD
  as_superuser "$kDeploy/postgres/prepare.sh" >/dev/null ||
    fail "postgres: the database novafeed could not be made ready; above is why."
}

# After a kill, children of the dead server are there for a moment, and PostgreSQL starts neither beside them nor beside
# a dead process of the server's number that nobody has waited for yet (in a container, that may be long).
clear_dead_server() {
  local deadline=$((SECONDS + 20))
  [ -f "$home/postgres/postmaster.pid" ] || return 0
  while works_in "$home/postgres"; do
    [ "$SECONDS" -lt "$deadline" ] || fail "postgres: a server that this cluster does not know works in $home/postgres."
    sleep 0.1
  done
  rm -f "$home/postgres/postmaster.pid"
}

# Whether any process does. The dead have no working directory. find fails at those that end meanwhile, or are others'.
works_in() { grep -qxF -- "$1" < <(find /proc -maxdepth 2 -path '/proc/[0-9]*/cwd' -printf '%l\n' 2>/dev/null); }

# ask_postgres DATABASE [ARGUMENT OF PSQL...], as the superuser. Passwords go by the environment.
ask_postgres() { as_superuser psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$@"; }

as_superuser() {
  PGHOST=127.0.0.1 PGPORT=$POSTGRES_PORT PGUSER=postgres PGPASSWORD=$POSTGRES_ADMIN_PASSWORD PGCONNECT_TIMEOUT=5 "$@"
}

stop_postgres() { signal postgres INT; }  # "fast": open transactions are taken back

where_postgres() { echo "postgresql://127.0.0.1:$POSTGRES_PORT/novafeed"; }

check_postgres() {
  ask_postgres novafeed -c "SELECT concat_ws(', ', 'schema ' || (SELECT max(number) FROM novafeed.schema_migrations),
    (SELECT CASE WHEN wal_status = 'lost' THEN 'slot novafeed is lost: ./cluster resnapshot takes a new one'
       ELSE concat('slot novafeed ', CASE WHEN active THEN 'read' ELSE 'not read' END, ', keeps ',
         pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)), ' of WAL') END
     FROM pg_replication_slots WHERE slot_name = 'novafeed'))" && ! slot_is_lost
}

# PostgreSQL gives up a slot that keeps more WAL than it may.
slot_is_lost() {
  [ "$(ask_postgres novafeed -c "SELECT wal_status FROM pg_replication_slots WHERE slot_name = 'novafeed'")" = lost ]
}

# Fails while somebody reads it.
drop_slot() {
  ask_postgres novafeed -c "SELECT pg_drop_replication_slot(slot_name)
    FROM pg_replication_slots WHERE slot_name = 'novafeed'"
}
