#!/bin/bash
# Runs kernel tests, or a command, in a virtual machine, on the kernel that Debian has for everybody: some systems have
# one without VLAN filtering or SCTP.
#
#   scripts/vm.sh              the tests that are ignored here
#   scripts/vm.sh TEST...      those whose names contain one of these
#   scripts/vm.sh --all        all of them
#   scripts/vm.sh -- COMMAND   a command, such as tests/clients.sh
#
# The machine has this system's files, read-only below a layer in memory: it can do what is installed and built here, and
# nothing that it does is left. It is emulated, so that it needs no KVM, and takes five to ten times as long. It needs what
# scripts/install-test-tools.sh installs, and the kernel that that puts into target/vm.
set -euo pipefail
cd "$(dirname "$0")/.."

for program in qemu-system-x86_64 busybox modprobe; do
    command -v "$program" > /dev/null || { echo "ignored: scripts/vm.sh needs $program"; exit 0; }
done
vm=$PWD/target/vm
kernel=$(find "$vm/boot" -name 'vmlinuz-*' 2> /dev/null | sort -V | tail -n 1) || true
[ -n "$kernel" ] || { echo "ignored: scripts/vm.sh needs a kernel in target/vm"; exit 0; }
version=${kernel##*/vmlinuz-}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# names [OPTION]: the tests' names, one a line.
names() { "$tests" --list "$@" | sed -nE 's/^(\[.*\] )?([^ ]+): test$/\2/p' | sort; }

# choose_tests [NAME...]: builds the tests, and all that they want, and makes a command of those that are asked for.
choose_tests() {
    cargo build --quiet --all-features --examples
    tests=$(cargo test --all-features --test kernel --no-run 2>&1 | sed -n 's/^ *Executable.*(\(.*\))$/\1/p')
    test -n "$tests"
    names > "$work/all"
    case ${1-} in
        '') names --ignored > "$work/wanted" ;;
        --all) cp "$work/all" "$work/wanted" ;;
        *) printf '%s\n' "$@" | grep -F -f - "$work/all" > "$work/wanted" || true ;;
    esac
    [ -s "$work/wanted" ] || { echo "no such test, or none that needs another kernel"; exit 0; }
    mapfile -t skipped < <(comm -23 "$work/all" "$work/wanted" | sed 's/^/--skip=/')
    command=("$tests" --color=never --exact "${skipped[@]}")
}

if [ "${1-}" = -- ]; then
    command=("${@:2}")
else
    choose_tests "$@"
fi

# What runs first: the modules that reach the files of this system, then the command among those.
image=$work/image
mkdir -p "$image"/{modules,root,below,layer}
cp "$(command -v busybox)" "$image/busybox"
for module in virtio_pci 9pnet_virtio 9p overlay; do
    modprobe --dirname "$vm" --set-version "$version" --show-depends "$module"
done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | cat -n | sort -u -k 2,2 | sort -n | while read -r number file; do
    copy=$image/modules/$(printf '%03d' "$number").ko
    case $file in
        *.xz) busybox xzcat "$file" > "$copy" ;;
        *) cp "$file" "$copy" ;;
    esac
done
cat > "$image/init" << 'INIT'
#!/busybox sh
b=/busybox
for kind in proc sysfs devtmpfs; do $b mkdir -p /$kind; $b mount -t $kind none /$kind; done
for module in /modules/*; do $b insmod $module; done
$b mount -t 9p -o ro,trans=virtio,version=9p2000.L,cache=loose,msize=262144 system /below
$b mount -t tmpfs none /layer
$b mkdir /layer/upper /layer/work
$b mount -t overlay -o lowerdir=/below,upperdir=/layer/upper,workdir=/layer/work none /root
$b mount -t tmpfs none /root/run
$b cp /command.sh /root/run/command.sh
exec $b switch_root /root /bin/bash /run/command.sh
INIT
cat > "$image/command.sh" << COMMAND
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
# The test of rates has a tenth of them: no more goes through an emulated network for sure.
export LIBCNI_MEGABIT=100000
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
mount -t tmpfs none /tmp
mkdir -p /dev/pts /dev/shm /run/netns /lib/modules
mount -t devpts none /dev/pts
mount -t tmpfs none /dev/shm
mount -t cgroup2 none /sys/fs/cgroup
mount --bind $(printf '%q' "$vm/lib/modules") /lib/modules
ip link set lo up
cd $(printf '%q' "$PWD")
$(printf '%q ' "${command[@]}")
echo "status of the command: \$?"
echo o > /proc/sysrq-trigger
read -r -t 60 < /dev/zero
COMMAND
chmod +x "$image/init"
(cd "$image" && find . | busybox cpio -o -H newc 2> /dev/null | gzip -1) > "$work/initrd"

timeout 10800 qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 3072 -display none -monitor none -serial stdio -net none -no-reboot \
    -kernel "$kernel" -initrd "$work/initrd" -append 'console=ttyS0 quiet panic=-1' \
    -fsdev local,id=system,path=/,security_model=none,readonly=on,multidevs=remap \
    -device virtio-9p-pci,fsdev=system,mount_tag=system < /dev/null 2> "$work/trouble" | sed -u 's/\r//g' | tee "$work/log" ||
    cat "$work/trouble"
exit "$(sed -n 's/^status of the command: //p' "$work/log" | tail -n 1 | grep . || echo 1)"
