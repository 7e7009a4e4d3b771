#!/usr/bin/env bash
# Adds a container to every network of the configuration directory, or removes it from them.
#
#   exec-plugins.sh add|del CONTAINER-ID NETNS-PATH
#
# The networks come in the order of their files' names as eth0, eth1, …; one of nothing but loopback has `lo`. When one
# can't be added, those before it are taken back. `del` goes in reverse order, and on after an error.
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
    "$cnitool" "$1" "${names[$2]}" "$netns" --container-id "$container" --ifname "${ifnames[$2]}"
}

# Removes the container from the networks before the given one, in reverse order.
take_back() {
    local i failed=0
    for ((i = $1 - 1; i >= 0; i--)); do
        one del "$i" || failed=1
    done
    return $failed
}

# Ctrl-C ends the running plugin, too: what it had begun is taken back with the others.
interrupted() {
    trap '' INT TERM HUP
    take_back "$begun" || true
    exit $((128 + $1))
}

case $verb in
    add)
        begun=0
        trap 'interrupted 2' INT
        trap 'interrupted 15' TERM
        trap 'interrupted 1' HUP
        for ((n = 0; n < ${#names[@]}; n++)); do
            begun=$((n + 1))
            if one add "$n"; then continue; fi
            take_back "$begun" || true
            exit 1
        done
        ;;
    del) take_back ${#names[@]} ;;
    *) usage ;;
esac
