#!/bin/bash
# Where addresses are, for the NameNode: the range of their node, so that the copies of a block are on different nodes and the
# nearest is that of the reader's own; where zones count, their node's zone before it. What is no address is nowhere in
# particular. A node whose zone is not known yet has no answer: the first one would be remembered.
. /etc/hdfs/hosts.sh
for word; do
    if [[ $word =~ ^([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})$ ]]; then
        address=0
        for part in "${BASH_REMATCH[@]:1}"; do address=$((address << 8 | 10#$part)); done
        network=$((address >> (32 - NODE_PREFIX) << (32 - NODE_PREFIX)))
        node="$((network >> 24)).$((network >> 16 & 255)).$((network >> 8 & 255)).$((network & 255))"
        if [ -n "${ZONES-}" ]; then
            zone=$(sed -n "s/^$node //p" "$ZONES/zones") && [ -n "$zone" ] || exit 1
            echo "/$zone/$node"
        else
            echo "/$node"
        fi
    else
        echo "/default-rack${ZONES:+/default-node}"
    fi
done
