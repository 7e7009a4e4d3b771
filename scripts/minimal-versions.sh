#!/bin/bash
# minimal-versions.sh: builds the library and the programs with the oldest dependencies that Cargo.toml allows, and with the
# oldest Rust. A toolchain that is not installed, or an index that can't be reached, is reported as ignored.
set -euo pipefail
cd "$(dirname "$0")/.."

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}/minimal
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
oldest=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)

# A copy without a Cargo.lock: what is resolved there is not to change the one here.
# Sources that were unpacked are no git repository.
if git rev-parse > /dev/null 2>&1; then git ls-files -z; else find . -path ./target -prune -o -type f -print0; fi |
    xargs -0 cp --parents -t "$dir"
cd "$dir"

# The lowest versions of what is asked for here, and the newest of what those ask for: their bounds are not ours.
if ! cargo +nightly --version > /dev/null 2>&1; then
    echo "ignored: the lower bounds of the dependencies: no nightly toolchain"
elif rm Cargo.lock && ! cargo +nightly update --quiet -Z direct-minimal-versions 2> error; then
    if grep -qE 'failed to (download|fetch|query)|could not connect|network' error; then
        echo "ignored: the lower bounds of the dependencies: the index can't be reached"
    else
        cat error >&2
        exit 1
    fi
else
    cargo check --locked --all-features --lib --bins
fi

if cargo "+$oldest" --version > /dev/null 2>&1; then
    cp "$OLDPWD"/Cargo.lock .
    cargo "+$oldest" check --locked --all-features --lib --bins
else
    echo "ignored: Rust $oldest: the toolchain is not installed"
fi
