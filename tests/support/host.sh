# Sourced by tests that are shell scripts: a private host, and counting what holds.

passed=0 failed=0

# is NAME WANTED GOT
is() {
    if [ "$2" = "$3" ]; then passed=$((passed + 1)); else
        failed=$((failed + 1))
        printf 'FAIL %s\n  wanted: %s\n  got:    %s\n' "$1" "$2" "$3"
    fi
}

# has NAME PART TEXT
has() {
    case $3 in *"$2"*) is "$1" yes yes ;; *) is "$1" "…$2…" "$3" ;; esac
}

# eventually COMMAND...: waits until it succeeds, half a minute at most.
eventually() {
    for _ in $(seq 300); do
        if "$@" > /dev/null 2>&1; then return 0; fi
        sleep 0.1
    done
    return 1
}

# make_mount_points DIR...: makes the directories that this system lacks; remove_mount_points removes them again.
make_mount_points() {
    made=$(LC_ALL=C mkdir -pv "$@" | sed -n "s/^mkdir: created directory '\(.*\)'$/\1/p" | tac)
}

remove_mount_points() {
    # shellcheck disable=SC2086 # a list of directories
    [ -z "$made" ] || rmdir --ignore-fail-on-non-empty $made
}

# host: makes a host of the namespaces that the script is in.
host() {
    mount -t proc proc /proc
    mkdir -p /tmp/cgroup.$$ && mount --rbind /sys/fs/cgroup /tmp/cgroup.$$
    mount -t sysfs sysfs /sys
    mount --rbind /tmp/cgroup.$$ /sys/fs/cgroup && umount -l /tmp/cgroup.$$ && rmdir /tmp/cgroup.$$
    mount -t tmpfs tmpfs /run
    mkdir -p /run/netns /run/lock /run/net.d
    mount -t tmpfs tmpfs /var/lib/cni
    ip link set lo up
}

# summary: says how it went, and is the script's status.
summary() {
    echo "$passed passed, $failed failed"
    [ $failed -eq 0 ]
}
