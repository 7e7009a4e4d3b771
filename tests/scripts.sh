#!/usr/bin/env bash
# Runs the scripts of operators for real: priv-net-run.sh and exec-plugins.sh with our plugins and with Debian's,
# docker-run.sh with a Docker daemon of its own. Everything is in namespaces that end with this script.
#
#   tests/scripts.sh [STATIC]      as root; STATIC: what scripts/build-static.sh printed, to try its plugins, too.
#
# Needs what scripts/install-test-tools.sh installs, and a release build with its plugins installed in
# target/release/plugins.
set -uo pipefail

if [ "${1-}" != --inside ]; then
    cd "$(dirname "$0")/.." || exit 2
    [ "$(id -u)" = 0 ] || { echo "ignored: tests/scripts.sh needs root"; exit 0; }
    . tests/support/host.sh
    make_mount_points /var/lib/cni
    trap remove_mount_points EXIT
    unshare --net --mount --pid --fork --kill-child --propagation private -- \
        "$PWD/tests/scripts.sh" --inside "$PWD" "${1-}"
    exit
fi
top=$2 static=$3
scripts=$top/scripts
ours=$top/target/release/plugins
# shellcheck source=tests/support/host.sh
. "$top/tests/support/host.sh"

networks() {
    local subnet='{ "type": "host-local", "subnet": "10.44.0.0/24", "routes": [{ "dst": "0.0.0.0/0" }] }'
    cat > /run/net.d/10-first.conflist <<LIST
{ "cniVersion": "1.0.0", "name": "first", "plugins": [
    { "type": "bridge", "bridge": "br-first", "isGateway": true, "ipMasq": true, "ipam": $subnet } ] }
LIST
    cat > /run/net.d/20-second.conf <<'CONF'
{ "cniVersion": "0.4.0", "name": "second", "type": "bridge", "bridge": "br-second",
  "ipam": { "type": "host-local", "subnet": "10.45.0.0/24" } }
CONF
    echo '{ "cniVersion": "0.4.0", "name": "lo", "type": "loopback" }' > /run/net.d/99-lo.json
}

broken_network() {
    echo '{ "cniVersion": "0.4.0", "name": "broken", "type": "noop", "ipam": 7 }' > /run/net.d/50-broken.conf
    cat > /run/net.d/60-refuses.conflist <<'LIST'
{ "cniVersion": "1.0.0", "name": "refuses", "plugins": [ { "type": "host-local", "ipam": { "type": "host-local",
    "subnet": "not a subnet" } } ] }
LIST
}

# leftovers: interfaces, addresses, namespaces and cache entries that a script left.
leftovers() {
    ip -o link show type veth
    find /var/lib/cni -name '10.4*' -o -path '*results/*' -type f
    ls /run/netns
}

test_priv_net_run() {
    local out
    out=$("$scripts/priv-net-run.sh" ip -o -4 address)
    has "$1: eth0 is on the first network" "eth0    inet 10.44.0." "$out"
    has "$1: eth1 is on the second network" "eth1    inet 10.45.0." "$out"
    has "$1: lo is up" "lo    inet 127.0.0.1/8" "$out"
    # shellcheck disable=SC2016  # the inner shell expands it
    out=$("$scripts/priv-net-run.sh" sh -c 'echo "$1"; exit 7' sh 'two  words')
    is "$1: the status is the command's" 7 $?
    is "$1: arguments with spaces survive" 'two  words' "$out"
    "$scripts/priv-net-run.sh" sleep 100 &
    sleep 1
    kill -TERM $!
    wait $!
    is "$1: a signal ends the command" 143 $?
    is "$1: nothing is left" '' "$(leftovers)"
}

test_failing_add() {
    local out
    broken_network
    out=$("$scripts/priv-net-run.sh" echo ran 2>&1)
    is "a failed ADD fails" 1 $?
    has "the plugin's message is shown" "not a subnet" "$out"
    has "a broken file is named" "50-broken.conf:1" "$out"
    case $out in *ran*) is "the command is not run" no ran ;; esac
    is "what was added is taken back" '' "$(leftovers)"
    rm /run/net.d/50-broken.conf /run/net.d/60-refuses.conflist
}

