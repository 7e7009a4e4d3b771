#!/usr/bin/env bash
# Prints a table of how fast libcni is, each figure next to the floor that it stands on, all measured in this run.
#
#   scripts/bench.sh [--quick] [SECTION...]    as root, or as an ordinary user where user namespaces are allowed
#
# --quick only shows that it runs, within seconds. Sections are those of benches/speed/main.rs, and `plugins`, which needs
# root and Debian's containernetworking-plugins. The floors, benches/floor, need a C compiler. Files are on tmpfs;
# everything happens in namespaces that end with this script. Compare the figures of a row: absolute times differ from
# machine to machine and from hour to hour.
set -euo pipefail
cd "$(dirname "$0")/.."
options=("${@/#--quick/quick}")
quick=false
case " $* " in *' --quick '*) quick=true ;; esac

# What is not measured need not be compiled once more.
if $quick; then export CARGO_PROFILE_BENCH_OPT_LEVEL=s; fi
# Run without cargo, which would add variables and descriptors.
speed=$(cargo bench --no-run --features tokio --bench speed 2>&1 | sed -n 's/^ *Executable.*(\(.*\))$/\1/p')
# After the bench, whose profile makes another cnitool of the same name.
cargo build --quiet --locked --release --bin cnitool
static=target/release/cnitool
$quick || static=$(scripts/build-static.sh)/cnitool
floor=$PWD/target/bench-floor
mkdir -p "$floor"
for program in noop spawner peak; do
    source=benches/floor/$program.c
    cc -O2 -static -o "$floor/$program" "$source" 2> /dev/null || cc -O2 -o "$floor/$program" "$source"
done

# What is measured is to have no descriptors but its own.
for descriptor in "/proc/$$/fd/"*; do
    number=${descriptor##*/}
    if [ "$number" -gt 2 ] && [ "$number" -ne 255 ]; then eval "exec $number>&-"; fi
done

if [ "$(id -u)" = 0 ]; then alone=(--net --mount --propagation private); else alone=(-Urnm); fi
# shellcheck disable=SC2016 # for the inner shell
unshare "${alone[@]}" sh -euc '
    mount -t tmpfs tmpfs /run
    mkdir /run/netns && : > /run/netns/bench && unshare --net=/run/netns/bench true
    exec "$@"
' sh "$speed" /run/bench "$floor" "$PWD/target/release/cnitool" "$static" "${options[@]}"

# The plugins, as more rows.
if $quick; then exit; fi
case " $* " in '  ' | *' plugins '*) ;; *) exit ;; esac
if [ "$(id -u)" = 0 ] && [ -x /usr/lib/cni/bridge ]; then
    scripts/bench-plugins.sh | awk '
        NR == 1 { next }
        { what = substr($0, 1, 36); sub(/ +$/, "", what); $0 = substr($0, 37) }
        NF == 3 { printf "| container %s, our plugins | the same with the Go ones | %s ms | %s ms | %s | |\n", what, $1, $2, $3 }'
fi
