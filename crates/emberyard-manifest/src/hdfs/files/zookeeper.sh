#!/bin/bash
# A ZooKeeper server. Its number is that of its pod, from 1 on.
set -eu
echo "$((${HOSTNAME##*-} + 1))" > /data/myid
exec zookeeper-server /etc/hdfs/zoo.cfg
