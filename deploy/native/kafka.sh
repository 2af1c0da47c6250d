# Kafka: the log. One broker that is its own controller. Sourced by ./cluster.
# shellcheck shell=bash

remember_kafka() {
  remember KAFKA_PORT free_port
  remember KAFKA_CONTROLLER_PORT free_port
  remember KAFKA_CLUSTER_ID new_cluster_id
}

# 16 bytes in the alphabet of URLs; Kafka's tools take a leading "-" for a flag.
new_cluster_id() { head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=' | sed 's/^-/A/'; }

kafka_brokers() { echo "127.0.0.1:$KAFKA_PORT"; }

# A listener tells its clients where to come back to. So whoever reaches the broker by another way than its own port needs
# a listener of its own: KAFKA_LISTENERS in cluster.env, NAME=PORT=ADVERTISED_PORT for each.
write_kafka_config() {
  local listener name port advertised listeners= addresses= protocols=
  for listener in ${KAFKA_LISTENERS:-}; do
    IFS== read -r name port advertised <<<"$listener"
    listeners+=,$name://127.0.0.1:$port
    addresses+=,$name://127.0.0.1:$advertised
    protocols+=,$name:PLAINTEXT
  done
  {
    cat "$kDeploy/kafka/server.properties"
    cat <<TEXT
listeners=PLAINTEXT://127.0.0.1:$KAFKA_PORT,CONTROLLER://127.0.0.1:$KAFKA_CONTROLLER_PORT$listeners
advertised.listeners=PLAINTEXT://127.0.0.1:$KAFKA_PORT$addresses
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT$protocols
controller.quorum.voters=1@127.0.0.1:$KAFKA_CONTROLLER_PORT
log.dirs=$home/kafka
TEXT
  } >"$conf/kafka.properties"
}

format_kafka() {
  [ ! -f "$home/kafka/meta.properties" ] || return 0
  set_java_command format kafka.tools.StorageTool format --cluster-id "$KAFKA_CLUSTER_ID" \
    --config "$conf/kafka.properties"
  "${java_command[@]}" >>"$logs/kafka.log" 2>&1 || {
    show_end_of_log kafka
    fail "Kafka could not make its data in $home/kafka."
  }
}

start_kafka() {
  write_kafka_config
  if ! is_running kafka; then
    format_kafka
    set_java_command kafka kafka.Kafka "$conf/kafka.properties"
    spawn kafka "$KAFKA_PORT" "${java_command[@]}"
  fi
  await kafka 90 port_is_taken "$KAFKA_PORT"
  ask_kafka topics "$kDeploy/kafka/topics.toml" || fail "kafka: the topics could not be made; above is why."
}

# ask_kafka COMMAND ARGUMENT: see kafka.py. Debian's python, which has Debian's confluent_kafka.
ask_kafka() { /usr/bin/python3 -B "$kDeploy/kafka/kafka.py" "$1" "$(kafka_brokers)" "$2"; }

stop_kafka() { signal kafka TERM; }

where_kafka() { echo "kafka://$(kafka_brokers)"; }

check_kafka() { ask_kafka check "$kDeploy/kafka/topics.toml"; }
