#!/bin/bash
# Whether this pod's NameNode serves, as active or standby. One that still counts blocks could only become an active one that
# takes no changes: nobody may rely on it yet.
. /etc/hdfs/counting.sh
name_node_state localhost > /dev/null && ! counting localhost > /dev/null
