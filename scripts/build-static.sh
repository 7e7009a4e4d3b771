#!/bin/sh
# Builds cnitool and the plugins as static programs, for installing: they run on every Linux of this processor, and need
# half the time to start. Prints the directory of cnitool and cni-plugins; `plugins` in it is a plugin directory, and
# libcni.cdx.json says what they are made of (scripts/sbom.sh).
#
#   scripts/build-static.sh
#
# Fails where both programs together are larger than 5 MiB: they are for nodes, which download them.
#
# The same sources, Rust and C linker give the same bytes in every folder, which scripts/reproducible.sh proves.
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
# Which folders this machine has sources in is not told in the programs.
sources=${CARGO_HOME:-$HOME/.cargo}/registry/src
std=$(rustc --print sysroot)/lib/rustlib/src/rust
# At a fixed address and in one segment, fewer pages are touched before the work begins; Go's programs are at a fixed
# address, too. One hash per run is not worth asking the processor whether it has instructions for it.
# A panic ends the program without unwinding, for which a quarter of it would be needed; plugins answer all the same.
# shellcheck disable=SC2086 # a list of flags
flags=$(printf '%s\037' ${RUSTFLAGS-} -Ctarget-feature=+crt-static -Crelocation-model=static \
    -Clink-arg=-Wl,-z,noseparate-code --cfg 'sha2_backend="soft"' \
    -Cforce-unwind-tables=no -Clink-arg=-Wl,--no-eh-frame-hdr "-Clink-arg=-Wl,-T,$PWD/scripts/static.ld")
flags="$flags--remap-path-prefix=$PWD=/libcni$(printf '\037')--remap-path-prefix=$sources=/registry"
flags="$flags$(printf '\037')--remap-path-prefix=$std=/rust"

# With a target named, the flags are for it only: macros that run in the compiler can't be static.
export CARGO_PROFILE_RELEASE_LTO=fat CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 CARGO_PROFILE_RELEASE_OPT_LEVEL=z \
    CARGO_PROFILE_RELEASE_PANIC=abort
CARGO_ENCODED_RUSTFLAGS=$flags \
    cargo build --quiet --locked --release --target "$target" --target-dir target --bins
built=$PWD/target/$target/release
size=$(($(wc -c < "$built/cnitool") + $(wc -c < "$built/cni-plugins")))
echo "build-static.sh: both programs together have $size bytes; 5 MiB are 5242880" >&2
[ $size -le 5242880 ] || exit 1
"$built/cni-plugins" install "$built/plugins"
scripts/sbom.sh "$target" "$built/cnitool" "$built/cni-plugins" > "$built/libcni.cdx.json"
echo "$built"
