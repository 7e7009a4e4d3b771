#!/bin/bash
# Prints how long container ADD and DEL take with our plugins and with the Go ones, in turn, in one run.
#
#   scripts/bench-plugins.sh [RUNS]      as root; RUNS containers each (default 30)
#
# GO_PLUGINS is where the Go plugins are (default /usr/lib/cni, where Debian has 1.1.1).
#
# Everything is driven by our cnitool, in namespaces that end with this script. Compare the columns of one run:
# absolute times differ from machine to machine and from hour to hour. The plugins and cnitool are static, as Go's are; the
# plugin that does nothing is an ordinary build.
#
# What can't be faster is in the table, too: a plugin that does nothing, and what the kernel takes to delete a pair of
# veths, mostly for waiting until no processor can be looking at them any more.
set -euo pipefail

if [ "${1-}" != --inside ]; then
    cd "$(dirname "$0")/.."
    built=$(scripts/build-static.sh)
    cargo build --quiet --locked --release --example noop
    exec unshare --net --mount --propagation private "$PWD/scripts/bench-plugins.sh" --inside "${1:-30}" "$built" \
        "$PWD/target/release/examples"
fi
runs=$2 release=$3 examples=$4 cnitool=$release/cnitool
declare -A dirs=([ours]=$release/plugins [go]=${GO_PLUGINS:-/usr/lib/cni})

mount -t tmpfs tmpfs /run
mkdir -p /run/netns /run/net.d /run/times
ip link set lo up

# network NAME BRIDGE SUBNET EXTRA [PLUGIN]: a list with a bridge, EXTRA keys in it, and perhaps one more plugin.
network() {
    cat > "/run/net.d/$1.conflist" <<LIST
{ "cniVersion": "1.0.0", "name": "$1", "plugins": [
    { "type": "bridge", "bridge": "$2", "isGateway": true $4,
      "ipam": { "type": "host-local", "dataDir": "/run/ipam", "subnet": "$3", "routes": [{ "dst": "0.0.0.0/0" }] } }${5-}
] }
LIST
}

# settle: lets a while pass that differs each time. To free links and rules the kernel waits in steps of its clock, so
# that commands which always follow each other by the same time would meet it at the same moment of a step.
settle() {
    local pause
    printf -v pause "0.%03d" $((RANDOM % 30 + 20))
    sleep "$pause"
}

# timed FILE COMMAND...: appends the microseconds it took.
timed() {
    local file=$1 start end
    shift
    settle
    start=${EPOCHREALTIME/[.,]/}
    "$@" > /dev/null
    end=${EPOCHREALTIME/[.,]/}
    echo $((end - start)) >> "/run/times/$file"
}

# what_can_not_be_faster RUN: measures a plugin that does nothing, and deleting links.
what_can_not_be_faster() {
    local options=(--conf-dir /run/net.d --plugin-dir "$examples" --cache-dir /run/cni --container-id "n$1")
    timed noop-add "$cnitool" add noop c "${options[@]}"
    timed noop-del "$cnitool" del noop c "${options[@]}"
    ip link add veth0 master floor up type veth peer name veth1 netns c
    ip -n c address add 10.37.0.2/16 dev veth1
    ip -n c link set veth1 up
    timed link-del ip link delete veth0
}

# many_ports PROTOCOL: the configuration of portmap with 4,000 ports: too many for one of cnitool's arguments.
many_ports() {
    local ports
    ports=$(seq -f '{ "hostPort": %.0f, "containerPort": 80, "protocol": "'"$1"'" }' -s , 10000 13999)
    echo '{ "cniVersion": "1.0.0", "name": "many", "type": "portmap", "runtimeConfig": { "portMappings": ['"$ports"'] },
        "prevResult": { "cniVersion": "1.0.0", "ips": [{ "address": "10.36.0.2/16" }] } }'
}

# portmap VERB PROTOCOL: our plugin alone, run as a runtime runs it.
portmap() {
    CNI_COMMAND=$1 CNI_CONTAINERID=many CNI_NETNS=/run/netns/c CNI_IFNAME=eth0 CNI_PATH=${dirs[ours]} \
        "${dirs[ours]}/portmap" < "/run/$2-ports"
}

port=', { "type": "portmap", "capabilities": { "portMappings": true } }'
network plain-ours bo0 10.30.0.0/16 ''
network plain-go bg0 10.31.0.0/16 ''
network masq-ours bo1 10.32.0.0/16 ', "ipMasq": true'
network masq-go bg1 10.33.0.0/16 ', "ipMasq": true'
network port-ours bo2 10.34.0.0/16 ', "ipMasq": true' "$port"
network port-go bg2 10.35.0.0/16 ', "ipMasq": true' "$port"
echo '{ "cniVersion": "1.0.0", "name": "noop", "plugins": [{ "type": "noop" }] }' > /run/net.d/noop.conflist
export CAP_ARGS='{ "portMappings": [{ "hostPort": 8080, "containerPort": 80, "protocol": "tcp" }] }'

# One namespace for all: the kernel goes on for a while with one that was deleted, which would be in the figures.
ip netns add c
ip link add floor up type bridge
for ((i = 0; i <= runs; i++)); do
    for kind in plain masq port; do
        for whose in ours go; do
            options=(--conf-dir /run/net.d --plugin-dir "${dirs[$whose]}" --cache-dir /run/cni --container-id "c$i")
            # The first run makes bridges, and loads programs: not measured.
            [ "$i" -gt 0 ] && to=$kind-$whose || to=warm-up
            timed "$to-add" "$cnitool" add "$kind-$whose" c "${options[@]}"
            timed "$to-del" "$cnitool" del "$kind-$whose" c "${options[@]}"
        done
    done
    what_can_not_be_faster "$i"
done

# A connection that is tracked: without any, nobody would look for those of UDP ports.
nft 'table ip tracking { chain sent { type filter hook output priority 0; ct state new counter; }; }'
for protocol in tcp udp; do many_ports $protocol > /run/$protocol-ports; done
echo hello > /dev/udp/127.0.0.1/9
for ((i = 0; i < (runs < 5 ? runs : 5); i++)); do
    for protocol in tcp udp; do
        timed many-$protocol-add portmap ADD $protocol
        timed many-$protocol-del portmap DEL $protocol
    done
done

median() { sort -n "/run/times/$1" | awk '{ v[NR] = $1 } END { print (NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2) / 1000 }'; }

printf '%-36s %8s %8s %8s\n' "median of $runs, ms" ours Go ratio
declare -A labels=([plain]='' [masq]=' with ipMasq' [port]=' with ipMasq and a mapped port')
for kind in plain masq port; do
    for verb in add del; do
        awk -v l="$verb${labels[$kind]}" -v a="$(median "$kind-ours-$verb")" -v b="$(median "$kind-go-$verb")" \
            'BEGIN { printf "%-36s %8.1f %8.1f %8.2f\n", l, a, b, a / b }'
    done
done
printf '%-36s %8.1f\n' 'add of a plugin that does nothing' "$(median noop-add)"
printf '%-36s %8.1f\n' 'del of a plugin that does nothing' "$(median noop-del)"
printf '%-36s %8.1f\n' 'ip link delete' "$(median link-del)"
printf '\n%-36s %8s %8s %8s\n' '4,000 ports, by portmap alone, ms' UDP TCP ratio
for verb in add del; do
    awk -v l="$verb" -v a="$(median "many-udp-$verb")" -v b="$(median "many-tcp-$verb")" \
        'BEGIN { printf "%-36s %8.1f %8.1f %8.2f\n", l, a, b, a / b }'
done
