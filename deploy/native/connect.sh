# Kafka Connect with Debezium: change capture from PostgreSQL into Kafka. Sourced by ./cluster.
# shellcheck shell=bash

readonly kConnector=nova-postgres-cdc
readonly kConnectorFile=$kDeploy/connectors/debezium-postgres-connector.json

# In cluster.env, CONNECT_KAFKA_PORT and CONNECT_POSTGRES_PORT say where Connect alone finds these two: the tests have a
# network there that fails.
remember_connect() { remember CONNECT_PORT free_port; }

write_connect_config() {
  {
    cat "$kDeploy/connect/connect-distributed.properties"
    cat <<TEXT
bootstrap.servers=127.0.0.1:${CONNECT_KAFKA_PORT:-$KAFKA_PORT}
listeners=http://127.0.0.1:$CONNECT_PORT
rest.advertised.host.name=127.0.0.1
rest.advertised.port=$CONNECT_PORT
plugin.path=$kJars/plugins
TEXT
  } >"$conf/connect.properties"
}

start_connect() {
  write_connect_config
  if ! is_running connect; then
    export POSTGRES_HOST POSTGRES_CDC_PASSWORD  # what the connector's ${env:...} stand for, with the port below
    set_java_command connect org.apache.kafka.connect.cli.ConnectDistributed "$conf/connect.properties"
    spawn connect "$CONNECT_PORT" \
      env "POSTGRES_PORT=${CONNECT_POSTGRES_PORT:-$POSTGRES_PORT}" "${java_command[@]}"
  fi
  await connect 120 ask_connect GET /connectors
  insist deploy_connector
  # The connector itself would try for half an hour, RUNNING.
  ! slot_is_lost || fail "connect: PostgreSQL has given up the connector's slot: ./cluster resnapshot takes a new one."
  case $(connector_state) in
    *STOPPED* | *PAUSED*) insist ask_connect PUT "/connectors/$kConnector/resume" ;;
    *FAILED*) insist ask_connect POST "/connectors/$kConnector/restart?includeTasks=true&onlyFailed=true" ;;
  esac
  await connect 90 check_connect
}

# Every row comes again, as a read, and changes from a new slot on. Rows that went while there was no slot send nothing.
resnapshot() {
  is_running connect || fail "connect does not run: ./cluster up starts it."
  insist ask_connect PUT "/connectors/$kConnector/stop"
  insist ask_connect DELETE "/connectors/$kConnector/offsets"
  insist drop_slot
  insist ask_connect PUT "/connectors/$kConnector/resume"
  await connect 90 check_connect
}

# ask_connect METHOD PATH [ARGUMENT OF CURL...]: the answer's body; fails where the status is no success.
ask_connect() {
  local method=$1 path=$2
  shift 2
  curl -sS --max-time 30 --fail-with-body -X "$method" "http://127.0.0.1:$CONNECT_PORT$path" "$@"
}

# insist COMMAND...: Connect refuses changes for a moment while its workers agree who does what, and a slot is read for
# a moment after its reader was stopped; so they are asked again.
insist() {
  local deadline=$((SECONDS + 60)) answer
  until answer=$("$@" 2>&1); do
    [ "$SECONDS" -lt "$deadline" ] || fail "connect: $* is refused:" "$answer"
    sleep 0.2
  done
}

deploy_connector() {
  local config
  if ! ask_connect GET "/connectors/$kConnector" >/dev/null 2>&1; then
    ask_connect POST /connectors -H 'Content-Type: application/json' -d "@$kConnectorFile"
  elif ! has_this_config; then
    config=$(/usr/bin/python3 -c 'import json, sys
print(json.dumps(json.load(sys.stdin)["config"]))' <"$kConnectorFile")
    ask_connect PUT "/connectors/$kConnector/config" -H 'Content-Type: application/json' -d "$config"
  fi
}

has_this_config() {
  ask_connect GET "/connectors/$kConnector/config" | /usr/bin/python3 -c 'import json, sys
held, (name, wanted) = json.load(sys.stdin), json.load(open(sys.argv[1])).values()
sys.exit(held != {**wanted, "name": name})' "$kConnectorFile"
}

# "connector RUNNING, task RUNNING"; of a failed task, the cause below.
connector_state() {
  local answer
  answer=$(ask_connect GET "/connectors/$kConnector/status" --max-time 5 2>&1) || { echo "$answer"; return 1; }
  /usr/bin/python3 -c 'import json, sys
status = json.load(sys.stdin)
tasks = [task["state"] for task in status["tasks"]] or ["none"]
print("connector", status["connector"]["state"] + ", task", " ".join(tasks))
for task in status["tasks"]:
    if task["state"] == "FAILED":
        print([line for line in task["trace"].splitlines() if not line.startswith("\t")][-1])' <<<"$answer"
}

heartbeat_age() { ask_kafka age cdc.cdc_heartbeat; }

stop_connect() { signal connect TERM; }

where_connect() { echo "http://127.0.0.1:$CONNECT_PORT/connectors/$kConnector"; }

# RUNNING alone says little: so it is while PostgreSQL is down. The beat went through PostgreSQL, Debezium and Kafka.
check_connect() {
  local state age
  state=$(connector_state) || { echo "$state"; return 1; }
  age=$(heartbeat_age 2>&1) || { echo "$state, no heartbeat: $age"; return 1; }
  echo "$state, heartbeat $age s old"
  [ "$state" = "connector RUNNING, task RUNNING" ] && [ "${age%.*}" -lt 10 ]
}
