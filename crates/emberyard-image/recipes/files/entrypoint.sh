#!/bin/bash
# Starts what a Spark pod asks for: `executor`, `driver`, or any other command as it stands.
set -e

# A pod may run as a user that the image does not know; Spark and Python ask for its name.
if ! grep -q "^[^:]*:[^:]*:$UID:" /etc/passwd 2>/dev/null && [ -w /etc/passwd ]; then
    echo "${SPARK_USER:-spark}:x:$UID:$(id -g)::${HOME:-/}:/bin/bash" >>/etc/passwd
fi

# Sets JAVA_OPTIONS to SPARK_JAVA_OPT_0, _1, … in the order of their numbers; the environment has no order.
java_options() {
    local name
    JAVA_OPTIONS=()
    while read -r name; do
        JAVA_OPTIONS+=("${!name}")
    done < <(compgen -e SPARK_JAVA_OPT_ | sort -t_ -k4n)
}

# Tells Spark's own logging settings beforehand where nothing else is asked for: to find out that there are no others, each JVM
# would look for eight names in three hundred jars.
logging_options() {
    [ "$EMBERYARD_FAST_START" != off ] && [ -z "$SPARK_CLASSPATH$HADOOP_CONF_DIR" ] || return 0
    case ${JAVA_OPTIONS[*]} in *log4j*) return 0 ;; esac
    if ! compgen -G "${SPARK_CONF_DIR:-$SPARK_HOME/conf}/log4j2*" >/dev/null; then
        START_OPTIONS+=(-Dlog4j2.configurationFile=classpath:org/apache/spark/log4j2-defaults.properties)
    fi
}

# Sets START_OPTIONS to what makes this JVM start fast, without changing what the user chose.
start_options() {
    local wanted="${JAVA_OPTIONS[*]}" why=
    START_OPTIONS=(-XX:-UsePerfData)
    case $wanted in
    *-XX:+Use*GC*) ;;
    *) [ "${SPARK_EXECUTOR_CORES:-1}" != 1 ] || START_OPTIONS+=(-XX:+UseSerialGC) ;;
    esac
    case $EMBERYARD_FAST_START in
    off) ;;
    c1) START_OPTIONS+=(-XX:TieredStopAtLevel=1) ;;
    *) START_OPTIONS+=(@/opt/emberyard/start.options) ;;
    esac
    logging_options
    archive_identity
    if [ ! -f "$EMBERYARD_ARCHIVE" ]; then
        why="the image has none"
    elif [ "$IDENTITY" != "$(<"$EMBERYARD_TRAINED")" ]; then
        why="it was trained for another Java or other jars"
    else
        case $wanted in
        *-Xshare:off* | *-XX:SharedArchiveFile=* | *-javaagent:* | *-XX:+UseZGC* | *--patch-module* | *--upgrade-module-path*)
            why="a Java option excludes it"
            ;;
        esac
        [ -z "$SPARK_CLASSPATH" ] || why="an extra class path comes before Spark's"
    fi
    if [ -n "$why" ]; then
        echo "entrypoint: class-data archive not used: $why; the JVM starts more slowly" >&2
    else
        # Mapped where it was made for, its pages are shared between executors.
        START_OPTIONS+=(-XX:SharedArchiveFile="$EMBERYARD_ARCHIVE" -Xshare:auto)
        START_OPTIONS+=(-XX:+UnlockDiagnosticVMOptions -XX:ArchiveRelocationMode=0)
    fi
}

case $1 in
executor)
    . /opt/emberyard/class-path.sh
    spark_class_path
    java_options
    start_options
    exec "$JAVA_HOME/bin/java" "${START_OPTIONS[@]}" "${JAVA_OPTIONS[@]}" \
        -Xms"$SPARK_EXECUTOR_MEMORY" -Xmx"$SPARK_EXECUTOR_MEMORY" \
        -cp "${SPARK_CLASSPATH:+$SPARK_CLASSPATH:}$CLASS_PATH:${SPARK_CONF_DIR:-$SPARK_HOME/conf}${HADOOP_CONF_DIR:+:$HADOOP_CONF_DIR}:$PWD" \
        org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend \
        --driver-url "$SPARK_DRIVER_URL" --executor-id "$SPARK_EXECUTOR_ID" --cores "$SPARK_EXECUTOR_CORES" \
        --app-id "$SPARK_APPLICATION_ID" --hostname "$SPARK_EXECUTOR_POD_IP" \
        --resourceProfileId "${SPARK_RESOURCE_PROFILE_ID:-0}" --podName "$SPARK_EXECUTOR_POD_NAME"
    ;;
driver)
    shift
    exec "$SPARK_HOME/bin/spark-submit" --conf "spark.driver.bindAddress=$SPARK_DRIVER_BIND_ADDRESS" \
        --conf "spark.executorEnv.SPARK_DRIVER_POD_IP=$SPARK_DRIVER_BIND_ADDRESS" --deploy-mode client "$@"
    ;;
"")
    exec /bin/bash
    ;;
*)
    exec "$@"
    ;;
esac
