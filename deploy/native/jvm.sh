# How the two JVMs start fast and stay small. Sourced by ./cluster.
# shellcheck shell=bash

readonly kJavaHome=/usr/lib/jvm/java-17-openjdk-amd64
readonly kJars=$kCache/jars

# set_java_command PART CLASS [ARGUMENT...]: sets `java_command`.
#
# Class-data sharing halves the start: the first clean end of a part leaves an archive of its classes for all later
# starts of this checkout. Where it does not fit (another JVM, other jars) the JVM goes on without it.
set_java_command() {
  local part=$1
  shift
  java_command=("$kJavaHome/bin/java" -Xms64m -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1
    -XX:+ExitOnOutOfMemoryError -Djava.awt.headless=true -Dlog4j2.configurationFile="$kDeploy/kafka/log4j2.xml"
    -Xlog:disable -Xlog:all=error:stderr)
  if [ -f "$(archive_of "$part")" ]; then
    java_command+=("-XX:SharedArchiveFile=$(archive_of "$part")")
  elif [ "$part" != format ]; then
    java_command+=("-XX:ArchiveClassesAtExit=$run/$part.jsa")
  fi
  java_command+=(-cp "$kJars/kafka/*" "$@")
}

archive_of() { echo "$kCache/classes/$1-$(stat -L -c %Y "$kJavaHome/lib/server/libjvm.so").jsa"; }

keep_archive() {
  [ -s "$run/$1.jsa" ] || return 0
  mkdir -p "$kCache/classes"
  mv -f "$run/$1.jsa" "$(archive_of "$1")"
}
