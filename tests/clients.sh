#!/usr/bin/env bash
# Runs container engines that are not ours with our plugins: podman with its CNI backend, containerd by `ctr run --cni`, and
# containerd's CRI as a node of Kubernetes uses it. Everything is in namespaces that end with this script.
#
#   tests/clients.sh [PLUGIN-DIR]      as root; needs what scripts/install-test-tools.sh installs, and a release build
#
# PLUGIN-DIR is target/release/plugins unless given. No other plugins are there.
set -uo pipefail

if [ "${1-}" != --inside ]; then
    cd "$(dirname "$0")/.." || exit 2
    [ "$(id -u)" = 0 ] || { echo "ignored: tests/clients.sh needs root"; exit 0; }
    for program in podman containerd runc busybox; do
        command -v "$program" > /dev/null || { echo "ignored: tests/clients.sh needs $program"; exit 0; }
    done
    . tests/support/host.sh
    make_mount_points /etc/cni /opt/cni/bin /var/lib/cni
    trap remove_mount_points EXIT
    unshare --net --mount --pid --ipc --fork --kill-child --propagation private -- \
        "$PWD/tests/clients.sh" --inside "$PWD" "$(realpath "${1:-target/release/plugins}")"
    exit
fi
top=$2 ours=$3
# shellcheck source=tests/support/host.sh
. "$top/tests/support/host.sh"
dir=/run/clients
plugins=$dir/plugins

# prepare: a directory with our plugins, and a root file system of busybox.
prepare() {
    mkdir -p $dir
    mount -t tmpfs -o size=2g tmpfs $dir
    mkdir -p $plugins $dir/root/{bin,dev,etc,proc,sys,tmp,www}
    for plugin in bandwidth bridge firewall flannel host-local loopback portmap ptp tuning; do ln -s "$ours/$plugin" $plugins; done
    cp "$(command -v busybox)" $dir/root/bin/busybox
    for applet in sh sleep ip ping timeout httpd cat; do ln -s busybox $dir/root/bin/$applet; done
    echo hello > $dir/root/www/index.html
    echo 'root:x:0:0:root:/:/bin/sh' > $dir/root/etc/passwd
}

# get URL [PREFIX...]: the page, fetched by the host or by a command that PREFIX begins.
get() {
    local url=$1
    shift
    "$@" timeout 10 busybox wget -q -O - "$url" 2>&1
}

has_no_links() {
    [ -z "$(ip -o link show type veth)" ]
}

# leaves_nothing WHO: no interface, address, rule or cached result of a container is there.
leaves_nothing() {
    # The kernel takes the links of a namespace that is gone down in its own time.
    eventually has_no_links
    is "$1: no interface is left" '' "$(ip -o link show type veth)"
    is "$1: no address is left" '' "$(find /var/lib/cni -name '10.*' -o -name 'fd00*' -o -path '*results/*' -type f)"
    is "$1: no table is left" '' "$(nft list tables | grep libcni)"
}

podman_configuration() {
    mkdir -p $dir/podman/{root,run,tmp,networks,volumes}
    cat > $dir/podman/containers.conf <<CONF
[containers]
cgroupns = "host"
default_sysctls = []
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
tmp_dir = "$dir/podman/tmp"
volume_path = "$dir/podman/volumes"
[network]
network_backend = "cni"
cni_plugin_dirs = ["$plugins"]
network_config_dir = "$dir/podman/networks"
CONF
    cat > $dir/podman/storage.conf <<CONF
[storage]
driver = "overlay"
runroot = "$dir/podman/run"
graphroot = "$dir/podman/root"
CONF
    export CONTAINERS_CONF=$dir/podman/containers.conf CONTAINERS_STORAGE_CONF=$dir/podman/storage.conf
    tar -C $dir/root -c . | podman import - localhost/busybox > /dev/null 2>&1
}

podman_run() {
    podman run --cgroup-parent /libcni-test --pull never "$@"
}

