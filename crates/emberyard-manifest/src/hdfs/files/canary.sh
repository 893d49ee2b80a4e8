#!/bin/bash
# Measures what clients wait, once there is something to use. Until then, and until all NameNodes are there or long missed, its
# start would only take the others' processors. An image that was made before has no canary.
. /etc/hdfs/ask.sh
answers() { [ -z "$1" ] || name_node_state "$1" > /dev/null; }
until [ -e "$PREPARED" ]; do sleep 0.5; done
SECONDS=0
until { answers "$NAME_NODE_0" && answers "${NAME_NODE_1-}"; } || [ "$SECONDS" -ge 20 ]; do sleep 0.5; done
[ -e /opt/hadoop/lib/canary.jar ] || exec sleep infinity
exec hdfs canary "$CANARY_PORT" /tmp/.canary
