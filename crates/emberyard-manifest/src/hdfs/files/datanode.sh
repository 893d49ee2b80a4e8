#!/bin/bash
# A DataNode, once there is a NameNode for it: before that its start would only take the processors of those it waits for. Not for
# ever: who asks may be the one that is cut off.
. /etc/hdfs/hosts.sh
listens() { [ -n "$1" ] && timeout 1 bash -c 'exec 3<> "/dev/tcp/$0/$1"' "$1" "$NAME_NODE_WEB_PORT" 2> /dev/null; }
until listens "$NAME_NODE_0" || listens "${NAME_NODE_1-}" || [ "$SECONDS" -ge 20 ]; do sleep 0.3; done
exec hdfs datanode
