# shellcheck shell=bash
# Sourced by the scripts beside it: sets `cnitool`. $CNITOOL wins; else that of the checkout, that in PATH, or a new one.

find_cnitool() {
    local here built
    here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
    built=$here/../target/release/cnitool
    cnitool=${CNITOOL:-}
    if [ -n "$cnitool" ]; then return; fi
    if [ -x "$built" ]; then
        cnitool=$built
    elif cnitool=$(command -v cnitool); then
        :
    elif [ -f "$here/../Cargo.toml" ]; then
        cargo build --quiet --locked --release --manifest-path "$here/../Cargo.toml" --bin cnitool >&2
        cnitool=$built
    else
        echo "cnitool not found: put it into PATH, or its path into CNITOOL" >&2
        exit 1
    fi
}
find_cnitool
