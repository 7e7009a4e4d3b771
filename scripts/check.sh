#!/bin/bash
# Everything a change must pass: format, lints, docs, the import table, tests, recorded scenarios of the Go original.
#
#   scripts/check.sh [--no-install] [--keep-going]
#
# As root on Debian it installs what the tests use (scripts/install-test-tools.sh), unless --no-install is given. With
# --keep-going it takes the steps after one that failed, too. What this machine can't run is reported as ignored, with the
# reason, and listed at the end.
set -euo pipefail
cd "$(dirname "$0")/.."

install=true keep_going=false
for option; do
    case $option in
        --no-install) install=false ;;
        --keep-going) keep_going=true ;;
        *)
            echo "usage: scripts/check.sh [--no-install] [--keep-going]" >&2
            exit 2
            ;;
    esac
done
if $install; then scripts/install-test-tools.sh; fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=()

step() {
    printf '\n== %s\n' "$*"
    time "$@" 2>&1 | tee -a "$log" || fail "$*"
}
TIMEFORMAT='== %0R s, %0U s of processor time'

fail() {
    echo "== failed: $1"
    $keep_going || exit 1
    failed+=("$1")
}

# step_with PROGRAM COMMAND...: a step that can't be taken without a program.
step_with() {
    local program=$1
    shift
    if command -v "$program" > /dev/null; then step "$@"; else step echo "ignored: $1 needs $program"; fi
}

step cargo fmt --check
step scripts/check-imports.sh
# A Cargo.lock that does not fit Cargo.toml fails at the first step that reads it.
step cargo clippy --locked --all-targets --all-features -- -D warnings
step env RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --all-features
step cargo build --locked --release --examples --bins
step target/release/cni-plugins install target/release/plugins
step cargo test --locked --all-features --no-fail-fast
# What this kernel can't do.
step scripts/vm.sh
# Not part of the above: cargo only builds examples there.
step cargo test --locked --all-features --examples
# Each feature by itself, those that know of each other together, and none.
for feature in '' cli conformance tokio tracing watch tokio,watch tokio,tracing; do
    step cargo clippy --lib --no-default-features --features "$feature" -- -D warnings
done
# A feature that is off adds nothing: no code, no crate.
step scripts/check-features.sh
step_with python3 scripts/public-api.py
step scripts/packed.sh
step scripts/minimal-versions.sh
step scripts/check-targets.sh
step_with cargo-deny scripts/check-supply.sh
step_with shellcheck shellcheck -x scripts/*.sh tests/*.sh .ci/run
step scripts/bench.sh --quick
# What is installed, tested like what is built every day.
static=$(scripts/build-static.sh)
step scripts/reproducible.sh "$static"
step tests/scripts.sh "$static"
step tests/readme.sh
step tests/pasted.sh
step tests/clients.sh

conformance=${LIBCNI_CONFORMANCE:-../shared/conformance}
if [ -f "$conformance/run.py" ]; then
    step_with python3 scripts/conformance.sh "$conformance"
    step_with python3 scripts/conformance.sh "$conformance" "$static/cnitool"
fi

# What nothing here can run: a test that is ignored on this kernel may have passed on the other.
ignored=$(awk '
    /^ignored: / { print }
    / \.\.\. (ok|ignored)/ {
        name = $0
        sub(/^test *(\[.*\] )? */, "", name)
        sub(/ *\.\.\. .*/, "", name)
        if ($NF == "ok") passed[name] = 1; else other[name] = $0
    }
    END { for (name in other) if (!(name in passed)) print other[name] }' "$log")
[ -z "$ignored" ] || printf '\n== not run on this machine:\n%s\n' "$ignored"
if [ ${#failed[@]} -gt 0 ]; then
    printf '\n== failed: %s' "${failed[@]}"
    exit 1
fi
printf '\n== passed\n'
