#!/usr/bin/env bash
# `docker run`, with the container on every network of the configuration directory instead of Docker's.
#
#   docker-run.sh [DOCKER RUN OPTION...] IMAGE [COMMAND [ARGUMENT...]]
#
# A helper container holds the network namespace. Whatever happens, it goes, and so does what was added; the exit
# status is that of `docker run`. NETCONFPATH, CNI_PATH and DEBUG are those of exec-plugins.sh, and
#
#   DOCKER       the client: docker by default; podman works too
#   PAUSE_IMAGE  what the helper container runs `sleep` from: busybox by default
# shellcheck disable=SC2317  # traps call these functions
set -euo pipefail
if [ -n "${DEBUG:-}" ]; then set -x; fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
docker=${DOCKER:-docker}

if [ $# -eq 0 ]; then
    echo "usage: docker-run.sh [DOCKER RUN OPTION...] IMAGE [COMMAND [ARGUMENT...]]" >&2
    exit 2
fi

helper='' netns='' child='' caught=0
state=$(mktemp -d)

# Killed first: podman gives a container ten seconds, which `sleep` does not make use of.
end() {
    "$docker" kill "$1" > /dev/null 2>&1 || true
    "$docker" rm --force "$1" > /dev/null 2>&1 || true
}

clean_up() {
    trap '' INT TERM HUP
    if [ -n "$netns" ]; then
        "$here/exec-plugins.sh" del "$helper" "/var/run/netns/$netns" || true
        ip netns delete "$netns" || true
    fi
    if [ -n "$helper" ]; then end "$helper"; fi
    rm -rf "$state"
}
trap clean_up EXIT

# The container goes with a signal, whatever its command makes of signals.
interrupted() {
    caught=$1
    if [ -s "$state/id" ]; then end "$(cat "$state/id")"; fi
    if [ -n "$child" ]; then kill -TERM "$child" 2> /dev/null || true; else exit $((128 + caught)); fi
}
trap 'interrupted 2' INT
trap 'interrupted 15' TERM
trap 'interrupted 1' HUP

helper=$("$docker" run --detach --network=none --entrypoint=sleep "${PAUSE_IMAGE:-busybox}" 2147483647)
# By name, not by /proc/PID: a number may be another process's by the time of DEL.
name=cni-${helper:0:12}
ip netns attach "$name" "$("$docker" inspect --format '{{.State.Pid}}' "$helper")"
netns=$name

"$here/exec-plugins.sh" add "$helper" "/var/run/netns/$netns" > /dev/null

# In the background, so that a signal is heard at once.
"$docker" run --network="container:$helper" --cidfile="$state/id" "$@" <&0 &
child=$!
status=0
wait "$child" || status=$?
while kill -0 "$child" 2> /dev/null; do
    status=0
    wait "$child" || status=$?
done
if [ "$caught" -ne 0 ]; then status=$((128 + caught)); fi
exit "$status"
