#!/usr/bin/env bash
# Runs the shell commands of the pages for people, and compares what they print with what the page shows.
#
#   tests/readme.sh [PAGE...]      as root; needs what scripts/install-test-tools.sh installs, and a release build
#   with its plugins installed in target/release/plugins
#
# Every block of `sh` is run, in the checkout and in a throw-away host that ends with it, but one behind the comment
# `<!-- not run: WHY -->` or `<!-- the test command -->`. A block of any language behind `<!-- output of: WORDS -->` must be
# what the first command with these words printed on stdout; what no two hosts have alike is not compared.
set -uo pipefail

# split PAGE DIR: the blocks of a page as files: 1.sh, what its commands print as 1.1.shown and which one as 1.1.of.
split() {
    awk -v dir="$2" '
        inside && /^ *```$/ { inside = 0; file = words = ""; skip = 0; next }
        inside { if (file) print > file; next }
        /^<!-- (not run: .*|the test command) -->$/ { skip = 1 }
        /^<!-- output of: .* -->$/ { words = substr($0, 17, length($0) - 20) }
        /^ *```sh$/ { inside = 1; if (!skip) { n++; m = 0; file = dir "/" n ".sh" } next }
        /^ *```/ {
            inside = 1
            if (words) { m++; file = dir "/" n "." m ".shown"; print words > (dir "/" n "." m ".of") }
        }' "$1"
}

# is_complete TEXT: whether a shell would run it, and not wait for more.
is_complete() {
    case $1 in *\\) return 1 ;; esac
    [ -z "$(bash -n <<< "$1" 2>&1)" ]
}

# layer DIR: what is written to it from now on goes into memory.
layer() {
    local over=/run/layer$1
    mkdir -p "$over/upper" "$over/work"
    mount -t overlay overlay -o "lowerdir=$1,upperdir=$over/upper,workdir=$over/work" "$1"
}

# inside BLOCK: runs a block command by command; each is in N.command, what it printed in N.stdout and N.stderr.
inside() {
    local line command='' n=0
    mount -t tmpfs tmpfs /run && mkdir -p /run/netns /run/lock && ip link set lo up || return
    mount -t tmpfs tmpfs /var/lib/cni || return
    # Where pages install plugins.
    layer /opt/cni && layer /usr/lib || return
    # shellcheck disable=SC2317  # a line of the block calls it; the pages have it for people
    sudo() { env "$@"; }
    while IFS= read -r line; do
        command=$command${command:+$'\n'}$line
        is_complete "$command" || continue
        n=$((n + 1))
        printf '%s\n' "$command" > "$1/$n.command"
        eval "$command" > "$1/$n.stdout" 2> "$1/$n.stderr" < /dev/null || return
        command=''
    done < "$1.sh"
}

# Hardware addresses, link-local ones made of them, indexes and widths of columns.
mask() {
    sed -E 's/([0-9a-f]{2}:){5}[0-9a-f]{2}/MAC/g; s/fe80::[0-9a-f:]+/LINK-LOCAL/g; s/@if[0-9]+/@ifN/g; s/ +/ /g; s/ $//' "$1"
}

if [ "${1-}" = --inside ]; then
    inside "$2"
    exit
fi

cd "$(dirname "$0")/.." || exit 2
[ "$(id -u)" = 0 ] || { echo "ignored: tests/readme.sh needs root"; exit 0; }
[ $# -gt 0 ] || set -- README.md src/bin/cnitool/README.md examples/README.md examples/TUTORIAL.md
work=$(mktemp -d)
. tests/support/host.sh
make_mount_points /var/lib/cni /opt/cni
trap 'rm -rf "$work"; remove_mount_points' EXIT
passed=0 failed=0

# tell TITLE [COMMAND...]: a failure, and what a command prints about it.
tell() {
    failed=$((failed + 1))
    printf 'FAIL %s\n' "$1"
    shift
    "$@" | sed 's/^/  /'
}

# compare PAGE SHOWN BLOCK: what the page shows is what the command printed.
compare() {
    local words found
    words=$(cat "${2%.shown}.of")
    found=$(grep -lF -- "$words" "$3"/*.command | sort -V | head -n 1)
    if [ -z "$found" ]; then tell "$1: no command has \`$words\`"
    elif diff <(mask "$2") <(mask "${found%.command}.stdout") > "$work/diff"; then passed=$((passed + 1))
    else tell "$1: \`$words\` prints something else (<: the page)" cat "$work/diff"; fi
}

# run PAGE BLOCK: runs a block, and compares its output.
run() {
    local shown
    mkdir "$2"
    if ! unshare --net --mount --propagation private "$PWD/tests/readme.sh" --inside "$2" 2> "$2.trouble"; then
        find "$2" -type f | sort -V | tail -n 3 | xargs tail -n 20 "$2.trouble" > "$work/last"
        tell "$1: a command fails" cat "$work/last"
        return
    fi
    passed=$((passed + 1))
    for shown in "$2".*.shown; do
        [ ! -e "$shown" ] || compare "$1" "$shown" "$2"
    done
}

for page; do
    dir=$work/${page//\//-}
    mkdir "$dir"
    split "$page" "$dir"
    for block in "$dir"/*.sh; do
        if [ -e "$block" ]; then run "$page" "${block%.sh}"; else tell "$page: there is nothing to run"; fi
    done
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
