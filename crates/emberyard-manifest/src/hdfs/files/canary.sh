#!/bin/bash
# Measures what clients wait, once there is something to use. Until then its start would only take the others' processors.
until [ -e "$PREPARED" ]; do sleep 0.5; done
exec hdfs canary "$CANARY_PORT" /tmp/.canary
