#!/bin/bash
# Before a NameNode's pod is stopped: the other one becomes active, if it can. Runs in both containers of the pod, since the
# NameNode and its controller must both live until then; only the one that is told to `order` does something.
. /etc/hdfs/counting.sh
self=${HOSTNAME##*-}
other=$(other_name_node "$self")
leads() { [ "$(name_node_state localhost)" = active ] && [ "$(name_node_state "$other")" = standby ] && ! counting "$other" > /dev/null; }
if [ "${1-}" = order ] && leads; then
    timeout 10 hdfs haadmin -failover "nn$self" "nn$((1 - self))"
fi
ends=$((SECONDS + 10))
while [ "$SECONDS" -lt "$ends" ] && leads; do sleep 0.2; done
