#!/bin/sh
# Installs the Debian packages that the tests use and this machine lacks. Without root, or on another system, it only says
# which those are: tests that need them are then reported as ignored.
#
#   scripts/install-test-tools.sh
#
# Three of the packages contain daemons (docker.io, containerd, podman). None of them is started, neither now nor when the
# machine starts the next time: the tests start their own, in namespaces.
set -eu

packages='busybox-static containerd containernetworking-plugins docker.io iproute2 iptables nftables podman python3 python3-grpcio runc shellcheck'

if ! command -v dpkg-query > /dev/null; then
    echo "The tests use what Debian has in the packages $packages. Those that need more than is here are ignored." >&2
    exit 0
fi
missing=
for package in $packages; do
    case $(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2> /dev/null) in
        installed) ;;
        *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
    echo "Not installed, since that takes root:$missing. Tests that need them are ignored." >&2
    exit 0
fi

# Asked by the scripts of packages before they start a daemon. A machine that has a policy of its own keeps it.
policy=/usr/sbin/policy-rc.d
# enabled: what the system starts by itself.
enabled() { find /etc/systemd -type l 2> /dev/null | LC_ALL=C sort; }
before=$(mktemp)
trap 'rm -f "$before" ${made:-}' EXIT
trap 'exit 1' HUP INT TERM
enabled > "$before"
if [ ! -e $policy ]; then
    made=$policy
    printf '#!/bin/sh\nexit 101\n' > $policy
    chmod 755 $policy
fi

echo "Installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
# One repository of many that can't be reached need not be the one that has them.
apt-get update -qq || true
# shellcheck disable=SC2086 # a list of names
apt-get install -qq -y --no-install-recommends -o DPkg::Lock::Timeout=300 $missing > /dev/null ||
    echo "They can't be installed: tests that need them are ignored." >&2
enabled | LC_ALL=C comm -13 "$before" - | xargs -r rm -f
