#!/bin/bash
# Compiles what tells Spark where the blocks of HDFS are. The image's Java has a compiler, though no command of its name.
set -eu
. /opt/emberyard/class-path.sh
spark_class_path
java="$JAVA_HOME/bin/java"
classes=$(mktemp -d)
"$java" -m jdk.compiler/com.sun.tools.javac.Main -proc:none -Xlint:all,-path -Werror -cp "$CLASS_PATH" -d "$classes" \
    /opt/emberyard/locality/*.java
# Hadoop takes the last class that a class path names for a scheme: this jar comes behind Hadoop's own. Named so, and not by a
# setting, an image without it reads HDFS as ever.
mkdir -p "$classes/META-INF/services"
echo dev.emberyard.locality.NodeAwareFileSystem > "$classes/META-INF/services/org.apache.hadoop.fs.FileSystem"
"$java" -m jdk.jartool/sun.tools.jar.Main --create --file "$EMBERYARD_LOCALITY" --date 1980-01-01T00:00:02Z -C "$classes" .
rm -r "$classes"
