#!/bin/sh
# Checks that the library without features links no crate that only a feature needs.
set -eu
cd "$(dirname "$0")/.."

optional=$(sed -nE 's/^([a-z_-]+) = .*optional = true.*/\1/p' Cargo.toml | paste -sd '|')
test -n "$optional"
if cargo tree --edges normal --no-default-features --prefix none | grep -E "^($optional) "; then
    echo '^ linked without the feature that needs it' >&2
    exit 1
fi
