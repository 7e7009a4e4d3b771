#!/bin/bash
# Prints how long container ADD and DEL take with our plugins and with Debian's Go ones, in turn, in one run.
#
#   scripts/bench-plugins.sh [RUNS]      as root; RUNS containers each (default 30)
#
# Everything is driven by our cnitool, in namespaces that end with this script. Compare the columns of one run:
# absolute times differ from machine to machine and from hour to hour.
set -euo pipefail

if [ "${1-}" != --inside ]; then
    cd "$(dirname "$0")/.."
    cargo build --quiet --release --bins --examples
    exec unshare --net --mount --propagation private "$PWD/scripts/bench-plugins.sh" --inside "${1:-30}" "$PWD/target/release"
fi
runs=$2 release=$3 cnitool=$release/cnitool
declare -A dirs=([ours]=$release/examples [go]=/usr/lib/cni)

mount -t tmpfs tmpfs /run
mkdir -p /run/netns /run/net.d /run/times
ip link set lo up

# network NAME BRIDGE SUBNET EXTRA: a list with a bridge, EXTRA keys in it.
network() {
    cat > "/run/net.d/$1.conflist" <<LIST
{ "cniVersion": "1.0.0", "name": "$1", "plugins": [
    { "type": "bridge", "bridge": "$2", "isGateway": true $4,
      "ipam": { "type": "host-local", "dataDir": "/run/ipam", "subnet": "$3", "routes": [{ "dst": "0.0.0.0/0" }] } }
] }
LIST
}

# timed FILE COMMAND...: appends the microseconds it took.
timed() {
    local file=$1 start end
    shift
    start=${EPOCHREALTIME/[.,]/}
    "$@" > /dev/null
    end=${EPOCHREALTIME/[.,]/}
    echo $((end - start)) >> "/run/times/$file"
}

network plain-ours bo0 10.30.0.0/16 ''
network plain-go bg0 10.31.0.0/16 ''
network masq-ours bo1 10.32.0.0/16 ', "ipMasq": true'
network masq-go bg1 10.33.0.0/16 ', "ipMasq": true'

for ((i = 0; i <= runs; i++)); do
    for kind in plain masq; do
        for whose in ours go; do
            ip netns add c
            options=(--conf-dir /run/net.d --plugin-dir "${dirs[$whose]}" --cache-dir /run/cni --container-id "c$i")
            # The first run makes bridges and tables, and loads programs: not measured.
            [ "$i" -gt 0 ] && to=$kind-$whose || to=warm-up
            timed "$to-add" "$cnitool" add "$kind-$whose" c "${options[@]}"
            timed "$to-del" "$cnitool" del "$kind-$whose" c "${options[@]}"
            ip netns delete c
        done
    done
done

median() { sort -n "/run/times/$1" | awk '{ v[NR] = $1 } END { print (NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2) / 1000 }'; }

printf '%-22s %10s %10s %8s\n' "median of $runs, ms" ours Go ratio
for kind in plain masq; do
    for verb in add del; do
        ours=$(median "$kind-ours-$verb") go=$(median "$kind-go-$verb")
        label=$([ $kind = masq ] && echo "$verb with ipMasq" || echo "$verb")
        awk -v l="$label" -v a="$ours" -v b="$go" 'BEGIN { printf "%-22s %10.1f %10.1f %8.2f\n", l, a, b, a / b }'
    done
done
