#!/bin/bash
# The controller that makes its pod's NameNode active or standby. Where ZooKeeper has lost its place, or never had it, that is
# made first.
place=/data/elections
if [ ! -e "$place" ]; then
    hdfs zkfc -formatZK -nonInteractive
    case $? in
        0 | 2) touch "$place" ;; # made, or there already
        *) exit 1 ;;
    esac
fi
hdfs zkfc &
controller=$!
trap 'kill "$controller"' TERM INT
wait "$controller"
ended=$?
trap - TERM INT
wait "$controller"
# 2: there is no place for elections.
if [ "$ended" = 2 ]; then rm -f "$place"; fi
exit "$ended"
