#!/bin/bash
# Makes the folders that everybody may write below, then waits to be used.
. /etc/hdfs/ask.sh
# folder PATH MODE: makes one that is not there, by HTTP: the commands that do it would be two JVMs at the busiest of times.
folder() {
    call 10 "$leader" "$NAME_NODE_WEB_PORT" PUT "/webhdfs/v1$1?op=MKDIRS&permission=$2&user.name=$HADOOP_USER_NAME" |
        grep -q '"boolean" *: *true'
}
make() { folder /tmp 1777 && folder /user 1777 && folder /user/hdfs 755 && folder /user/hdfs/test 1777; }
until leader=$(leader) && make; do sleep 0.5; done
touch "$PREPARED"
exec sleep infinity
