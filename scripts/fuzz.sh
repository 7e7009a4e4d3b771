#!/bin/sh
# fuzz.sh [SECONDS]: runs every fuzz target for so long (default: 60), one after another, as an ordinary stable
# toolchain can. Wants `cargo install --locked cargo-fuzz` and a C++ compiler. What it finds is in fuzz/artifacts.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}

# cargo-fuzz asks for nightly flags; the sanitizer would look for what no code without `unsafe` can do.
export RUSTC_BOOTSTRAP=1
run() {
    mkdir -p "fuzz/grown/$1"
    # What was found in earlier runs comes first and grows; the committed corpus is only read.
    cargo fuzz run --sanitizer none "$1" "fuzz/grown/$1" "tests/corpus/inputs/$1" -- \
        -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1
}

status=0
for target in $(cargo fuzz list); do
    printf '\n== %s\n' "$target"
    run "$target" || status=1
done
exit $status
