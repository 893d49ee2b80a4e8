# How far a NameNode is with its start: it takes no changes (safe mode) until DataNodes have told it where enough blocks are.
. /etc/hdfs/ask.sh

# What a NameNode says of the blocks that it knows while it counts them; fails once it does so no more. One that was told to take
# no changes does not count.
counting() {
    local said
    [ "$(tells "$1" FSNamesystemState FSState)" = safeMode ] && said=$(tells "$1" NameNodeInfo Safemode) &&
        [[ $said == "Safe mode is ON. The reported blocks"* ]] && echo "$said"
}

# Whether a NameNode has counted all blocks and misses none.
knows_all() {
    local said off='"Safemode" *: *""' none='"NumberOfMissingBlocks" *: *0[^0-9]'
    said=$(bean "$1" NameNodeInfo) && [[ $said =~ $off && $said =~ $none ]]
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
