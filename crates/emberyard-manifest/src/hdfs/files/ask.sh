# Questions to servers of this HDFS by HTTP, with nothing but the shell: a JVM for each would cost a second. With as few processes
# as can be: while an HDFS starts, thirteen pods ask, and what that takes of the processors the servers lack.
. /etc/hdfs/hosts.sh

# call SECONDS HOST PORT VERB PATH: what a server answers.
call() {
    timeout "$1" bash -c 'exec 3<>"/dev/tcp/$0/$1" && printf "%s %s HTTP/1.0\r\nContent-Length: 0\r\n\r\n" "$2" "$3" >&3 && exec cat <&3' \
        "${@:2}" 2> /dev/null
}

# ask HOST PORT MBEAN: what a server's page says of one of its beans.
ask() { call 3 "$1" "$2" GET "/jmx?qry=Hadoop:$3"; }

# bean HOST NAME: what a NameNode says of one of its beans.
bean() { ask "$1" "$NAME_NODE_WEB_PORT" "service=NameNode,name=$2"; }

# tells HOST NAME FIELD: the text of a field of one of a NameNode's beans; fails where there is none.
tells() {
    local field="\"$3\" *: *\"([^\"]+)\""
    [[ $(bean "$1" "$2") =~ $field ]] && echo "${BASH_REMATCH[1]}"
}

# The state of a NameNode (active or standby); fails while it has none.
name_node_state() {
    local state
    state=$(tells "$1" NameNodeStatus State) && [[ $state =~ ^[a-z]+$ ]] && echo "$state"
}

# The active NameNode's host; fails while there is none.
leader() {
    for host in "$NAME_NODE_0" ${NAME_NODE_1-}; do
        if [ "$(name_node_state "$host")" = active ]; then echo "$host" && return; fi
    done
    return 1
}

other_name_node() {
    case $1 in
        0) echo "$NAME_NODE_1" ;;
        *) echo "$NAME_NODE_0" ;;
    esac
}

journal() { ask "$1" "$JOURNAL_NODE_WEB_PORT" service=JournalNode,name=JournalNodeInfo; }
journal_answers() { until journal "$1" | grep -q JournalsStatus; do sleep 0.2; done; }
for_each_journal_node() { for host in $JOURNAL_NODES; do "$1" "$host"; done; }

# A JournalNode that does not answer counts as one that has: nothing is formatted that cannot be looked at.
any_journal_node_has_data() {
    for host in $JOURNAL_NODES; do
        answer=$(journal "$host") || return 0
        if grep -q 'Formatted[\\": ]*true' <<< "$answer"; then return 0; fi
    done
    return 1
}
