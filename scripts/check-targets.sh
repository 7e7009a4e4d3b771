#!/bin/bash
# check-targets.sh [--list]: checks the library and the programs for each kind of Linux, and what of the library is for other
# systems. A target that is not installed is reported as ignored (rustup target add TARGET). --list only names them.
set -euo pipefail
cd "$(dirname "$0")/.."

linux=(i686-unknown-linux-gnu s390x-unknown-linux-gnu aarch64-unknown-linux-gnu aarch64-unknown-linux-musl)
others=(x86_64-apple-darwin x86_64-pc-windows-msvc x86_64-unknown-freebsd)
if [ "${1-}" = --list ]; then
    printf '%s\n' "${linux[@]}" "${others[@]}"
    exit
fi

export RUSTFLAGS='-D warnings'
installed=$(rustc --print sysroot)/lib/rustlib

# check TARGET OPTION...: checks for a target, if its standard library is there.
check() {
    local target=$1
    shift
    if [ -d "$installed/$target/lib" ]; then
        echo "$target"
        cargo check --quiet --locked --target "$target" --all-features "$@"
    else
        echo "ignored: $target: the target is not installed"
    fi
}

for target in "${linux[@]}"; do check "$target" --lib --bins; done
for target in "${others[@]}"; do check "$target" --lib; done
