#!/bin/bash
# Makes a NameNode's store, once: formats it if nothing of this HDFS was ever formatted, else copies the other NameNode's.
#
# May end at any point and run again. A mark on the volume says that a store is being made: what lies there then was never
# served to anybody, and goes. A format is begun only where every JournalNode says that it holds nothing.
set -u
store=/data/name
mark=/data/making
self=${HOSTNAME##*-}
. /etc/hdfs/ask.sh

formatted_once() { [ -e /etc/hdfs-formatted/formatted ]; }

made() {
    sync "$store"/current/* && rm -f "$mark" && sync /data
    exit 0
}

begin() {
    rm -rf "$store"
    echo "$1" > "$mark" && sync "$mark" /data
}

# The place of elections in ZooKeeper is made meanwhile. What does not come of it, the controller makes up for at its start.
elections() {
    [ -z "${NAME_NODE_1-}" ] && return
    timeout 20 hdfs zkfc -formatZK -nonInteractive && touch /data/elections
}

# Formatting the NameNode's own store comes before that of the JournalNodes: an earlier try may have reached some of them.
format() {
    begin format
    echo "formatting: this HDFS is new"
    elections &
    hdfs namenode -format -force -nonInteractive && wait && made
    echo "it could not be formatted"
    exit 1
}

copy() {
    if [ -z "${NAME_NODE_1-}" ]; then
        echo "this HDFS was formatted once, its only NameNode's volume is empty, and there is no other to copy from:" \
            "bring the volume back, or make another HDFS"
        exit 1
    fi
    other=$(other_name_node "$self")
    echo "copying the store of $other"
    # At the first start of all, what everybody waits for is one that is active, and the first who use it: they are not held up,
    # but not waited for long either.
    waited=0
    until state=$(name_node_state "$other") && { [ "$state" = active ] || [ $((waited += 1)) -gt 20 ]; }; do
        sleep 0.5
        first=2
    done
    sleep "${first-0}"
    begin copy
    hdfs namenode -bootstrapStandby -nonInteractive || exit 1
    # It was elected at the place that is made here otherwise.
    if [ "$state" = active ]; then touch /data/elections; fi
    made
}

if [ -e "$store/current/VERSION" ] && [ ! -e "$mark" ]; then
    exit 0
fi
if [ "$self" != 0 ] || formatted_once; then
    copy
fi
# Where an earlier try of this very volume was formatting, the JournalNodes were empty when it began.
if [ "$(cat "$mark" 2> /dev/null)" = format ]; then
    for_each_journal_node journal_answers
    format
fi
for_each_journal_node journal_answers
if any_journal_node_has_data; then
    copy
fi
format
