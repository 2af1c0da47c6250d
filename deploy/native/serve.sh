# What `novafeed serve` is told of this cluster. Sourced by ./cluster.
# shellcheck shell=bash

# conf/serve.toml, for serve --config, and the passwords beside it. Only where all parts of the cluster are there.
write_serve_settings() {
  local part
  for part in POSTGRES REDIS KAFKA OLAP; do
    local port=${part}_PORT
    [ -n "${!port:-}" ] || return 0
  done
  mkdir -p "$home/keys"
  chmod 700 "$home/keys"
  (
    umask 077
    printf '%s\n' "$POSTGRES_APP_PASSWORD" >"$conf/graph.password"
    printf '%s\n' "$REDIS_PASSWORD" >"$conf/cache.password"
    olap_password novafeed >"$conf/olap.password"
    olap_password reader >"$conf/olap-reader.password"
    cat >"$conf/serve.toml" <<TEXT
# Made by ./cluster up. Each process that serves has a --data folder of its own, and a --listen address.
graph.url = "postgresql://novafeed@127.0.0.1:$POSTGRES_PORT/novafeed"
graph.password_file = "$conf/graph.password"
log.url = "$(where_kafka)"
cache.url = "redis://default@127.0.0.1:$REDIS_PORT/0"
cache.password_file = "$conf/cache.password"
olap.url = "$(where_olap)"
olap.password_file = "$conf/olap.password"
olap.reader_password_file = "$conf/olap-reader.password"
keys.directory = "$home/keys"
TEXT
  )
}
