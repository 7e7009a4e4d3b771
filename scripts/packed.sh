#!/bin/bash
# packed.sh: packs the crate as a registry gets it, and runs its tests in a folder that has nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-$PWD/target}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# What is built is the packed sources, below.
cargo package --locked --no-verify --allow-dirty --target-dir "$target"
tar -xzf "$target"/package/libcni-*.crate -C "$dir"
cd "$dir"/libcni-*
# Dependencies that are built already are built from the same sources.
CARGO_TARGET_DIR=$target cargo test --locked --all-features --lib --test all --test imports "$@"
