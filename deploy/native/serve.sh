# `novafeed serve`: the nodes, and what they are told of this cluster. Sourced by ./cluster.
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

# --- node1, node2 ----------------------------------------------------------------------------------------------------

remember_node1() {
  remember NODE1_PORT free_port
  remember_demo
}

remember_node2() {
  remember NODE2_PORT free_port
  remember_demo
}

# DEMO: live, still or no. What is asked for counts from a node's next start.
remember_demo() {
  if [ -n "$demo" ] && [ "${DEMO:-$demo}" != "$demo" ]; then
    sed -i '/^DEMO=/d' "$remembered"
    DEMO=
  fi
  remember DEMO echo "${demo:-live}"
}

# How a node is served that starts now.
demo_flags() {
  case $DEMO in
    live) if [ "$1" = node1 ]; then echo "--demo --live"; else echo "--demo"; fi ;;  # one set of people for all
    still) echo "--demo" ;;
  esac
}

# How the process of a node was told to serve, which may have been before DEMO changed.
running_demo_flags() { tr '\0' '\n' <"/proc/$(pid_of "$1")/cmdline" | grep -x -e --demo -e --live | paste -s -d ' '; }

start_node() {
  local node=$1 port=$2 flags
  [ -f "$conf/serve.toml" ] || fail "$node needs all other parts once: ./cluster up starts them."
  read -ra flags <<<"$(demo_flags "$node")"
  if [ "$node" = node1 ] && [ "$DEMO" != no ] && [ ! -d "$home/node1" ]; then
    say "node1 fills the graph with the demo network, this once ..."
  fi
  # What it prints is for people, and a demo's has a token in it; its log is standard error.
  # shellcheck disable=SC2016  # parameters of sh -c, not of this script
  is_running "$node" || spawn "$node" "$port" sh -c 'exec "$@" >/dev/null' sh "$(olap_program)" serve \
    --config "$conf/serve.toml" --data "$home/$node" --listen "127.0.0.1:$port" ${flags[@]+"${flags[@]}"}
  await "$node" 300 "check_$node"
}

check_node() { curl -sS --max-time 5 --fail -o /dev/null "$1readyz" && echo "answers"; }

# Another one at each start; without a slash at its end, as in serve.json.
admin_url() { grep -o '"admin_url":"[^"]*' "$home/$1/serve.json" | cut -d '"' -f 4; }

start_node1() { start_node node1 "$NODE1_PORT"; }
start_node2() { start_node node2 "$NODE2_PORT"; }
stop_node1() { signal node1 TERM; }
stop_node2() { signal node2 TERM; }
where_node1() { echo "http://127.0.0.1:$NODE1_PORT/"; }
where_node2() { echo "http://127.0.0.1:$NODE2_PORT/"; }
check_node1() { check_node "$(where_node1)"; }
check_node2() { check_node "$(where_node2)"; }

# Of --no-demo, --no-live and --live, where nodes run that were started otherwise.
say_what_waits() {
  local node option late=()
  for node in "${kNodes[@]}"; do
    is_chosen "$node" || continue
    [ "$(running_demo_flags "$node")" = "$(demo_flags "$node")" ] || late+=("$node")
  done
  [ ${#late[@]} -gt 0 ] || return 0
  case $DEMO in
    live) option=--live ;;
    still) option=--no-live ;;
    no) option=--no-demo ;;
  esac
  say "$option counts from the next start (./cluster down, then ./cluster up): ${late[*]} ran already, and what runs" \
    "goes on as it was started."
}

# What to do next.
show_the_way() {
  if [ -z "$(running_demo_flags node1)" ]; then
    say "It is for your own data. A token for $(where_node1):" \
      "$(olap_program) token --data $home/node1 --user ID [--scope user|service|admin]"
  else
    say "Open $(where_node1) in a browser, and choose a viewer. What is done there shows at $(where_node2), too."
  fi
}