test_exec_plugins() {
    local out
    ip netns add t
    "$scripts/exec-plugins.sh" add c1 /run/netns/t > /dev/null
    is "exec-plugins.sh add" 0 $?
    has "exec-plugins.sh adds all networks" "eth1    inet 10.45.0." "$(ip netns exec t ip -o -4 address)"
    "$scripts/exec-plugins.sh" del c1 /run/netns/t
    is "exec-plugins.sh del" 0 $?
    out=$(ip -n t -o link | grep -c eth)
    is "exec-plugins.sh del removes all interfaces" 0 "$out"
    ip netns delete t
    is "exec-plugins.sh leaves nothing" '' "$(leftovers)"
    "$scripts/exec-plugins.sh" add c1 2> /dev/null
    is "wrong usage is status 2" 2 $?
}

# A plugin that never answers: what was added before it goes when a signal comes.
test_interrupted_add() {
    mkdir /run/hangs
    # shellcheck disable=SC2016  # the plugin expands it
    printf '#!/bin/sh\ntest $CNI_COMMAND = DEL || exec sleep 100\n' > /run/hangs/hangs
    chmod +x /run/hangs/hangs
    echo '{ "cniVersion": "1.0.0", "name": "hangs", "type": "hangs" }' > /run/net.d/90-hangs.conf
    ip netns add t
    env --default-signal=INT CNI_PATH="$CNI_PATH:/run/hangs" setsid "$scripts/exec-plugins.sh" add c1 /run/netns/t \
        > /dev/null 2>&1 &
    local pid=$!
    until ip -n t -o link | grep -q eth1; do sleep 0.1; done
    sleep 0.5
    kill -INT -- -$pid
    wait $pid
    is "exec-plugins.sh: Ctrl-C is status 130" 130 $?
    is "exec-plugins.sh: Ctrl-C takes back what was added" 0 "$(ip -n t -o link | grep -c eth)"
    ip netns delete t
    rm /run/net.d/90-hangs.conf
    is "exec-plugins.sh: Ctrl-C leaves nothing" '' "$(leftovers)"
}

# image CLIENT: gives it the image `busybox`, from Debian's static one.
image() {
    local root=/run/rootfs
    mkdir -p $root/bin
    cp "$(command -v busybox)" $root/bin/busybox
    for applet in sh sleep ip echo true false cat tty; do ln -sf busybox $root/bin/$applet; done
    tar -C $root -c . | "$1" import - busybox:latest > /dev/null
    rm -r $root
}

start_docker() {
    local dir=/run/docker-test
    mkdir -p $dir
    mount -t tmpfs -o size=2g tmpfs $dir
    echo '{}' > $dir/config.json
    export DOCKER_HOST=unix://$dir/docker.sock DOCKER=/usr/bin/docker
    dockerd --host "$DOCKER_HOST" --data-root $dir/root --exec-root $dir/exec --pidfile $dir/pid \
        --config-file $dir/config.json --bridge=none --iptables=false --ip6tables=false --ip-forward=false \
        --ip-masq=false --userland-proxy=false --storage-driver=overlay2 --exec-opt native.cgroupdriver=cgroupfs \
        --cgroup-parent=/libcni-test --shutdown-timeout 1 > $dir/log 2>&1 &
    daemon=$!
    local tries=0
    until $DOCKER version > /dev/null 2>&1; do
        tries=$((tries + 1))
        if [ $tries -ge 600 ] || ! kill -0 $daemon; then
            is "dockerd answers" yes "$(tail -5 $dir/log)"
            return 1
        fi
        sleep 0.1
    done
    image $DOCKER
}

stop_docker() {
    local ids
    ids=$($DOCKER ps --all --quiet)
    # shellcheck disable=SC2086  # a list of ids
    [ -z "$ids" ] || $DOCKER rm --force $ids > /dev/null
    kill $daemon
    wait $daemon
    find /sys/fs/cgroup -depth -type d -path '*/libcni-test*' -exec rmdir {} + 2> /dev/null
}

