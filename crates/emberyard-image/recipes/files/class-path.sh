# Spark's class path, and whether the class-data archive fits it. Sourced by the entrypoint and at training.
# An archive is only used if the class path at training is the beginning of the one at run, jar by jar, and the JVM is the same.

EMBERYARD_ARCHIVE=/opt/emberyard/archive/spark.jsa
EMBERYARD_TRAINED=/opt/emberyard/archive/trained-for
EMBERYARD_LOCALITY=/opt/emberyard/locality.jar

# Sets CLASS_PATH to all jars of Spark, one by one in a fixed order, and behind them what knows where blocks of HDFS are.
spark_class_path() {
    local LC_ALL=C IFS=:
    local jars=("$SPARK_HOME"/jars/*.jar)
    [ ! -f "$EMBERYARD_LOCALITY" ] || jars+=("$EMBERYARD_LOCALITY")
    CLASS_PATH="${jars[*]}"
}

# Sets IDENTITY to what an archive depends on: the JVM's build and the class path.
archive_identity() {
    IDENTITY="$(<"$JAVA_HOME/release")
$CLASS_PATH"
}
