#!/bin/bash
# Prints how the cost of a container depends on how many are there already, and how long a node takes for many at once,
# with our plugins and with the Go ones, in one run.
#
#   scripts/bench-node.sh [RUNS]       as root; the median of RUNS (default 15)
#
# GO_PLUGINS is where the Go plugins are (default /usr/lib/cni), and GO_MOST how many containers they are measured with
# at most (default 250, 0 for not at all): to fill a node takes them minutes. Each column has a host of its own, made of
# namespaces, which ends with this script; all take turns. The containers of a host are on one bridge with masquerading,
# and each has a port of TCP and one of UDP, but for the rows that say otherwise. Everything is driven by our cnitool, in
# static builds.
#
# The last columns of the second table are what the kernel takes for the same: `ip -batch` makes the pairs of veths, their
# addresses and routes, and `nft` the same elements in maps, as two of each at once.
set -euo pipefail

# on_host: does what it is told, line by line, and prints how long that took in microseconds.
on_host() {
    local line start
    ip link set lo up
    while read -r line; do
        start=${EPOCHREALTIME/[.,]/}
        eval "$line" > /dev/null 2>> /run/errors || echo "failed: $line" >> /run/errors
        echo $((${EPOCHREALTIME/[.,]/} - start))
    done
}

# verb VERB N [PROTOCOLS]: of container N.
verb() {
    local ports=()
    for protocol in ${3-tcp udp}; do
        ports+=("{\"hostPort\":$((10000 + $2)),\"containerPort\":80,\"protocol\":\"$protocol\"}")
    done
    local IFS=,
    CAP_ARGS="{\"portMappings\":[${ports[*]}]}" "$cnitool" "$1" net "/run/netns/$host-$2" --container-id "c$2" "${options[@]}"
}

# together VERB FROM TO: of many containers at once.
together() {
    local n
    for ((n = $2; n <= $3; n++)); do verb "$1" "$n" || echo "failed: $1 of $n" >&2 & done
    wait
}

# kernel_makes N: the links, addresses, routes and rules of N containers, without any plugin.
kernel_makes() {
    local half from
    ip link add floor type bridge && ip link set floor up
    nft 'table inet floor {
        map sources { type ipv4_addr : verdict; }; map ports { type inet_proto . inet_service : verdict; }
        map ways { type ipv4_addr . inet_proto . inet_service : verdict; }
        chain leave { masquerade; }; chain post { type nat hook postrouting priority 100; ip saddr vmap @sources; }; }'
    for half in 0 1; do
        from=$((half * $1 / 2 + 1))
        { links_of $from $(($1 / 2)) | ip -batch - && elements_of $from $(($1 / 2)) | nft -f - || echo failed: kernel >&2; } &
    done
    wait
}

# kernel_removes N: the same.
kernel_removes() {
    local half
    for half in 0 1; do
        seq -f 'link delete f%.0f' $((half * $1 / 2 + 1)) $((half * $1 / 2 + $1 / 2)) | ip -batch - &
    done
    nft delete table inet floor
    wait
}

links_of() {
    local n
    for ((n = $1; n < $1 + $2; n++)); do
        echo "link add f$n type veth peer name eth0 netns floor-$n"
        echo "link set f$n master floor up"
    done
    for ((n = $1; n < $1 + $2; n++)); do
        ip netns exec "floor-$n" ip -batch - <<BATCH >&2
addr add 10.99.$((n / 250)).$((n % 250 + 2))/16 dev eth0
link set eth0 up
route add default via 10.99.0.1 onlink dev eth0
BATCH
    done
}

elements_of() {
    local n address
    for ((n = $1; n < $1 + $2; n++)); do
        address=10.99.$((n / 250)).$((n % 250 + 2))
        echo "add element inet floor sources { $address : jump leave }"
        for protocol in tcp udp; do
            echo "add chain inet floor $protocol-$n; add rule inet floor $protocol-$n meta l4proto $protocol dnat ip to $address:80"
            echo "add element inet floor ports { $protocol . $((10000 + n)) : jump $protocol-$n }"
            echo "add element inet floor ways { $address . $protocol . $((10000 + n)) : jump leave }"
        done
    done
}

if [ "${1-}" = --host ]; then
    host=$2 cnitool=$3
    options=(--conf-dir "/run/$host/net.d" --plugin-dir "$4" --cache-dir "/run/$host/cni")
    on_host
    exit
fi
if [ "${1-}" != --inside ]; then
    cd "$(dirname "$0")/.."
    exec unshare --mount --propagation private "$PWD/scripts/bench-node.sh" --inside "${1:-15}" "$(scripts/build-static.sh)"
fi
runs=$2 release=$3 script=$0 most=${GO_MOST:-250}
declare -A dirs=([ours]=$release/plugins [go]=${GO_PLUGINS:-/usr/lib/cni}) in out
hosts=(ours-1 ours-250 ours-900) sides=(ours)
if [ "$most" -gt 0 ]; then hosts+=(go-1 "go-$most") sides+=(go); fi

mount -t tmpfs tmpfs /run
mkdir -p /run/netns /run/times

