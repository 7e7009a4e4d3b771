#!/bin/sh
# Builds cnitool and the plugins as static programs, for installing: they run on every Linux of this processor, and need
# half the time to start. Prints the directory of cnitool and cni-plugins; `plugins` in it is a plugin directory.
#
#   scripts/build-static.sh
#
# With musl, whose part of Rust's standard library `rustup` is asked for where it is missing. Without it, with the C
# library of this system: larger, and slower to start, since glibc asks the processor for its features dozens of times,
# which takes microseconds each in a virtual machine.
set -eu
cd "$(dirname "$0")/.."

has_std() { [ -d "$(rustc --print target-libdir --target "$1" 2> /dev/null)" ]; }

host=$(rustc -vV | sed -n 's/^host: //p')
target=$(echo "$host" | sed 's/-gnu/-musl/')
has_std "$target" || rustup target add "$target" > /dev/null 2>&1 || true
if ! has_std "$target"; then
    echo "build-static.sh: no standard library for $target: building for $host" >&2
    target=$host
fi
# At a fixed address and in one segment, fewer pages are touched before the work begins; Go's programs are at a fixed
# address, too. One hash per run is not worth asking the processor whether it has instructions for it.
flags='-C target-feature=+crt-static -C relocation-model=static -C link-arg=-Wl,-z,noseparate-code --cfg sha2_backend="soft"'
# With a target named, the flags are for it only: macros that run in the compiler can't be static.
RUSTFLAGS="${RUSTFLAGS-} $flags" \
    CARGO_PROFILE_RELEASE_LTO=fat CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 \
    cargo build --quiet --release --target "$target" --bins
"target/$target/release/cni-plugins" install "target/$target/release/plugins"
echo "$PWD/target/$target/release"
