#!/bin/sh
# Runs the recorded black-box scenarios of the Go cnitool against ours.
#
#   scripts/conformance.sh DIRECTORY [CNITOOL]      DIRECTORY with run.py and blackbox/; CNITOOL: the release build unless given
#
# Where ours differs by default on purpose, CNITOOL_COMPAT=go brings the recorded behaviour back: one broken
# configuration file stops everything (scenario bad_json). A wrapper sets it, since run.py clears the environment.
set -eu
directory=$(realpath -e "$1")
cnitool=$(realpath -e "${2-$(dirname "$0")/../target/release/cnitool}")
wrapper=$(mktemp)
trap 'rm -f "$wrapper"' EXIT
printf '#!/bin/sh\nCNITOOL_COMPAT=go exec "%s" "$@"\n' "$cnitool" > "$wrapper"
chmod +x "$wrapper"
python3 "$directory/run.py" --cnitool "$wrapper" "$directory/blackbox"