podman_address() {
    podman exec "$1" ip -o address show dev "$2" scope global
}

test_podman() {
    podman_configuration
    is "podman: the backend is CNI" cni "$(podman info -f '{{.Host.NetworkBackend}}')"
    podman network create --disable-dns --ipv6 --subnet 10.46.0.0/24 --subnet fd00:46::/64 alpha > /dev/null
    podman network create --disable-dns --subnet 10.47.0.0/24 beta > /dev/null
    podman_run -d --name c1 --network alpha -p 8080:80 busybox httpd -f -p 80 -h /www > /dev/null
    is "podman: run" 0 $?
    podman_run -d --name c2 --network alpha --ip 10.46.0.77 --mac-address 02:00:00:00:00:77 busybox sleep 1000 > /dev/null
    is "podman: run --ip --mac-address" 0 $?
    has "podman: the address that was asked for" 10.46.0.77/24 "$(podman_address c2 eth0)"
    # Not from /sys, which may be that of the host in a container.
    has "podman: the hardware address, too" 02:00:00:00:00:77 "$(podman exec c2 ip -o link show dev eth0)"
    has "podman: an address of the other family" fd00:46::2/64 "$(podman_address c1 eth0)"
    for address in 10.46.0.1 10.46.0.77 fd00:46::1; do
        podman exec c1 ping -c 1 -W 10 $address > /dev/null
        is "podman: a container pings $address" 0 $?
    done
    for address in 127.0.0.1 10.46.0.1 '[fd00:46::1]'; do
        is "podman: the host gets $address:8080" hello "$(get "http://$address:8080/")"
    done
    is "podman: the other container gets the mapped port" hello "$(get http://10.46.0.1:8080/ podman exec c2)"
    is "podman: the container itself gets it" hello "$(get http://10.46.0.1:8080/ podman exec c1)"
    test_podman_second_network
    podman rm -f -t 0 -a > /dev/null
    is "podman: rm" 0 $?
    leaves_nothing podman
    podman network rm alpha beta > /dev/null
    test_podman_default_network
}

# On a host that sends nothing on by default, which is what the list's firewall is for.
test_podman_default_network() {
    iptables -P FORWARD DROP
    podman_run -d --name c3 --network podman -p 8083:80 busybox httpd -f -p 80 -h /www > /dev/null
    is "podman: run on the default network" 0 $?
    has "podman: an address of it" 10.88.0. "$(podman_address c3 eth0)"
    is "podman: the host gets the mapped port of the default network" hello "$(get http://127.0.0.1:8083/)"
    has "podman: the container gets through the firewall" "-s $(podman inspect -f '{{.NetworkSettings.IPAddress}}' c3)/32 -j ACCEPT" \
        "$(iptables -S CNI-FORWARD)"
    podman rm -f -t 0 c3 > /dev/null
    leaves_nothing "podman on the default network"
    is "podman: no rule of the container is left" '' "$(iptables -S CNI-FORWARD | grep 'j ACCEPT')"
    iptables -P FORWARD ACCEPT
}

test_podman_second_network() {
    podman network connect beta c1
    is "podman: network connect" 0 $?
    has "podman: an address in the second network" 10.47.0.2/24 "$(podman_address c1 eth1)"
    podman network disconnect alpha c1
    is "podman: network disconnect" 0 $?
    is "podman: the mapped port leads to the network that is left" hello "$(get http://127.0.0.1:8080/)"
}

start_containerd() {
    mkdir -p $dir/containerd
    # Built into ctr.
    mount -t tmpfs tmpfs /etc/cni && mkdir /etc/cni/net.d
    mount --bind $plugins /opt/cni/bin
    cat > $dir/containerd/config.toml <<CONF
version = 2
root = "$dir/containerd/root"
state = "$dir/containerd/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "$dir/containerd/socket"
[ttrpc]
  address = "$dir/containerd/ttrpc"
CONF
    containerd --config $dir/containerd/config.toml --log-level error > $dir/containerd/log 2>&1 &
    daemon=$!
    eventually ctr version
    is "containerd answers" 0 $?
}

