#!/bin/bash
# A NameNode, and beside it the one who tells it when the list of DataNodes that are to go has changed. At its start it reads the
# list by itself. The other NameNode has somebody of its own: a pod that comes later has missed nothing.
. /etc/hdfs/ask.sh
list() { cat /etc/hdfs-excluded/excluded 2> /dev/null; }
known=$(list)
tell() { timeout 30 hdfs dfsadmin -fs "hdfs://localhost:$NAME_NODE_PORT" -refreshNodes; }
follow() {
    while sleep 1; do
        new=$(list)
        if [ "$new" != "$known" ] && name_node_state localhost > /dev/null && tell; then known=$new; fi
    done
}
follow &
exec hdfs namenode
