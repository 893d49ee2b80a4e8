# The HDFS of one pod: the fourteen JVMs of a whole one as plain processes, started by hand in the best order that is known.
# Same image, same settings; only hosts and ports differ. Tells its milestones.
set -u
S=/tmp/peer
mkdir -p "$S"
export POD_IP=127.0.0.1 HADOOP_USER_NAME=hdfs
begun=$(date +%s%N)
told() { echo "$1 $((($(date +%s%N) - begun) / 1000000))"; }

# conf NAME PROPERTY=VALUE…: a folder with this part's configuration; of two values Hadoop takes the later.
conf() {
    local folder=$S/$1 more=
    shift
    mkdir -p "$folder"
    for pair in "$@"; do more="$more<property><name>${pair%%=*}</name><value>${pair#*=}</value></property>"; done
    for file in core-site.xml hdfs-site.xml; do
        sed -E -e "s/$NAME-namenode-([01])\.[a-z0-9.-]+:8020/127.0.0.1:1802\1/g" \
            -e "s/$NAME-namenode-([01])\.[a-z0-9.-]+:50070/127.0.0.1:1507\1/g" \
            -e "s/$NAME-journalnode-([012])\.[a-z0-9.-]+:8485/127.0.0.1:1848\1/g" \
            -e "s/$NAME-zookeeper-([012])\.[a-z0-9.-]+:2181/127.0.0.1:1218\1/g" \
            -e "s#</configuration>#$more</configuration>#" "/etc/peer/$file" > "$folder/$file"
    done
    export HADOOP_CONF_DIR=$folder
}
name_node() {
    conf "nn$1" "dfs.ha.namenode.id=nn$1" "dfs.namenode.name.dir=file://$S/name$1" \
        "dfs.ha.zkfc.port.$NAME.nn0=18190" "dfs.ha.zkfc.port.$NAME.nn1=18191"
}
listens() { (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null; }
state() {
    timeout 3 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$0" &&
        printf "GET /jmx?qry=Hadoop:service=NameNode,name=NameNodeStatus HTTP/1.0\r\n\r\n" >&3 && cat <&3' "1507$1" 2> /dev/null |
        sed -n 's/.*"State" *: *"\([a-z]*\)".*/\1/p'
}

for i in 0 1 2; do
    mkdir -p "$S/zk$i"
    echo "$((i + 1))" > "$S/zk$i/myid"
    sed -E -e "s/^server\..*//" -e "s#^dataDir=.*#dataDir=$S/zk$i#" -e "s/^clientPort=.*/clientPort=1218$i/" /etc/peer/zoo.cfg > "$S/zk$i.cfg"
    for j in 0 1 2; do echo "server.$((j + 1))=127.0.0.1:1288$j:1388$j" >> "$S/zk$i.cfg"; done
    zookeeper-server "$S/zk$i.cfg" > "$S/zk$i.log" 2>&1 &
    conf "jn$i" "dfs.journalnode.edits.dir=$S/journal$i" "dfs.journalnode.rpc-address=127.0.0.1:1848$i" \
        "dfs.journalnode.http-address=127.0.0.1:1849$i"
    hdfs journalnode > "$S/jn$i.log" 2>&1 &
done
until listens 18480 && listens 18481 && listens 18482; do sleep 0.05; done
name_node 0
hdfs zkfc -formatZK -nonInteractive > "$S/formatzk.log" 2>&1 &
place=$!
hdfs namenode -format -nonInteractive > "$S/format.log" 2>&1 || { tail -5 "$S/format.log"; exit 1; }
wait "$place"
hdfs namenode > "$S/nn0.log" 2>&1 &
hdfs zkfc > "$S/zkfc0.log" 2>&1 &
for i in 0 1 2 3; do
    conf "dn$i" "dfs.datanode.data.dir=file://$S/blocks$i" "dfs.datanode.address=127.0.0.1:1986$i" \
        "dfs.datanode.ipc.address=127.0.0.1:1987$i" "dfs.datanode.http.address=127.0.0.1:1964$i"
    hdfs datanode > "$S/dn$i.log" 2>&1 &
done
name_node 0
until [ "$(state 0)" = active ]; do sleep 0.1; done
until echo first | hdfs dfs -put -f - /first 2> /dev/null; do sleep 0.2; done
told writable
name_node 1
until hdfs namenode -bootstrapStandby -nonInteractive > "$S/bootstrap.log" 2>&1; do sleep 0.2; done
hdfs namenode > "$S/nn1.log" 2>&1 &
hdfs zkfc > "$S/zkfc1.log" 2>&1 &
until [ "$(state 1)" = standby ] && listens 18191; do sleep 0.1; done
told complete
