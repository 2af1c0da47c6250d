#!/usr/bin/env bash
# install.sh: fetches Kafka, Kafka Connect and Debezium from Maven Central into build/cluster/jars (104 jars, 60 MB),
# once for this checkout; the next time it only looks whether they are there. Each jar is held to its hash in
# jars.sha256, and no other jar may be there.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
home=$(readlink -m "$here/../../build/cluster/jars")
wanted=$here/jars.sha256

# The copy of the list stands for a complete installation: it is written last.
is_installed() { cmp -s "$wanted" "$home/jars.sha256"; }

names_of() { sed 's/^[0-9a-f]* [ *]//' "$1" | LC_ALL=C sort; }
jars_here() { find . -name '*.jar' -printf '%P\n' | LC_ALL=C sort; }

is_installed && exit 0
mkdir -p "$(dirname "$home")"
exec 9>"$home.lock"
flock 9  # two runs at a time fetch them once
is_installed && exit 0

echo "Fetching Kafka and Debezium from Maven Central (60 MB)" >&2
rm -rf "$home" "${home%/*}/classes"  # the archives of classes, too (deploy/native/jvm.sh)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/pom.xml" "$work"
mvn -q -B -f "$work/pom.xml" -Djars="$home" package >&2 || {
  echo "Maven could not fetch the jars of $here/pom.xml: is Maven Central reachable?" >&2
  exit 1
}
(cd "$home" && sha256sum --quiet --check "$wanted" && diff <(names_of "$wanted") <(jars_here)) >&2 || {
  echo "Maven Central has other files than $wanted names: nothing was installed." >&2
  exit 1
}
cp "$wanted" "$home"
