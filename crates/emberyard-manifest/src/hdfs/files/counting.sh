# How far a NameNode is with its start: it takes no changes (safe mode) until DataNodes have told it where enough blocks are.
. /etc/hdfs/ask.sh

# What a NameNode says of the blocks that it knows while it counts them; fails once it does so no more. One that was told to take
# no changes does not count.
counting() {
    bean "$1" FSNamesystemState | grep -q '"FSState" *: *"safeMode"' &&
        bean "$1" NameNodeInfo | sed -n 's/.*"Safemode" *: *"\(Safe mode is ON. The reported blocks[^"]*\)".*/\1/p' | grep .
}

# Whether a NameNode has counted all blocks and misses none.
knows_all() {
    said=$(bean "$1" NameNodeInfo) && grep -q '"Safemode" *: *""' <<< "$said" &&
        grep -q '"NumberOfMissingBlocks" *: *0\b' <<< "$said"
}

# Whether this NameNode's count has come to nothing: it has not got on for half a minute although the other one knows all blocks.
# While it counts it takes only the first list of each DataNode, and where blocks were made, moved or deleted meanwhile the sum
# may never be reached; it would stay so for ever. Another start counts anew.
stuck() {
    if ! now=$(counting localhost) || [ "$now" != "${before-}" ]; then
        before=$now
        since=$SECONDS
        return 1
    fi
    [ $((SECONDS - since)) -ge 30 ] && knows_all "$1"
}
