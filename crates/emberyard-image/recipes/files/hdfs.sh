#!/bin/sh
# The commands and daemons of HDFS. Every daemon stays in the foreground: it is the pod's process, and ends with it.
. /opt/hadoop/java.sh

usage() {
    cat >&2 <<'TEXT'
usage: hdfs [--config DIR] COMMAND [ARGUMENTS…]

commands:  dfs  haadmin  dfsadmin  fsck  getconf  version  classpath
daemons:   namenode  datanode  journalnode  zkfc
measures:  canary PORT FILE: uses FILE all the time, tells on PORT how long that took

Configuration is read from DIR, else $HADOOP_CONF_DIR, else /etc/hadoop. Java options: HADOOP_OPTS for all, besides
HADOOP_CLIENT_OPTS for commands, HDFS_NAMENODE_OPTS, HDFS_DATANODE_OPTS, HDFS_JOURNALNODE_OPTS, HDFS_ZKFC_OPTS.
TEXT
    exit "$1"
}

if [ "$1" = --config ]; then
    [ -d "$2" ] || usage 2
    export HADOOP_CONF_DIR="$2"
    shift 2
fi
[ $# -gt 0 ] || usage 2
command=$1
shift

# What a command prints is its answer, so it logs only what went wrong; a daemon's log is all it says.
client() {
    class=$1
    shift
    start_java 256m "-Dhadoop.root.logger=${HADOOP_ROOT_LOGGER:-WARN,console} $HADOOP_OPTS $HADOOP_CLIENT_OPTS" \
        "$class" "$@"
}
daemon() {
    heap=$1 options=$2 class=$3
    shift 3
    start_java "$heap" "-Dhadoop.root.logger=${HADOOP_ROOT_LOGGER:-INFO,console} $HADOOP_OPTS $options" "$class" "$@"
}

case $command in
dfs) client org.apache.hadoop.fs.FsShell "$@" ;;
haadmin) client org.apache.hadoop.hdfs.tools.DFSHAAdmin "$@" ;;
dfsadmin) client org.apache.hadoop.hdfs.tools.DFSAdmin "$@" ;;
fsck) client org.apache.hadoop.hdfs.tools.DFSck "$@" ;;
getconf) client org.apache.hadoop.hdfs.tools.GetConf "$@" ;;
version) client org.apache.hadoop.util.VersionInfo "$@" ;;
namenode) daemon 128m "$HDFS_NAMENODE_OPTS" org.apache.hadoop.hdfs.server.namenode.NameNode "$@" ;;
datanode) daemon 96m "$HDFS_DATANODE_OPTS" org.apache.hadoop.hdfs.server.datanode.DataNode "$@" ;;
journalnode) daemon 64m "$HDFS_JOURNALNODE_OPTS" org.apache.hadoop.hdfs.qjournal.server.JournalNode "$@" ;;
zkfc) daemon 48m "$HDFS_ZKFC_OPTS" org.apache.hadoop.hdfs.tools.DFSZKFailoverController "$@" ;;
canary)
    start_java 48m "-Dhadoop.root.logger=${HADOOP_ROOT_LOGGER:-WARN,console} $HADOOP_OPTS $HADOOP_CLIENT_OPTS" \
        dev.emberyard.canary.Canary "$@"
    ;;
classpath)
    class_path
    echo "$CLASS_PATH"
    ;;
-h | --help | help) usage 0 ;;
*)
    echo "hdfs: there is no command \"$command\" here" >&2
    usage 2
    ;;
esac
