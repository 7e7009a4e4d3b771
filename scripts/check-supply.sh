#!/bin/sh
# Checks what this project is made of against deny.toml: where it comes from, under which licences, what is there twice,
# and what is known to be vulnerable. Wants `cargo install --locked cargo-deny`.
#
#   scripts/check-supply.sh
#
# The list of vulnerabilities is fetched first. Without a network that part is reported as ignored.
set -eu
cd "$(dirname "$0")/.."

cargo deny --locked check bans licenses sources
if reason=$(timeout 120 cargo deny fetch db 2>&1); then
    cargo deny --locked --offline check advisories
else
    echo "ignored: known vulnerabilities: their list can't be fetched: $(echo "$reason" | tail -n 1)"
fi
