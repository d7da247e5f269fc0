#!/bin/sh
# stop.sh DIR: stops the nginx that start.sh DIR started, and waits until it is gone.
set -eu
[ $# -eq 1 ] || { echo "usage: stop.sh DIR" >&2; exit 2; }
[ -s "$1/nginx.pid" ] || exit 0
pid=$(cat "$1/nginx.pid")
kill -TERM "$pid" 2>/dev/null || exit 0
tries=0
while kill -0 "$pid" 2>/dev/null; do
  tries=$((tries + 1))
  [ $tries -lt 500 ] || { kill -KILL "$pid" 2>/dev/null || true; exit 1; }
  sleep 0.02
done
