#!/usr/bin/env bash
# run.sh [PART OF A NAME]: tests the web page in a real browser, on demo servers of its own (NOVAFEED_BINARY, else
# build/release/novafeed); only the tests with that in their name, where it is given. Prints "PASS name" or "FAIL name" for
# each test; what went wrong goes to standard error. Exit status 1 where something failed. NOVAFEED_CHROMIUM names the
# browser (default /usr/bin/chromium).
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"
web=../../web

# The hidden lock file is the last thing that npm writes: it stands for a complete installation.
install_packages() {
  [ "$1/node_modules/.package-lock.json" -nt "$1/package-lock.json" ] ||
    npm --prefix "$1" ci --no-audit --no-fund --prefer-offline --loglevel=error >&2
}

install_packages .
install_packages "$web"

status=0
if npm --prefix "$web" run --silent check >&2; then
  echo "PASS types of the page's sources"
else
  echo "FAIL types of the page's sources"
  status=1
fi
node page_test.mjs "$@" || status=1
exit "$status"
