#!/usr/bin/env bash
# install.sh: installs the tests' Python packages from PyPI into build/python, once for this checkout; the next time it only
# looks whether they are there. pip checks each against its hash in requirements.txt.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
home=$(readlink -m "$here/../../build/python")
wanted=$here/requirements.txt

# The copy of the list stands for a complete installation: it is written last.
is_installed() { cmp -s "$wanted" "$home/requirements.txt"; }

is_installed && exit 0
mkdir -p "$(dirname "$home")"
exec 9>"$home.lock"
flock 9  # two runs at a time install it once
is_installed && exit 0

echo "Installing the tests' Python packages into build/python" >&2
rm -rf "$home"
/usr/bin/python3 -m venv "$home"
"$home/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement "$wanted" >&2
cp "$wanted" "$home"
