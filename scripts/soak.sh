#!/bin/sh
# Adds and removes containers without end, by one long-lived process and by cnitool, and kills or gives up some of them on
# the way: descriptors, threads, memory, files, rules, flows and links must be those of the start. As root; 20,000 take
# half an hour.
#
#   scripts/soak.sh [VERBS]
set -eu
cd "$(dirname "$0")/.."
LIBCNI_SOAK=${1-20000} cargo test --locked --all-features --test kernel soak::
