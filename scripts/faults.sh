#!/bin/sh
# Lets every system call that cnitool and the plugins make in ADD, DEL, CHECK, GC and an update fail once with each of six
# errors, and kills them at each, and checks that the verb ends in time, without a panic, with an error object, and that DEL
# leaves nothing. As root, with strace; it takes an hour.
#
#   scripts/faults.sh [NAME]      only tests whose names have this in them, such as `portmap`
set -eu
cd "$(dirname "$0")/.."
LIBCNI_FAULTS=all cargo test --locked --all-features --test kernel "ours::faults::${1-}"
