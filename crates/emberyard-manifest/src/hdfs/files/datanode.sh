#!/bin/bash
# A DataNode, once there is a NameNode for it: before that its start would only take the processors of those it waits for. Not for
# ever: who asks may be the one that is cut off.
. /etc/hdfs/hosts.sh
listens() {
    timeout 2 bash -c 'for host in "${@:2}"; do (exec 3<> "/dev/tcp/$host/$1") && exit; done; exit 1' - \
        "$NAME_NODE_WEB_PORT" "$NAME_NODE_0" ${NAME_NODE_1-} 2> /dev/null
}
until listens || [ "$SECONDS" -ge 20 ]; do sleep 0.5; done
exec hdfs datanode
