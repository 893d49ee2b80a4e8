# How every JVM of this image starts. Sourced by `hdfs` and `zookeeper-server`.

EMBERYARD_ARCHIVE=/opt/hadoop/archive/hdfs.jsa

# Sets CLASS_PATH to all jars, one by one in a fixed order: the archive is used only if what it was made with is how the
# class path begins. Configuration comes behind the jars for that reason; the image's own is what the pod's leaves out.
class_path() {
    local LC_ALL=C jar
    CLASS_PATH=
    for jar in /opt/hadoop/lib/*.jar; do
        CLASS_PATH="$CLASS_PATH${CLASS_PATH:+:}$jar"
    done
    JARS=$CLASS_PATH
    CLASS_PATH="$CLASS_PATH${HADOOP_CLASSPATH:+:$HADOOP_CLASSPATH}:${HADOOP_CONF_DIR:-/etc/hadoop}:/opt/hadoop/conf"
}

# start_java HEAP OPTIONS CLASS ARGUMENTS…: becomes the program CLASS. OPTIONS are words that the user set; of two
# options that say different things, Java takes the later, so theirs.
start_java() {
    local heap=$1 options=$2
    shift 2
    class_path
    # One collector thread and one compiler: these JVMs are many and mostly wait.
    # They begin with a small heap, which grows if need be: of one that is large at once, all is touched.
    set -- -Xms16m "-Xmx$heap" -Xss512k -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData -XX:+ExitOnOutOfMemoryError \
        -Djava.net.preferIPv4Stack=true -Djava.security.properties=/etc/emberyard/names.security \
        $options -cp "$CLASS_PATH" "$@"
    if [ -f "$EMBERYARD_ARCHIVE" ]; then
        # Mapped where it was made for, its pages are shared between JVMs. Where it does not fit, Java starts without it.
        set -- "-XX:SharedArchiveFile=$EMBERYARD_ARCHIVE" -Xshare:auto \
            -XX:+UnlockDiagnosticVMOptions -XX:ArchiveRelocationMode=0 "$@"
    fi
    # More arenas than these would be memory that nobody uses.
    export MALLOC_ARENA_MAX="${MALLOC_ARENA_MAX:-2}"
    exec "$JAVA_HOME/bin/java" "$@"
}
