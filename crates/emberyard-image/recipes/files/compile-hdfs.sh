#!/bin/sh
# Compiles what HDFS gets of ours, each folder that is named into a jar of its name. The image's Java has a compiler, though no command
# of its name.
set -eu
. /opt/hadoop/java.sh
for name in "$@"; do
    rm -f "/opt/hadoop/lib/$name.jar"
done
class_path
for name in "$@"; do
    classes=$(mktemp -d)
    "$JAVA_HOME/bin/java" -m jdk.compiler/com.sun.tools.javac.Main -proc:none -Xlint:all,-path,-classfile -Werror -cp "$JARS" -d "$classes" \
        "/opt/hadoop/$name"/*.java
    "$JAVA_HOME/bin/java" -m jdk.jartool/sun.tools.jar.Main --create --file "/opt/hadoop/lib/$name.jar" --date 1980-01-01T00:00:02Z -C "$classes" .
    rm -r "$classes"
done
