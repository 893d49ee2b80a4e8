# Whether this pod's JournalNode is written to: its segment is newer than its start. A NameNode leaves out one that was away
# until it begins a new segment, and one more that is away until then would end it.
. /etc/hdfs/ask.sh
joined() {
    for segment in /data/journal/*/current/edits_inprogress_*; do
        if [ "$segment" -nt /data/started ]; then return; fi
    done
    return 1
}
listens() { (exec 3<> "/dev/tcp/localhost/$JOURNAL_NODE_WEB_PORT") 2> /dev/null; }
# Also where nobody writes.
ready() { joined || { listens && ! leader > /dev/null; }; }
