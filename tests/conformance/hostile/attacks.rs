//! Attacks, as shell that calls `broke` when one succeeds. `$secrets` are directories of the host with a file and a
//! socket, `$mark` is an argument of a process of the host, `$hostnet` the host's network namespace.

pub(crate) const ATTACKS: &[(&str, &str)] = &[
    (
        "uncovers_files_of_the_host",
        r#"
            find() { for dir in $secrets; do [ ! -e "$dir/secret" ] || broke "$dir/secret"; done; }
            find
            uncover; find
            mount -o remount,rw / 2>/dev/null; find
        "#,
    ),
    (
        "uncovers_sockets_of_daemons",
        r#"
            connect() {
                perl -MSocket -e 'socket(my $s, AF_UNIX, SOCK_STREAM, 0);
                    for (@ARGV) { print("$_\n"), exit 0 if connect($s, pack_sockaddr_un("$_/socket")) } exit 1' $secrets
            }
            connect >&2 && broke "a socket"
            umount -l /proc /run /var/run /var/lib /var /tmp /dev/shm 2>/dev/null
            connect >&2 && broke "a socket that was covered"
        "#,
    ),
    (
        "sees_processes_of_the_host",
        r#"
            look() { grep -lsF "$mark" /proc/[0-9]*/cmdline /mnt/[0-9]*/cmdline /tmp/proc/[0-9]*/cmdline; }
            look >&2 && broke "a process"
            mkdir /tmp/proc; mount -t proc proc /tmp/proc 2>/dev/null
            look >&2 && broke "a process, in a /proc of its own"
            for layer in 1 2 3; do
                umount -l /proc 2>/dev/null
                look >&2 && broke "a process, below /proc"
            done
        "#,
    ),
    (
        "enters_the_network_of_the_host",
        r#"
            enter() {
                for net in /proc/[0-9]*/ns/net; do
                    [ "$(readlink "$net")" = "$hostnet" ] || continue
                    nsenter --net="$net" true && broke "$net"
                done 2>/dev/null
            }
            enter
            for layer in 1 2 3; do umount -l /proc 2>/dev/null; enter; done
        "#,
    ),
    (
        "opens_what_belongs_to_the_kernel",
        r#"
            for file in /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sysrq-trigger /proc/sys/vm/swappiness; do
                # Only a redirection that a shell forgives: of a command that is no special one.
                { true >>"$file"; } 2>/dev/null && broke "$file"
            done
            for file in /dev/mem /dev/kmsg /dev/vda /dev/sda /proc/kcore; do
                { head -c 1 "$file" >/dev/null; } 2>/dev/null && broke "$file"
            done
            for number in 1,1 1,11 254,0 8,0; do
                mknod /tmp/device c "${number%,*}" "${number#*,}" 2>/dev/null && head -c 1 /tmp/device >/dev/null 2>&1 &&
                    broke "device $number"
                rm -f /tmp/device
            done
            umount -l /proc 2>/dev/null
            { true >>/proc/sys/kernel/core_pattern; } 2>/dev/null && broke "core_pattern below /proc"
        "#,
    ),
    (
        "reads_the_callers_environment_and_descriptors",
        r#"
            [ -z "${LIBCNI_SECRET-}" ] || broke "a variable"
            grep -qs LIBCNI_SECRET /proc/[0-9]*/environ && broke "a variable of another process"
            for fd in /proc/self/fd/* /proc/1/fd/*; do
                case $(readlink "$fd") in */secret) broke "$fd" ;; esac
            done
        "#,
    ),
    (
        "makes_programs_of_the_host_writable",
        r#"
            for dir in /usr /usr/bin /etc / /bin /sys; do
                mount -o remount,bind,rw "$dir" 2>/dev/null
                { true >"$dir/libcni-left"; } 2>/dev/null || continue
                # A file system of its own may be written to.
                umount -l /tmp /run /var 2>/dev/null
                [ "$(stat -f -c %T "$dir")" = tmpfs ] || [ "$dir" = /sys ] || { rm -f "$dir/libcni-left"; broke "$dir"; }
            done
        "#,
    ),
    (
        "rules_control_groups_of_the_caller",
        r#"
            mkdir -p /tmp/cgroup
            for flags in "" -C; do
                unshare $flags -m sh -c 'mount -t cgroup2 none /tmp/cgroup && true >>/tmp/cgroup/cgroup.procs' 2>/dev/null &&
                    broke "a control group"
            done
            mount -t cgroup2 none /tmp/cgroup 2>/dev/null && { true >>/tmp/cgroup/cgroup.procs; } 2>/dev/null &&
                broke "a control group"
        "#,
    ),
    (
        "gains_rights_over_the_machine",
        r#"
            # Only over namespaces: these ask for the rights over the whole machine.
            dmesg >/dev/null 2>&1 && [ "$(cat /proc/sys/kernel/dmesg_restrict)" = 1 ] && broke "the kernel's log"
            nice -n -5 true 2>&1 | grep -q . || broke "priority"
        "#,
    ),
    (
        "opens_sockets_that_belong_to_no_namespace",
        r#"
            opens() { perl -e 'exit(socket(my $s, $ARGV[0], $ARGV[1], 0) ? 0 : 1)' "$1" "$2"; }
            opens 1 1 && opens 2 2 && opens 16 3 || broke "nothing, since perl opens no socket"
            # To the hypervisor and to ciphers of the kernel: opened only, and led nowhere.
            for family in 40,1 40,2 38,5 44,3 4294967336,1; do
                opens "${family%,*}" "${family#*,}" && broke "a socket of family $family"
            done
            # io_uring_setup, which opens sockets by another way.
            perl -e 'exit(syscall(425, 1, my $p = "\0" x 120) >= 0 ? 0 : 1)' && broke "an io_uring"
        "#,
    ),
];
