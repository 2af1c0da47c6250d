# How the two JVMs start fast and stay small. Sourced by ./cluster.
# shellcheck shell=bash

readonly kJavaHome=/usr/lib/jvm/java-17-openjdk-amd64
readonly kJars=$kCache/jars
readonly kJvmOptions=(-Xms64m -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:+ExitOnOutOfMemoryError
  -Xlog:disable -Xlog:all=error:stderr)

# set_java_command PART CLASS [ARGUMENT...]: sets `java_command`.
#
# Class-data sharing halves the start: the first clean end of a part leaves an archive of its classes for all later
# starts of this checkout. Where it does not fit (another JVM, other jars) the JVM goes on without it.
set_java_command() {
  local part=$1
  shift
  java_command=("$kJavaHome/bin/java" "${kJvmOptions[@]}" -Djava.awt.headless=true
    -Dlog4j2.configurationFile="$kDeploy/kafka/log4j2.xml")
  if [ -f "$(archive_of "$part")" ]; then
    java_command+=("-XX:SharedArchiveFile=$(archive_of "$part")")
  elif [ "$part" != format ]; then
    java_command+=("-XX:ArchiveClassesAtExit=$run/$part.jsa")
  fi
  java_command+=(-cp "$kJars/kafka/*" "$@")
}

archive_of() { echo "$kCache/classes/$1-$(stat -L -c %Y "$kJavaHome/lib/server/libjvm.so").jsa"; }

# A JVM that maps half an archive crashes, at every start. So one is kept only when it is whole (a part may be killed
# while it writes), and gets its name when all of it is on the disk: a JVM may be looking for it now.
keep_archive() {
  local made=$run/$1.jsa copy=$kCache/classes/.$1-$$
  [ -s "$made" ] || return 0
  mkdir -p "$kCache/classes"
  if is_whole_archive "$made" && cp "$made" "$copy" && sync "$copy"; then
    mv -f "$copy" "$(archive_of "$1")"
  else
    rm -f "$copy"
    say "$1 left an archive of its classes that is not whole. Its next end writes another; until then it starts slowly."
  fi
  rm -f "$made"
}

is_whole_archive() {
  "$kJavaHome/bin/java" "${kJvmOptions[@]}" -Xshare:on -XX:+VerifySharedSpaces -XX:SharedArchiveFile="$1" \
    -XX:ErrorFile=/dev/null -XX:-CreateCoredumpOnCrash -cp "$kJars/kafka/*" -version >/dev/null 2>&1
}
