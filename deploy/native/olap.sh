# `novafeed olap`: the ClickHouse node. Sourced by ./cluster.
# shellcheck shell=bash

remember_olap() { remember OLAP_PORT free_port; }

olap_program() { echo "${NOVAFEED_BINARY:-$kRoot/novafeed}"; }

start_olap() {
  is_running olap ||
    spawn olap "$OLAP_PORT" "$(olap_program)" olap --data "$home/olap" --listen "127.0.0.1:$OLAP_PORT"
  await olap 60 check_olap
}

# Of one of its users, novafeed and reader; the program makes it at its first start.
olap_password() { grep -o "\"$1\":\"[^\"]*" "$home/olap/olap.json" | cut -d '"' -f 4; }

stop_olap() { signal olap TERM; }

where_olap() { echo "http://127.0.0.1:$OLAP_PORT"; }

check_olap() { [ "$(curl -sS --max-time 5 "http://127.0.0.1:$OLAP_PORT/ping")" = Ok. ] && echo "answers"; }
