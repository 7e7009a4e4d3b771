#!/bin/sh
# Everything a change must pass: format, lints, docs, the import table, tests, recorded scenarios of the Go original.
set -eu
cd "$(dirname "$0")/.."

step() {
    printf '\n== %s\n' "$*"
    "$@"
}

step cargo fmt --check
step scripts/check-imports.sh
step cargo clippy --all-targets --all-features -- -D warnings
step env RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --all-features
step cargo build --release --examples --bins
step target/release/cni-plugins install target/release/plugins
step cargo test --all-features
# Not part of the above: cargo only builds examples there.
step cargo test --all-features --examples
# Each feature by itself, those that know of each other together, and none.
for feature in '' cli conformance tokio tracing watch tokio,watch tokio,tracing; do
    step cargo clippy --lib --no-default-features --features "$feature" -- -D warnings
done
# What is off is not there: no feature, no crate of it.
step scripts/check-features.sh
step shellcheck -x scripts/*.sh tests/*.sh .ci/run
step scripts/bench.sh --quick
# What is installed, tested like what is built every day.
static=$(scripts/build-static.sh)
step tests/scripts.sh "$static"
step tests/readme.sh
step tests/clients.sh

conformance=${LIBCNI_CONFORMANCE:-../shared/conformance}
if [ -f "$conformance/run.py" ]; then
    step scripts/conformance.sh "$conformance"
    step scripts/conformance.sh "$conformance" "$static/cnitool"
fi