# boot HOST: a new host, with what is on disk.
boot() {
    local version=1.1.0
    mkdir -p "/run/$1/net.d"
    # Older ones have no GC.
    CNI_COMMAND=VERSION "${dirs[${1%%-*}]-$release}/bridge" 2> /dev/null < /dev/null | grep -q 1.1.0 || version=1.0.0
    cat > "/run/$1/net.d/net.conflist" << LIST
{ "cniVersion": "$version", "name": "net", "plugins": [
    { "type": "bridge", "bridge": "cni0", "isDefaultGateway": true, "ipMasq": true,
      "ipam": { "type": "host-local", "dataDir": "/run/$1/ipam", "subnet": "10.77.0.0/16" } },
    { "type": "portmap", "capabilities": { "portMappings": true } }
] }
LIST
    mkfifo "/run/$1/in" "/run/$1/out"
    unshare --net "$script" --host "$1" "$release/cnitool" "${dirs[${1%%-*}]-}" < "/run/$1/in" > "/run/$1/out" &
    exec {to}> "/run/$1/in" {from}< "/run/$1/out"
    in[$1]=$to out[$1]=$from
    rm "/run/$1/in" "/run/$1/out"
}

# halt HOST: it and all of its containers.
halt() {
    local to=${in[$1]} from=${out[$1]} netns
    exec {to}>&- {from}<&-
    for netns in "/run/netns/$1"-*; do ip netns delete "${netns##*/}"; done
}

# on HOST COMMAND...: does it there; its microseconds are in `took`.
on() {
    echo "${*:2}" >&"${in[$1]}"
    read -r took <&"${out[$1]}"
}

# timed FILE HOST COMMAND...: the same, and keeps the time in a file.
timed() {
    on "${@:2}"
    echo "$took" >> "/run/times/$1"
}

# namespaces HOST N: those of N containers.
namespaces() { seq -f "netns add $1-%.0f" 1 "$2" | ip -batch -; }

# fill HOST N: adds N containers, a few at once.
fill() {
    local n
    for ((n = 1; n <= $2; n += 10)); do on "$1" together add $n $((n + 9 < $2 ? n + 9 : $2)); done
}

median() { sort -n "/run/times/$1" | awk '{ v[NR] = $1 } END { print (NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2) / 1000 }'; }

# measure HOST: the last of its containers.
measure() {
    local n=${1#*-}
    timed "$1-ADD" "$1" verb add "$n"
    timed "$1-CHECK" "$1" verb check "$n"
    timed "$1-GC" "$1" "\$cnitool gc net --keep-live \"\${options[@]}\""
    timed "$1-DEL" "$1" verb del "$n"
    timed "$1-ADD,_TCP_only" "$1" verb add "$n" tcp
    timed "$1-DEL,_TCP_only" "$1" verb del "$n" tcp
}

for host in "${hosts[@]}"; do
    boot "$host"
    namespaces "$host" "${host#*-}"
    fill "$host" "${host#*-}"
    on "$host" verb del "${host#*-}"
done
for ((run = 0; run < runs; run++)); do
    for host in "${hosts[@]}"; do measure "$host"; done
done

printf '%-16s' "median of $runs, ms"
printf ' %8s' "${hosts[@]}" | sed 's/-/ /g'
printf ' %9s\n' '900:1'
for verb in ADD CHECK DEL GC ADD,_TCP_only DEL,_TCP_only; do
    printf '%-19s' "${verb//_/ }"
    for host in "${hosts[@]}"; do printf ' %8.1f' "$(median "$host-$verb")"; done
    awk -v a="$(median "ours-900-$verb")" -v b="$(median "ours-1-$verb")" 'BEGIN { printf " %9.2f\n", a / b }'
done
for host in "${hosts[@]}"; do halt "$host"; done

# A node that is empty, and one that comes back with what was recorded.
for side in "${sides[@]}"; do
    boot "$side"
    namespaces "$side" 250
    timed "$side-many-add" "$side" together add 1 100
    timed "$side-many-del" "$side" together del 1 100
    fill "$side" 250
    halt "$side"
    boot "$side"
    namespaces "$side" 250
    timed "$side-reboot-gc" "$side" "\$cnitool gc net --keep-live \"\${options[@]}\""
    # shellcheck disable=SC2016 # for the host
    timed "$side-reboot-add" "$side" 'for n in 0 1 2 3 4; do together add $((n * 50 + 1)) $((n * 50 + 50)); done'
    halt "$side"
done
boot floor
namespaces floor 100
timed floor-many-add floor kernel_makes 100
timed floor-many-del floor kernel_removes 100
halt floor

printf '\n%-22s %8s %8s %8s %8s %12s\n' ms ours Go ours:Go kernel ours:kernel
declare -A labels=([many-add]='100 ADDs at once' [many-del]='100 DELs at once' [reboot-gc]='GC after a reboot'
    [reboot-add]='250 ADDs, 50 at once')
for what in many-add many-del reboot-gc reboot-add; do
    printf '%-22s %8.0f' "${labels[$what]}" "$(median "ours-$what")"
    for of in go floor; do
        if [ -f "/run/times/$of-$what" ]; then
            awk -v a="$(median "ours-$what")" -v b="$(median "$of-$what")" 'BEGIN { printf " %8.0f %8.2f", b, a / b }'
        else
            printf ' %8s %8s' - -
        fi
    done
    echo
done
if grep -q ^failed: /run/errors; then
    grep -E '^(failed|error):' /run/errors | sort | uniq -c | sort -rn | head -5 >&2
    exit 1
fi
