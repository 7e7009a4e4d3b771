#!/bin/sh
# Kills cnitool with SIGKILL at random moments of ADD, DEL, GC and updates, and checks that what it had begun is found and
# removed.
#
#   scripts/crashes.sh [TIMES]      each verb so many times; 800 in all unless given
set -eu
cd "$(dirname "$0")/.."
LIBCNI_CRASHES=${1:-200} cargo test --locked --release --test all crashes
