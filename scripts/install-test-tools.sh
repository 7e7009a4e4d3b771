#!/bin/sh
# Installs the Debian packages that the tests use and this machine lacks. Without root, or on another system, it only says
# which those are: tests that need them are then reported as ignored.
#
#   scripts/install-test-tools.sh
#
# Some of the packages contain daemons (docker.io, containerd, podman). None of them is started, neither now nor when the
# machine starts the next time: the tests start their own, in namespaces. The kernel for scripts/vm.sh is not installed, but
# unpacked in target/vm. Where rustup is, it also adds the targets that scripts/check-targets.sh checks.
set -eu
cd "$(dirname "$0")/.."

packages='busybox-static containerd containernetworking-plugins docker.io iproute2 iptables kmod nftables podman python3
    python3-grpcio qemu-system-x86 runc shellcheck strace'
export DEBIAN_FRONTEND=noninteractive LC_ALL=C

# missing: those that are not installed, in one line.
missing() {
    for package in $packages; do
        case $(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2> /dev/null) in
            installed) ;;
            *) printf ' %s' "$package" ;;
        esac
    done
}

# enabled: what the system starts by itself.
enabled() { find /etc/systemd -type l 2> /dev/null | sort; }

# install PACKAGE...: installs packages, and has none of their daemons started.
install() {
    enabled > "$work/before"
    # Asked before a daemon is started. A machine that has a policy of its own keeps it.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
        made=$policy
        printf '#!/bin/sh\nexit 101\n' > $policy
        chmod 755 $policy
    fi
    # One repository of many that can't be reached need not be the one that has them.
    apt-get update -qq || true
    apt-get install -qq -y --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" > "$work/log" || {
        cat "$work/log"
        echo "They can't be installed: tests that need them are ignored."
    }
    enabled | comm -13 "$work/before" - | xargs -r rm -f
}

# unpack_kernel: unpacks the kernel of this Debian release in target/vm.
unpack_kernel() {
    package=$(apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p')
    (cd "$work" && apt-get download -qq "$package") &&
        dpkg-deb --extract "$work/$package"_*.deb "$work/kernel" &&
        depmod --basedir "$work/kernel" "${package#linux-image-}" &&
        mv "$work/kernel" target/vm
}

if ! command -v dpkg-query > /dev/null; then
    echo "The tests use what Debian has in these packages: $packages."
    exit 0
fi
mkdir -p target
work=$(mktemp -d -p target)
trap 'rm -rf "$work" ${made:-}' EXIT
trap 'exit 1' HUP INT TERM
wanted=$(missing)
if [ -n "$wanted" ] && [ "$(id -u)" = 0 ]; then
    echo "Installing$wanted"
    # shellcheck disable=SC2086 # a list of names
    install $wanted
elif [ -n "$wanted" ]; then
    echo "Not installed, since that takes root:$wanted. Tests that need them are ignored."
fi
if [ ! -e target/vm ] && command -v qemu-system-x86_64 > /dev/null && command -v depmod > /dev/null; then
    echo "Unpacking a kernel in target/vm"
    unpack_kernel || echo "It can't be had: tests that need it are ignored."
fi
if command -v rustup > /dev/null; then
    scripts/check-targets.sh --list | xargs rustup target add > "$work/log" 2>&1 ||
        echo "Targets of Rust can't be installed: scripts/check-targets.sh ignores them."
fi
