#!/bin/bash
# Makes the folders that everybody may write below, then waits to be used.
until hdfs dfs -mkdir -p /tmp /user/hdfs/test && hdfs dfs -chmod 1777 /tmp /user /user/hdfs/test; do sleep 1; done
touch /tmp/prepared
exec sleep infinity
