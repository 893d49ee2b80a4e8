#!/bin/sh
# zookeeper-server CONFIG: a ZooKeeper server in the foreground. Java options: SERVER_JVMFLAGS.
. /opt/hadoop/java.sh

if [ $# -ne 1 ] || [ ! -f "$1" ]; then
    echo "usage: zookeeper-server CONFIG (a zoo.cfg; a server of several also has the file myid in its dataDir)" >&2
    exit 2
fi
start_java 48m "-Dhadoop.root.logger=${ZOO_ROOT_LOGGER:-INFO,console} $SERVER_JVMFLAGS" \
    org.apache.zookeeper.server.quorum.QuorumPeerMain "$1"
