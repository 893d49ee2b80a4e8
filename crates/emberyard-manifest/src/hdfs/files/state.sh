#!/bin/bash
# Whether this pod's NameNode serves, as active or standby.
. /etc/hdfs/ask.sh
name_node_state localhost > /dev/null
