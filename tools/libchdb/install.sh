#!/usr/bin/env bash
# install.sh: fetches the ClickHouse engine (libchdb) into build/libchdb, once for all builds of this checkout; the next
# time it only looks whether the file is there. npm checks it against the hash in package-lock.json.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
home=$(readlink -m "$here/../../build/libchdb")
library=node_modules/@chdb/lib-linux-x64-gnu/libchdb.so

is_installed() { [ -f "$home/$library" ] && cmp -s "$here/package-lock.json" "$home/package-lock.json"; }

is_installed && exit 0
mkdir -p "$home"
exec 9>"$home.lock"
flock 9  # two builds at a time fetch it once
is_installed && exit 0

echo "Fetching the ClickHouse engine (180 MB; 570 MB on disk)" >&2
rm -rf "$home"
mkdir -p "$home"
cp "$here/package.json" "$home"
# The lock file stands for a complete installation, so it comes last under its own name.
cp "$here/package-lock.json" "$home/npm-shrinkwrap.json"
npm --prefix "$home" ci --omit=dev --prefer-offline --no-audit --no-fund --loglevel=error >&2
[ -f "$home/$library" ] || { echo "npm has brought no $library: is this x86-64 with glibc?" >&2; exit 1; }
cp "$here/package-lock.json" "$home"
