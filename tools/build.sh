#!/usr/bin/env bash
# build.sh: installs what building needs, fetches the ClickHouse engine and builds ./novafeed; for ./run and ./cluster.
set -euo pipefail
root=$(dirname "$(readlink -f "$0")")/..
root=$(readlink -f "$root")
source "$root/tools/packages.sh"

ensure_packages "${kBuildPackages[@]}"
"$root/tools/libchdb/install.sh" || echo "Going on without the ClickHouse engine (warehouse.engine)." >&2
# A build directory that ./test has set up stays as it is: the same objects serve both.
[ -f "$root/build/release/build.ninja" ] || (cd "$root" && cmake --preset release -DNOVAFEED_TESTS=OFF)
ninja -C "$root/build/release" novafeed
ln -sfn build/release/novafeed "$root/novafeed"