# In a namespace of its own, so that it does not meet another containerd.
ctr() {
    command ctr --address $dir/containerd/socket "$@"
}

ctr_run() {
    ctr run --rm --null-io --cgroup "/libcni-test/$1" --cni --rootfs $dir/root "$@"
}

# made FILE: whether a container has been added, as its cached result says.
is_added() {
    compgen -G "/var/lib/cni/results/*$1*" > /dev/null
}

test_containerd() {
    local version container
    start_containerd
    for version in 0.3.1 0.4.0 1.0.0; do
        cat > /etc/cni/net.d/10-net.conflist <<LIST
{ "cniVersion": "$version", "name": "net", "plugins": [
    { "type": "bridge", "bridge": "ctr0", "isDefaultGateway": true, "ipMasq": true, "hairpinMode": true,
      "ipam": { "type": "host-local", "subnet": "10.48.0.0/24" } },
    { "type": "portmap", "capabilities": { "portMappings": true } } ] }
LIST
        container=c-$version
        ctr_run "$container" /bin/sleep 1000 &
        eventually is_added "$container"
        is "containerd: run at $version" 0 $?
        address=$(find /var/lib/cni/networks/net -name '10.*' -printf '%f\n')
        busybox ping -c 1 -W 10 "$address" > /dev/null
        is "containerd: the host pings the container at $version" 0 $?
        ctr task exec --exec-id e "$container" /bin/ping -c 1 -W 10 10.48.0.1 > /dev/null
        is "containerd: the container pings the gateway at $version" 0 $?
        ctr task kill -s KILL "$container"
        wait $!
        leaves_nothing "containerd at $version"
    done
    kill $daemon
    wait $daemon
}

# cri METHOD MESSAGE [FIELD]
cri() {
    /usr/bin/python3 "$top/tests/support/cri.py" $dir/cri/socket "$@"
}

# The conditions of Status are RuntimeReady and NetworkReady.
network_is_ready() {
    [ "$(cri Status '{}' 1.1.2)" = $'1\n1' ]
}

start_cri() {
    mkdir -p $dir/cri/net.d
    cat > $dir/cri/config.toml <<CONF
version = 2
root = "$dir/cri/root"
state = "$dir/cri/state"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "$dir/cri/socket"
[ttrpc]
  address = "$dir/cri/ttrpc"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/library/pause:latest"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$plugins"
    conf_dir = "$dir/cri/net.d"
CONF
    containerd --config $dir/cri/config.toml --log-level error > $dir/cri/log 2>&1 &
    daemon=$!
    eventually cri Version '{}'
    is "CRI answers" 0 $?
    network_is_ready
    is "CRI: without a configuration the network is not ready" 1 $?
}

# What a pod runs to stay alive.
import_pause() {
    tar -C $dir/root -c . | podman import -q --change 'CMD ["/bin/sleep", "100000"]' - docker.io/library/pause:latest > /dev/null
    podman save -q -o $dir/cri/pause.tar docker.io/library/pause:latest
    command ctr --address $dir/cri/socket -n k8s.io image import $dir/cri/pause.tar > /dev/null
    is "CRI: an image for pods" 0 $?
}

# cri_network VERSION: the list of a node, with two families and all that pods ask for.
cri_network() {
    cat > $dir/cri/net.d/10-pods.conflist <<LIST
{ "cniVersion": "$1", "name": "pods", "plugins": [
    { "type": "bridge", "bridge": "cri0", "isGateway": true, "ipMasq": true, "hairpinMode": true, "ipam": { "type": "host-local",
      "ranges": [[{ "subnet": "10.49.0.0/24" }], [{ "subnet": "fd00:49::/64" }]],
      "routes": [{ "dst": "0.0.0.0/0" }, { "dst": "::/0" }] } },
    { "type": "portmap", "capabilities": { "portMappings": true } },
    { "type": "bandwidth", "capabilities": { "bandwidth": true } },
    { "type": "tuning", "sysctl": { "net.core.somaxconn": "500" } } ] }
LIST
    eventually network_is_ready
    is "CRI: the network of version $1 is ready" 0 $?
}

