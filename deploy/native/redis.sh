# Redis, Debian's: the cache. Sourced by ./cluster.
# shellcheck shell=bash

remember_redis() {
  remember REDIS_PORT free_port
  remember REDIS_PASSWORD new_password
}

# The password goes by a file of its own, which only the owner reads.
write_redis_config() {
  (umask 077 && {
    cat "$kDeploy/redis/redis.conf"
    cat <<TEXT
bind 127.0.0.1
port $REDIS_PORT
dir $(redis_text "$home/redis")
requirepass $REDIS_PASSWORD
TEXT
  } >"$conf/redis.conf")
}

# In quotes, as Redis reads it, whatever stands in it.
redis_text() {
  local text=${1//\\/\\\\}
  printf '"%s"' "${text//\"/\\\"}"
}

start_redis() {
  mkdir -p "$home/redis"
  write_redis_config
  # By standard input: in the name of a file, Redis takes [, * and ? for a pattern.
  # shellcheck disable=SC2016  # parameters of sh -c, not of this script
  is_running redis || spawn redis "$REDIS_PORT" sh -c 'exec redis-server - <"$1"' sh "$conf/redis.conf"
  await redis 20 check_redis
}

ask_redis() { REDISCLI_AUTH=$REDIS_PASSWORD timeout 5 redis-cli -h 127.0.0.1 -p "$REDIS_PORT" "$@"; }

stop_redis() { signal redis TERM; }

where_redis() { echo "redis://127.0.0.1:$REDIS_PORT"; }

check_redis() {
  [ "$(ask_redis PING)" = PONG ] && echo "$(ask_redis DBSIZE) keys"
}
