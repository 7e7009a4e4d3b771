#!/usr/bin/env bash
# Runs a command in a network namespace of its own that is added to every network of the configuration directory.
#
#   priv-net-run.sh COMMAND [ARGUMENT...]
#
# Whatever happens, everything is taken back; the exit status is the command's. NETCONFPATH, CNI_PATH and DEBUG are
# those of exec-plugins.sh.
set -euo pipefail
if [ -n "${DEBUG:-}" ]; then set -x; fi
# shellcheck source=scripts/find-cnitool.sh
. "$(dirname "${BASH_SOURCE[0]}")/find-cnitool.sh"

if [ $# -eq 0 ]; then
    echo "usage: priv-net-run.sh COMMAND [ARGUMENT...]" >&2
    exit 2
fi
exec "$cnitool" run --all --quiet -- "$@"
