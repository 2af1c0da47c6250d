# What the parts of ./cluster share: the folder, what is remembered in it, processes. Sourced by ./cluster.
# shellcheck shell=bash

# Sets, for everything that follows, the folders of the cluster in DIR. The passwords stand in cluster.env alone.
open_home() {
  home=$(readlink -m "$1")
  remembered=$home/cluster.env
  logs=$home/logs
  run=$home/run
  conf=$home/conf
}

make_home() {
  if ! mkdir -p "$home" "$logs" "$run" "$conf"; then
    fail "$home cannot be made: give another folder with --data."
  fi
  [ -w "$home" ] || fail "$home may not be written: give another folder with --data, or run ./cluster as its owner."
  chmod 700 "$conf" "$run"
}

# One command at a time changes a cluster. The processes that it starts do not inherit descriptor 9.
lock_home() {
  exec 9>"$home/lock"
  flock -n 9 && return
  echo "Waiting for another ./cluster on $home ..." >&2
  flock 9
}

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "$@"
  exit 1
}

# --- What is remembered: ports, passwords, as NAME=value -------------------------------------------------------------

# shellcheck disable=SC1090
recall() { [ ! -f "$remembered" ] || source "$remembered"; }

# remember NAME COMMAND...: the value of this name, which the command makes where there is none yet.
remember() {
  local name=$1 value
  shift
  [ -z "${!name:-}" ] || return 0
  value=$("$@")
  (umask 077 && printf '%s=%s\n' "$name" "$value" >>"$remembered")
  printf -v "$name" '%s' "$value"
}

new_password() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

# Below what the system gives to outgoing connections, so that nothing else takes it by chance.
free_port() {
  local port
  for _ in $(seq 200); do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    if ! port_is_taken "$port" && ! grep -qs "_PORT=$port\$" "$remembered"; then
      echo "$port"
      return
    fi
  done
  fail "There is no free port between 20000 and 32000."
}

port_is_taken() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# --- Processes -------------------------------------------------------------------------------------------------------

# A process is known by its number and the time it began: numbers are used again.
began() { cut -d ')' -f 2- "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 21; }

pid_of() { cut -d ' ' -f 1 "$run/$1.pid"; }

was_started() { [ -f "$run/$1.pid" ]; }

is_running() {
  local pid start
  read -r pid start 2>/dev/null <"$run/$1.pid" || return 1
  [ -n "$start" ] && [ "$(began "$pid")" = "$start" ] && ! is_zombie "$pid"
}

is_zombie() { grep -qs '^State:[[:space:]]*Z' "/proc/$1/status"; }

# spawn PART PORT COMMAND...: starts the process of a part in a session of its own; its output goes to its log.
spawn() {
  local part=$1 port=$2 pid
  shift 2
  if port_is_taken "$port"; then
    fail "$part: port $port, which this cluster remembers, is taken by another program. End that program, or remove" \
      "the line with $port from $remembered: then another one is chosen."
  fi
  printf -- '--- started %s\n' "$(date -u +%FT%TZ)" >>"$logs/$part.log"
  setsid "$@" </dev/null >>"$logs/$part.log" 2>&1 9>&- &
  pid=$!
  printf '%s %s\n' "$pid" "$(began "$pid")" >"$run/$part.pid"
}

readonly kSilentSeconds=10  # whoever waits longer for a part is told that it is waited for

# await PART SECONDS COMMAND...: until the command succeeds. Fails with the end of the log where the process ends first.
await() {
  local part=$1 seconds=$2 begin=$SECONDS deadline notice
  shift 2
  deadline=$((begin + seconds))
  notice=$((begin + kSilentSeconds))
  until "$@" >/dev/null 2>&1; do
    if ! is_running "$part"; then
      show_end_of_log "$part"
      fail "$part ended while it started; above is the end of $logs/$part.log."
    fi
    if [ "$SECONDS" -ge "$deadline" ]; then
      show_end_of_log "$part"
      fail "$part is not well after $seconds s ($("check_$part" 2>&1)); above is the end of $logs/$part.log."
    fi
    if [ "$SECONDS" -ge "$notice" ]; then
      say "$part is not ready after $((SECONDS - begin)) s; it may take up to $seconds s (log: $logs/$part.log) ..."
      notice=$((SECONDS + kSilentSeconds))
    fi
    sleep 0.1
  done
}

show_end_of_log() { tail -n 15 "$logs/$1.log" >&2 || true; }

# signal PART NAME
signal() { ! is_running "$1" || kill -s "$2" "$(pid_of "$1")" 2>/dev/null || true; }

# await_end PART SECONDS: until the process is gone; kills it where it takes longer.
await_end() {
  local deadline=$((SECONDS + $2))
  while is_running "$1"; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      say "$1 does not end by itself within $2 s: it is killed."
      signal "$1" KILL
      deadline=$((SECONDS + 10))
    fi
    sleep 0.05
  done
  rm -f "$run/$1.pid"
}
