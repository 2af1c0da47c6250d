# What Novafeed needs from Debian 12, in one place; sourced by the scripts of the root. Installs only what is missing.
# shellcheck shell=bash

readonly kBuildPackages=(
  clang-19 mold ninja-build cmake ccache pkg-config git ca-certificates
  libboost1.81-dev libboost-json1.81-dev libboost-url1.81-dev
  libsqlite3-dev libpq-dev libssl-dev zlib1g-dev libzstd-dev
  libspdlog-dev prometheus-cpp-dev libcli11-dev libtomlplusplus-dev libexpected-dev libhiredis-dev
  librdkafka-dev
  nodejs npm
)

# On top of the build packages. procps: the tests look at processes; fonts: chromium draws text with them; redis-server,
# postgresql: the tests start their own on free ports and sockets (where Redis also starts as a service, that one is left
# alone); openssl: keys for tests of TLS.
readonly kTestPackages=(
  clang-tidy-19 clang-format-19 libclang-rt-19-dev llvm-19
  libgtest-dev libgmock-dev
  python3 python3-pytest python3-venv zstd curl procps chromium fonts-dejavu-core
  postgresql-15 redis-server openssl
)

# The engines of the cluster profile, for ./cluster and its tests. maven fetches the jars of deploy/jars.
readonly kClusterPackages=(
  postgresql-15 postgresql-client-15 redis-server openjdk-17-jre-headless maven
  python3 python3-confluent-kafka curl util-linux procps
)

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "Packages are missing: run this once as root, or install sudo." >&2
    return 1
  fi
}

# Of the packages named, those that are not installed; one question to dpkg for all.
missing_packages() {
  local installed
  installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p') || true
  installed+=$'\n'$(node_packages_that_work)
  comm -23 <(printf '%s\n' "$@" | sort -u) <(sort -u <<<"$installed")
}

# Node is asked for by its commands: another vendor's nodejs brings its own npm, and Debian's cannot stand beside it.
node_packages_that_work() {
  ! command -v node >/dev/null || echo nodejs
  ! command -v npm >/dev/null || echo npm
}

# Debian's PostgreSQL would start a server for everybody when it is installed. Nobody here uses that one.
keep_postgres_from_starting() {
  local settings=/etc/postgresql-common/createcluster.conf
  [ ! -e "$settings" ] || return 0
  as_root mkdir -p "${settings%/*}"
  echo 'create_main_cluster = false' | as_root tee "$settings" >/dev/null
}

# ensure_packages NAME...: installs those that lack. Without any, no network and next to no time is used.
ensure_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0

  echo "Installing ${#missing[@]} packages: ${missing[*]}" >&2
  [[ " ${missing[*]} " != *" postgresql-"* ]] || keep_postgres_from_starting
  as_root apt-get update -q >&2
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >&2
}
