#!/bin/sh
# Checks that every module uses only what the tables of CONTRIBUTING.md allow, and that no two files of a program need each
# other. Takes seconds.
set -eu
cd "$(dirname "$0")/.."
cargo test --quiet --locked --no-default-features --test imports
