#!/bin/bash
# A JournalNode, and beside it the one who has the active NameNode begin a new segment, which this one is then part of: by itself
# it would do so within a minute.
. /etc/hdfs/joined.sh
touch /data/started
rejoin() {
    until listens; do sleep 0.5; done
    pause=1
    until sleep "$pause" && joined; do
        pause=$((pause < 30 ? pause * 2 : 60))
        if leader > /dev/null; then timeout 30 hdfs dfsadmin -rollEdits; fi
    done
}
rejoin &
exec hdfs journalnode
