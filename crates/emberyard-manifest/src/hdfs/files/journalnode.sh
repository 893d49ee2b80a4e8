#!/bin/bash
# A JournalNode, and beside it the one who says that it may be relied on: it is written to, or nobody has written for long. For a
# moment nobody does in every failover; who relied on this one then would take the majority from the NameNode that comes. Where
# somebody writes without it, he has the active NameNode begin a new segment, which this one is then part of: by itself it would
# do so within a minute.
. /etc/hdfs/ask.sh
started=/tmp/started
ready=/tmp/ready
rm -f "$ready"
touch "$started"
listens() { (exec 3<> "/dev/tcp/localhost/$JOURNAL_NODE_WEB_PORT") 2> /dev/null; }
# Its segment is newer than its start. A NameNode leaves out one that was away until it begins a new segment, and one more that is
# away until then would end it.
joined() {
    for segment in /data/journal/*/current/edits_inprogress_*; do
        if [ "$segment" -nt "$started" ]; then return; fi
    done
    return 1
}
# One that has just become active begins a segment by itself.
roll() { sleep 1 && { joined || timeout 30 hdfs dfsadmin -rollEdits; }; }
rejoin() {
    until listens; do sleep 0.5; done
    pause=1
    led=$SECONDS
    until joined; do
        if leader > /dev/null; then
            led=$SECONDS
            if roll && joined; then break; fi
        elif [ $((SECONDS - led)) -ge 30 ]; then
            touch "$ready"
        fi
        for ((second = 0; second < pause; second++)); do
            sleep 1
            if joined; then break; fi
        done
        pause=$((pause < 30 ? pause * 2 : 60))
    done
    touch "$ready"
}
rejoin &
exec hdfs journalnode
