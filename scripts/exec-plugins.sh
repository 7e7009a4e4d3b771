#!/usr/bin/env bash
# Adds a container to every network of the configuration directory, or removes it from them.
#
#   exec-plugins.sh add|del CONTAINER-ID NETNS-PATH
#
# The networks come in the order of their files' names as eth0, eth1, …; one of nothing but loopback has `lo`. When one
# can't be added, those before it are taken back, and nothing that was there before. `del` goes in reverse order, and on
# after an error.
#
#   NETCONFPATH  configuration directory, /etc/cni/net.d by default
#   CNI_PATH     plugin directories, /opt/cni/bin:/usr/lib/cni:/usr/libexec/cni by default
#   DEBUG        not empty: show what is run
set -euo pipefail
if [ -n "${DEBUG:-}" ]; then set -x; fi
# shellcheck source=scripts/find-cnitool.sh
. "$(dirname "${BASH_SOURCE[0]}")/find-cnitool.sh"

usage() {
    echo "usage: exec-plugins.sh add|del CONTAINER-ID NETNS-PATH" >&2
    exit 2
}
[ $# -eq 3 ] || usage
verb=$1 container=$2 netns=$3

names=() ifnames=()
listing=$("$cnitool" list networks --plain)
while IFS=$'\t' read -r name _ plugins _; do
    case ,$plugins, in
        ,loopback,) ifnames+=(lo) ;;
        *) ifnames+=("eth$((${#names[@]} - $(printf '%s\n' "${ifnames[@]}" | grep -cx lo || true)))") ;;
    esac
    names+=("$name")
done <<< "$listing"

one() {
    "$cnitool" "$1" "${names[$2]}" "$netns" --container-id "$container" --ifname "${ifnames[$2]}" --quiet "${@:3}"
}

# Removes the container from the networks before the given one, in reverse order.
take_back() {
    local i failed=0
    for ((i = $1 - 1; i >= 0; i--)); do
        one del "$i" || failed=1
    done
    return $failed
}

# Takes back what was added, and nothing else: what the last network had begun, `--rollback` has taken back.
give_up() {
    trap '' INT TERM HUP
    take_back "$added" || true
    exit "$1"
}

case $verb in
    add)
        added=0 signal=''
        # A signal counts between two networks, when it is known what was added.
        trap 'signal=2' INT
        trap 'signal=15' TERM
        trap 'signal=1' HUP
        while ((added < ${#names[@]})); do
            one add "$added" --rollback || give_up $((signal ? 128 + signal : 1))
            added=$((added + 1))
            [ -z "$signal" ] || give_up $((128 + signal))
        done
        ;;
    del) take_back ${#names[@]} ;;
    *) usage ;;
esac
