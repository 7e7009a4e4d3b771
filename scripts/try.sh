#!/bin/sh
# Adds a throw-away container to a throw-away host's bridge network with cnitool, shows it, and removes it again.
#
#   scripts/try.sh [PLUGIN-DIR]      as root, or as an ordinary user where user namespaces are allowed
#
# PLUGIN-DIR is target/release/plugins unless given; /usr/lib/cni has Debian's (containernetworking-plugins).
#
# Everything happens in namespaces that end with this script: nothing is left on the machine.
set -eu

if [ "${1-}" != --inside ]; then
    plugins=${1:+$(realpath "$1")}
    cd "$(dirname "$0")/.."
    echo 'Building cnitool and the plugins; the first time that takes some minutes.' >&2
    cargo build --quiet --locked --release --bins
    target/release/cni-plugins install target/release/plugins
    self=$PWD/scripts/try.sh
    plugins=${plugins:-$PWD/target/release/plugins}
    if [ "$(id -u)" = 0 ]; then set -- --net --mount --propagation private; else set -- -Urnm; fi
    exec unshare "$@" "$self" --inside "$plugins" "$PWD/target/release/cnitool"
fi
plugins=$2 cnitool=$3

run() {
    printf '\n$ %s\n' "$*"
    "$@"
}

mount -t tmpfs tmpfs /run
mkdir -p /run/netns /run/net.d
ip link set lo up
ip netns add blue
cat > /run/net.d/10-mynet.conflist <<'LIST'
{
    "cniVersion": "1.0.0",
    "name": "mynet",
    "plugins": [
        {
            "type": "bridge",
            "bridge": "cni0",
            "isGateway": true,
            "ipMasq": true,
            "ipam": {
                "type": "host-local",
                "dataDir": "/run/ipam",
                "ranges": [[{ "subnet": "10.22.0.0/16" }]],
                "routes": [{ "dst": "0.0.0.0/0" }]
            }
        },
        { "type": "portmap", "capabilities": { "portMappings": true } }
    ]
}
LIST
cd /
options="--conf-dir /run/net.d --plugin-dir $plugins --cache-dir /run/cni"
# shellcheck disable=SC2086 # a list of options
{
    run "$cnitool" add mynet blue $options
    run ip netns exec blue ip address
    run "$cnitool" check mynet blue $options
    run "$cnitool" del mynet blue $options
    run ip netns exec blue ip address
}
