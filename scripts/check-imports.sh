#!/bin/sh
# Checks the import table of CONTRIBUTING.md: which module may use which, and which may touch the system.
set -eu
cd "$(dirname "$0")/.."

status=0

# may MODULE ALLOWED...: no file of the module names another module of the crate.
may() {
    module=$1
    shift
    others=$(printf '%s|' "$module" "$@" | sed 's/|$//')
    files=$(find "src/$module" "src/$module.rs" -name '*.rs' 2>/dev/null || true)
    # shellcheck disable=SC2086 # a list of files without spaces
    if grep -nHoE 'crate::[a-z]+' $files | grep -vE "crate::($others|cancel|chain|printable|threads|specification)\$"; then
        echo "^ src/$module may use only: $*" >&2
        status=1
    fi
}

may spec
may result spec
may conf spec
may invoke spec result
may cache spec result netns
may netns
may link spec netns
may lock spec
may runtime spec conf invoke result cache error lock netns
may plugin spec result invoke netns
may watch conf invoke
may conformance spec conf result invoke link netns plugin

# Only these files read or change anything outside the process's memory.
system='std::fs|std::env::|std::process::Command|std::os::fd|\bnix::|\brustix::|io::(stdin|stdout|stderr)'
allowed='^src/(bin/|cancel\.rs|conformance/|cache/file\.rs|conf/file\.rs|invoke/(find|installed)\.rs|invoke/process/|link/|lock/(file|holder|orphan)\.rs|netns/|runtime/(mod|notice)\.rs|plugin/(mod|io|panic)\.rs|watch/(alarm|follow|inotify|mod)\.rs|threads\.rs)'
if grep -rnE "$system" src --include='*.rs' | grep -vE ':[0-9]+: *//' | grep -vE "$allowed"; then
    echo '^ these files must not touch the system' >&2
    status=1
fi

# Only these files know the crates of optional features.
optional='(^|[^:[:alnum:]_])(tokio|tracing)::'
allowed='^src/(runtime/asynchronous/|watch/asynchronous\.rs|(invoke|runtime)/traced\.rs)'
if grep -rnE "$optional" src --include='*.rs' | grep -vE ':[0-9]+: *//' | grep -vE "$allowed"; then
    echo '^ these files must not use the crates of optional features' >&2
    status=1
fi

# The binary, tests and examples see the crate from outside.
own=$(find src/bin/cnitool src/bin/cni-plugins -mindepth 1 -maxdepth 1 | sed 's|.*/||; s|\.rs$||' | tr '\n' '|')
if grep -rnE '\bcrate::' src/bin --include='*.rs' | grep -vE "crate::(${own}configured|network|Failure)\b"; then
    echo '^ the binary may use its own modules and the public API of libcni only' >&2
    status=1
fi
exit $status
