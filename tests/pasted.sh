#!/usr/bin/env bash
# Compiles the programs that the pages show, each pasted into a new crate with the dependencies that its page shows, and
# runs the tests of the tutorial's plugin.
#
#   tests/pasted.sh      builds below target/pasted; asks the registry for crates that this machine does not have yet
#
# A program is the block behind the comment `<!-- example: NAME -->`.
set -euo pipefail
cd "$(dirname "$0")/.."
checkout=$PWD work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The pages call the checkout so.
ln -s "$checkout" "$work/libcni"
export CARGO_TARGET_DIR=$checkout/target/pasted

# block PAGE NAME: the text of a block.
block() {
    awk -v mark="<!-- example: $2 -->" '
        inside && /^```$/ { exit }
        inside { print; found = 1 }
        marked && /^```/ { inside = 1 }
        $0 == mark { marked = 1 }
        END { exit !found }' "$checkout/$1"
}

# cargo_here WORDS...: cargo, with what this machine has of the registry if that is enough.
cargo_here() {
    cargo "$1" --offline "${@:2}" 2> "$work/offline" || { cat "$work/offline" >&2; cargo "$@"; }
}

# pasted CRATE PAGE DEPENDENCIES PROGRAM...: a crate of programs of a page.
pasted() {
    local crate=$1 page=$2 dependencies=$3 program
    mkdir -p "$work/$crate/src/bin"
    {
        printf '[package]\nname = "%s"\nversion = "0.0.0"\nedition = "2024"\n\n' "$crate"
        block "$page" "$dependencies"
    } > "$work/$crate/Cargo.toml"
    for program in "${@:4}"; do block "$page" "$program" > "$work/$crate/src/bin/$program.rs"; done
    (cd "$work/$crate" && RUSTFLAGS='-D warnings' cargo_here check --quiet)
    echo "ok: $page: ${*:4}"
}

pasted readme README.md dependencies runtime plugin
pasted runtimes src/guide.md dependencies runtime pods
pasted futures src/guide.md dependencies-of-futures futures
pasted watching src/guide.md dependencies-of-watching watching

# The tutorial's own commands, in a directory that is empty but for the checkout.
commands=$(block examples/TUTORIAL.md crate | sed "s|\.\./ttl|$work/ttl|g; s|^cargo add|cargo_here add|")
eval "$commands"
block examples/TUTORIAL.md plugin > src/main.rs
printf '\n%s\n' "$(block examples/TUTORIAL.md tests)" >> src/main.rs
cargo_here test --quiet
echo "ok: examples/TUTORIAL.md"
