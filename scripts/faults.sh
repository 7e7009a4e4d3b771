#!/bin/sh
# Lets every system call that cnitool and the plugins make in ADD, DEL, CHECK, GC, STATUS and an update fail once with each
# of six errors and those of its kind, and kills them at each, and checks that the verb ends in time, without a panic, with
# an error object, and that DEL leaves nothing. Prints how many were survived, and those that were not. As root, with
# strace; it takes hours.
#
#   scripts/faults.sh [NAME [VERB]]      only tests whose names have this in them, such as `portmap`, and only that verb
set -eu
cd "$(dirname "$0")/.."
LIBCNI_FAULTS_LOG=$(mktemp)
export LIBCNI_FAULTS_LOG
status=0
LIBCNI_FAULTS=${2-all} cargo test --locked --all-features --test kernel "ours::faults::${1-}" || status=$?
sort "$LIBCNI_FAULTS_LOG"
rm "$LIBCNI_FAULTS_LOG"
exit "$status"