# run_pod NAME [MORE]: prints the pod's ID. MORE is put behind the fields of its configuration.
run_pod() {
    cri RunPodSandbox "{\"1\": {\"1\": {\"1\": \"$1\", \"2\": \"uid-$1\", \"3\": \"ns\", \"4\": 1}, \"2\": \"$1\",
        \"8\": {\"1\": \"/libcni-test\"}${2-}}}" 1
}

# in_pod ID COMMAND...: in the pod's network.
in_pod() {
    local id=$1
    shift
    nsenter --net="$(netns_of "$id")" "$@"
}

# The path of a pod's network namespace, as the attachment's record in the cache has it.
netns_of() {
    grep -ho '"sandbox":"[^"]*"' /var/lib/cni/results/*-"$1"-eth0 | cut -d '"' -f 4
}

# ask_by_udp ADDRESS PORT: prints the answer to a datagram.
ask_by_udp() {
    /usr/bin/python3 -c 'import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(3)
s.sendto(b"hello", (sys.argv[1], int(sys.argv[2])))
print(s.recv(99).decode())' "$@"
}

# inside_pod ID ADDRESSES: what a pod has, and reaches.
inside_pod() {
    local address
    has "CRI: lo is up in the pod" 'inet 127.0.0.1/8' "$(in_pod "$1" ip -o -4 address show dev lo up)"
    for address in $2; do
        has "CRI: the pod has $address" "$address/" "$(in_pod "$1" ip -o address show dev eth0)"
        is "CRI: the lease of $address names the pod" "$1" "$(head -n 1 "/var/lib/cni/networks/pods/$address" | tr -d '\r')"
    done
    for address in 10.49.0.1 fd00:49::1; do
        in_pod "$1" busybox ping -c 1 -W 10 $address > /dev/null
        is "CRI: the pod pings its gateway $address" 0 $?
    done
}

remove_pod() {
    cri StopPodSandbox "{\"1\": \"$1\"}" && cri RemovePodSandbox "{\"1\": \"$1\"}"
    is "CRI: a pod is removed" 0 $?
}

test_cri_version() {
    local version=$1 pod other addresses
    cri_network "$version"
    # Mapped ports for TCP and UDP, and a rate for each direction, as Kubernetes asks for them.
    pod=$(run_pod "web-$version" ', "5": [{"1": 0, "2": 80, "3": 8180}, {"1": 1, "2": 53, "3": 8153}], "7": [
        {"1": "kubernetes.io/ingress-bandwidth", "2": "10M"}, {"1": "kubernetes.io/egress-bandwidth", "2": "20M"}]')
    is "CRI: a pod with mapped ports at $version" 0 $?
    addresses=$(cri PodSandboxStatus "{\"1\": \"$pod\"}" 1.5.1; cri PodSandboxStatus "{\"1\": \"$pod\"}" 1.5.2.1)
    has "CRI: an IPv4 address" 10.49.0. "$addresses"
    has "CRI: and an IPv6 address" fd00:49:: "$addresses"
    inside_pod "$pod" "$addresses"
    in_pod "$pod" busybox httpd -f -p 80 -h $dir/root/www &
    server=$!
    in_pod "$pod" /usr/bin/python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("", 53))
while True: s.sendto(b"world", s.recvfrom(99)[1])' &
    udp=$!
    eventually get http://127.0.0.1:8180/
    is "CRI: the host gets the mapped port" hello "$(get http://127.0.0.1:8180/)"
    is "CRI: by the gateway's IPv6 address, too" hello "$(get 'http://[fd00:49::1]:8180/')"
    eventually ask_by_udp 10.49.0.1 8153
    is "CRI: and by UDP" world "$(ask_by_udp 10.49.0.1 8153)"
    is "CRI: it is shaped in both directions" 2 "$(tc qdisc | grep -c tbf)"
    is "CRI: tuning was called" 500 "$(in_pod "$pod" cat /proc/sys/net/core/somaxconn)"
    other=$(run_pod "client-$version")
    is "CRI: another pod" 0 $?
    is "CRI: a pod gets the mapped port" hello "$(get http://10.49.0.1:8180/ in_pod "$other")"
    for address in $addresses; do
        in_pod "$other" busybox ping -c 1 -W 10 "$address" > /dev/null
        is "CRI: a pod pings $address" 0 $?
    done
    kill $server $udp 2> /dev/null
    remove_pod "$pod"
    remove_pod "$other"
    leaves_nothing "CRI at $version"
    is "CRI: no interface that shapes is left" '' "$(ip -o link show type ifb)"
    is "CRI: no namespace is left" '' "$(ls /run/netns)"
}

# test_cri_list NAME ADDRESS: pods on the list that a project writes by default, whose addresses begin so.
test_cri_list() {
    local pod other address gateway
    cp "$top/tests/support/lists/$1.conflist" $dir/cri/net.d/10-pods.conflist
    eventually network_is_ready
    is "CRI: the network of $1 is ready" 0 $?
    pod=$(run_pod "web-$1" ', "5": [{"1": 0, "2": 80, "3": 8280}]')
    is "CRI: a pod on the list of $1" 0 $?
    other=$(run_pod "client-$1")
    is "CRI: another pod on the list of $1" 0 $?
    address=$(cri PodSandboxStatus "{\"1\": \"$pod\"}" 1.5.1)
    has "CRI: an address of $1" "$2" "$address"
    gateway=$(in_pod "$other" ip route show default | cut -d ' ' -f 3)
    in_pod "$pod" busybox httpd -f -p 80 -h $dir/root/www &
    server=$!
    eventually get http://127.0.0.1:8280/
    is "CRI: the host gets the mapped port of $1" hello "$(get http://127.0.0.1:8280/)"
    is "CRI: a pod gets the other's port on the list of $1" hello "$(get "http://$address/" in_pod "$other")"
    is "CRI: and the mapped port of $1" hello "$(get "http://$gateway:8280/" in_pod "$other")"
    kill $server 2> /dev/null
    remove_pod "$pod"
    remove_pod "$other"
    leaves_nothing "CRI on the list of $1"
    is "CRI: no file of a container on the list of $1 is left" '' "$(find /run/cni-ipam-state /var/lib/cni -type f ! -name lock \
        ! -name 'last_reserved_ip.*' 2> /dev/null)"
}

# What flanneld writes on each node.
write_subnet_file() {
    mkdir -p /run/flannel
    printf '%s\n' FLANNEL_NETWORK=10.42.0.0/16 FLANNEL_SUBNET=10.42.0.1/24 FLANNEL_MTU=1450 FLANNEL_IPMASQ=true > /run/flannel/subnet.env
}

test_cri() {
    /usr/bin/python3 -c 'import grpc' 2> /dev/null || { echo "ignored: the test of CRI needs python3-grpcio"; return; }
    start_cri
    import_pause
    for version in 0.3.1 0.4.0 1.0.0; do test_cri_version $version; done
    write_subnet_file
    test_cri_list kind 10.244.0.
    test_cri_list k3s 10.42.0.
    test_cri_list minikube 10.244.0.
    test_cri_list kubeadm-flannel 10.42.0.
    kill $daemon
    wait $daemon
}

remove_cgroups() {
    find /sys/fs/cgroup -depth -type d -path '*/libcni-test*' -exec rmdir {} + 2> /dev/null
}

host
prepare
test_podman
test_containerd
test_cri
remove_cgroups
summary
