#!/bin/sh
# Compiles what uses HDFS all the time and tells how long it took. The image's Java has a compiler, though no command of its name.
set -eu
. /opt/hadoop/java.sh
jar=/opt/hadoop/lib/canary.jar
rm -f "$jar"
class_path
classes=$(mktemp -d)
"$JAVA_HOME/bin/java" -m jdk.compiler/com.sun.tools.javac.Main -proc:none -Xlint:all,-path,-classfile -Werror -cp "$JARS" -d "$classes" \
    /opt/hadoop/canary/*.java
"$JAVA_HOME/bin/java" -m jdk.jartool/sun.tools.jar.Main --create --file "$jar" --date 1980-01-01T00:00:02Z -C "$classes" .
rm -r "$classes"
