# Redis, Debian's: the cache. Sourced by ./cluster.
# shellcheck shell=bash

remember_redis() {
  remember REDIS_PORT free_port
  remember REDIS_PASSWORD new_password
}

start_redis() {
  mkdir -p "$home/redis"
  # The password goes by a file of its own, which only the owner reads.
  (umask 077 && printf '%s\n' "include $kDeploy/redis/redis.conf" "bind 127.0.0.1" "port $REDIS_PORT" \
    "dir $home/redis" "requirepass $REDIS_PASSWORD" >"$conf/redis.conf")
  is_running redis || spawn redis "$REDIS_PORT" redis-server "$conf/redis.conf"
  await redis 20 check_redis
}

ask_redis() { REDISCLI_AUTH=$REDIS_PASSWORD timeout 5 redis-cli -h 127.0.0.1 -p "$REDIS_PORT" "$@"; }

stop_redis() { signal redis TERM; }

where_redis() { echo "redis://127.0.0.1:$REDIS_PORT"; }

check_redis() {
  [ "$(ask_redis PING)" = PONG ] && echo "$(ask_redis DBSIZE) keys"
}
