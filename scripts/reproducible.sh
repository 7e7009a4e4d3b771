#!/bin/sh
# Builds what scripts/build-static.sh builds a second time, from a copy of the sources in another folder, and compares
# every byte with the first.
#
#   scripts/reproducible.sh [DIRECTORY]     what that script has printed; without it, the first is built, too
#
# Files that are not committed are in the copy as they are here.
set -eu
cd "$(dirname "$0")/.."
first=${1-$(scripts/build-static.sh)}

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
trap 'exit 1' HUP INT TERM
# A path of another length and in another place, with nothing built in it.
sources=$copy/other/folder
mkdir -p "$sources"
if git rev-parse --git-dir > /dev/null 2>&1; then
    git ls-files -z --cached --others --exclude-standard | tar --create --null --files-from=-
else
    # Sources that were unpacked from an archive.
    tar --create --exclude=./target .
fi | tar --extract --directory "$sources"
second=$("$sources/scripts/build-static.sh")

status=0
for file in cnitool cni-plugins libcni.cdx.json; do
    if cmp "$first/$file" "$second/$file"; then
        echo "$file: the same"
    else
        status=1
    fi
done
exit $status
