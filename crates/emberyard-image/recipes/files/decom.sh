#!/bin/bash
# Called before an executor's pod is stopped: the executor hands its blocks to others, then ends by itself.
executor=$(pgrep -o -f KubernetesExecutorBackend) || exit 0
kill -s PWR "$executor" || exit 0
echo "decommissioning executor process $executor" >&2
while kill -0 "$executor" 2>/dev/null; do
    sleep 0.5
done
