#!/bin/bash
# A NameNode, and beside it the one who tells it when the list of DataNodes that are to go has changed, and who ends it where its
# start comes to nothing. At its start it reads the list by itself. The other NameNode has somebody of its own: a pod that comes
# later has missed nothing.
. /etc/hdfs/counting.sh
list() { echo "$(< /etc/hdfs-excluded/excluded)"; } 2> /dev/null
known=$(list)
tell() { timeout 30 hdfs dfsadmin -fs "hdfs://localhost:$NAME_NODE_PORT" -refreshNodes; }
other=$([ -z "${NAME_NODE_1-}" ] || other_name_node "${HOSTNAME##*-}")
follow() {
    while sleep 1; do
        new=$(list)
        if [ "$new" != "$known" ] && name_node_state localhost > /dev/null && tell; then known=$new; fi
    done
}
# Only a start counts: once all is known there is nothing to watch.
count() {
    until knows_all localhost; do
        if stuck "$other"; then
            echo "it has not got on with counting blocks, and $other knows all of them: it starts anew"
            kill $$
            return
        fi
        sleep 1
    done
}
follow &
if [ -n "$other" ]; then count & fi
# An image that was made before has nothing that ends a NameNode which is cut off.
cut_off=
[ ! -e /opt/hadoop/lib/isolation.jar ] || cut_off=-Ddfs.namenode.plugins=dev.emberyard.isolation.Isolation
exec hdfs namenode $cut_off