# A podman with files of its own.
own_podman() {
    local dir=/run/podman-test
    mkdir -p $dir
    mount -t tmpfs -o size=2g tmpfs $dir
    mkdir $dir/nets
    cat > $dir/containers.conf <<CONF
[containers]
cgroupns = "host"
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
tmp_dir = "$dir/tmp"
volume_path = "$dir/volumes"
[network]
network_backend = "cni"
network_config_dir = "$dir/nets"
CONF
    printf '[storage]\ndriver = "overlay"\nrunroot = "%s"\ngraphroot = "%s"\n' $dir/runroot $dir/root > $dir/storage.conf
    cat > $dir/podman <<CLIENT
#!/bin/sh
export CONTAINERS_CONF=$dir/containers.conf CONTAINERS_STORAGE_CONF=$dir/storage.conf
case \$1 in run) shift; set -- run --cgroup-parent=/libcni-test --pull=never "\$@" ;; esac
exec podman --cgroup-manager=cgroupfs "\$@"
CLIENT
    chmod +x $dir/podman
    export DOCKER=$dir/podman
    image $DOCKER
}

# What every client can do.
test_container() {
    local out pid
    out=$("$scripts/docker-run.sh" --rm busybox ip -o -4 address)
    is "$1: docker-run.sh succeeds" 0 $?
    has "$1: eth0 is on the first network" "eth0    inet 10.44.0." "$out"
    has "$1: eth1 is on the second network" "eth1    inet 10.45.0." "$out"
    # shellcheck disable=SC2016  # the inner shell expands it
    out=$("$scripts/docker-run.sh" --rm --env WORD=x busybox sh -c 'echo "$1 $WORD"; exit 9' sh 'two  words')
    is "$1: the status is the command's" 9 $?
    is "$1: options and arguments arrive" 'two  words x' "$out"
    echo shared > /run/net.d/file
    out=$("$scripts/docker-run.sh" --rm -v /run/net.d:/there busybox cat /there/file)
    is "$1: a volume arrives" shared "$out"
    out=$(echo piped | "$scripts/docker-run.sh" --rm -i busybox cat)
    is "$1: stdin arrives" piped "$out"
    out=$(script --quiet --return --command "$scripts/docker-run.sh --rm -it busybox tty" /dev/null < /dev/null)
    has "$1: a terminal arrives" /dev/ "$out"
    broken_network
    out=$("$scripts/docker-run.sh" --rm busybox echo ran 2>&1)
    is "$1: a failed ADD fails" 1 $?
    has "$1: the plugin's message is shown" "not a subnet" "$out"
    rm /run/net.d/50-broken.conf /run/net.d/60-refuses.conflist
    # As from a terminal: to the whole process group; and not ignored, as a shell has it for jobs in the background.
    env --default-signal=INT setsid "$scripts/docker-run.sh" --rm busybox sleep 100 &
    pid=$!
    for _ in $(seq 100); do [ "$($DOCKER ps --quiet | wc -l)" -ge 2 ] && break; sleep 0.1; done
    kill -INT -- -$pid
    wait $pid
    is "$1: Ctrl-C is status 130" 130 $?
    is "$1: no container is left" '' "$($DOCKER ps --all --quiet)"
    is "$1: nothing else is left" '' "$(leftovers)"
}

# has_all NAME PROGRAM...: whether a test can run here; if not, says so.
has_all() {
    local name=$1 program
    shift
    for program in "$@"; do
        command -v "$program" > /dev/null || { echo "ignored: $name needs $program"; return 1; }
    done
}

test_docker() {
    has_all docker dockerd busybox || return
    start_docker || return
    test_container docker
    stop_docker
}

test_podman() {
    has_all podman podman runc busybox || return
    own_podman
    test_container podman
    find /sys/fs/cgroup -depth -type d -path '*/libcni-test*' -exec rmdir {} + 2> /dev/null
}

host
networks
export NETCONFPATH=/run/net.d
cd /
for plugins in "$ours" ${static:+"$static/plugins"} /usr/lib/cni; do
    [ -x "$plugins/bridge" ] || { echo "ignored: priv-net-run.sh needs $plugins/bridge"; continue; }
    export CNI_PATH=$plugins
    test_priv_net_run "$plugins"
done
export CNI_PATH=$ours:$top/target/release/examples
test_failing_add
test_exec_plugins
test_interrupted_add
test_docker
test_podman
summary
