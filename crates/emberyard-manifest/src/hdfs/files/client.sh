#!/bin/bash
# Makes the folders that everybody may write below, then waits to be used.
. /etc/hdfs/ask.sh
leads() { [ -n "$1" ] && [ "$(name_node_state "$1")" = active ]; }
serves() { leads "$NAME_NODE_0" || leads "${NAME_NODE_1-}"; }
make() { hdfs dfs -mkdir -p /tmp /user/hdfs/test && hdfs dfs -chmod 1777 /tmp /user /user/hdfs/test; }
# A JVM that asks too early waits longer and longer.
until serves && make; do sleep 0.5; done
touch "$PREPARED"
exec sleep infinity
