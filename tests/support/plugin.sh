#!/bin/sh
# Stands in for a plugin. Installed as HOME/DIR/TYPE, it records each call in HOME/calls/N (name, env, stdin), and
# then does what HOME/behaviour/TYPE.VERB says, a piece of shell; without that, ADD says who answered.
set -eu

type=${0##*/}
home=${0%/*/*}

n=1
test -d "$home/calls"
while ! mkdir "$home/calls/$n" 2>/dev/null; do
    n=$((n + 1))
done
call=$home/calls/$n

# Not `env`: the shell has dropped repeated variables by now.
cat /proc/$$/environ >"$call/env"
cat >"$call/stdin"
# Last and at once, since a test may wait for it.
echo "$CNI_COMMAND $type" >"$call/.name"
mv "$call/.name" "$call/name"

if [ -e "$home/behaviour/$type.$CNI_COMMAND" ]; then
    # shellcheck disable=SC1090
    . "$home/behaviour/$type.$CNI_COMMAND"
elif [ "$CNI_COMMAND" = ADD ]; then
    printf '{"dns":{"domain":"%s"}}\n' "$type"
fi
