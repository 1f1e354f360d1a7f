#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the shells offer is what the programs' help says, verb by verb, in bash and in zsh.
# usage: test-completions.sh BUILD SOURCE
set -u
completions=$2/conf/completions
here=$2/tests/cases
capture=$2/tests/hosts/pve8-gtx1080.host
spec=$2/tests/cases/specs/guide.yaml
PATH=$1/daemon:$PATH
export PATH
[ -e /usr/share/bash-completion/bash_completion ] || { echo "no bash-completion"; exit 77; }
command -v zsh >/dev/null || { echo "no zsh"; exit 77; }
failed=0

# words HEADING PROGRAM [VERB]: the first words of that section of the help.
words() {
	heading=$1
	shift
	"$@" --help | awk -v heading="$heading:" '$0 == heading { on = 1; next } /^$/ { on = 0 }
		on { sub(/\[.*/, "", $1); print $1 }'
}
in_bash() {
	bash --norc "$here/complete.bash" "$completions/$1.bash" "$2"
}
in_zsh() {
	zsh -f "$here/complete.zsh" "$completions/_$1" "$@"
}
# equal WHAT SEEN WANTED: the same words in whatever order, and some.
equal() {
	if [ -z "$3" ] || [ "$(echo "$2" | sort)" != "$(echo "$3" | sort)" ]; then
		printf '%s\nseen:\n%s\nwanted:\n%s\n' "$1" "$2" "$3"
		failed=1
	fi
}
# has WHAT SEEN WORD...
has() {
	what=$1 seen=$2
	shift 2
	for word; do
		echo "$seen" | grep -qxF -e "$word" || {
			printf '%s: no %s among\n%s\n' "$what" "$word" "$seen"
			failed=1
		}
	done
}

verbs=$(words Verbs passthroughctl)
has 'the help' "$verbs" plan explain wait
equal 'bash: verbs' "$(in_bash passthroughctl 'passthroughctl ')" "$verbs"
equal 'bash: verbs after an option and what it takes' \
	"$(in_bash passthroughctl "passthroughctl --spec plan --host=$capture ")" "$verbs"
equal 'zsh: verbs' "$(in_zsh passthroughctl '' | grep -v '^[-1]')" "$verbs"
equal 'bash: the beginning of a verb' "$(in_bash passthroughctl 'passthroughctl ex')" explain
equal 'bash: all options' "$(in_bash passthroughctl 'passthroughctl --')" "$(words Options passthroughctl)"
for verb in $verbs; do
	wanted=$(words Options passthroughctl "$verb")
	equal "bash: $verb --" "$(in_bash passthroughctl "passthroughctl $verb --")" "$wanted"
	equal "zsh: $verb --" "$(in_zsh passthroughctl "$verb" -- | sed -n 's/^\(--[a-z-]*\).*/\1/p')" "$wanted"
done
equal 'bash: --color=' "$(in_bash passthroughctl 'passthroughctl --color=')" "$(printf 'auto\nalways\nnever')"
equal 'bash: --color=a' "$(in_bash passthroughctl 'passthroughctl --color=a')" "$(printf 'auto\nalways')"
equal 'bash: nothing for a number' "$(in_bash passthroughctl 'passthroughctl wait --timeout ')x" x
equal 'bash: files' "$(in_bash passthroughctl "passthroughctl check $2/conf/quick")" "$2/conf/quickstart.sh"
equal 'bash: folders' "$(in_bash passthroughctl "passthroughctl --root $2/conf/comp")" "$completions"

where="--host $capture --spec $spec"
has 'bash: explain' "$(in_bash passthroughctl "passthroughctl $where explain ")" gpu 0000:01:00.0 0000:02:00.0
equal 'bash: the end of an address' "$(in_bash passthroughctl "passthroughctl $where explain 0000:01:")" \
	"$(printf '00.0\n00.1')"
# shellcheck disable=SC2086
has 'zsh: explain' "$(in_zsh passthroughctl $where explain '' | sed -n 's/^2:device:(\(.*\))$/\1/p' |
	tr ' ' '\n')" gpu '0000\:01\:00.0'

host=$2/tests/hosts/pve8-
equal 'bash: a second capture' "$(in_bash passthroughctl "passthroughctl --host $capture plan ${host}gtx1080.h")" "$capture"
has 'zsh: a second capture' "$(in_zsh passthroughctl --host "$capture" plan '')" '*:capture:_files -g "*.host"'

options=$(passthroughd --help | grep -oE '^  --[a-z]+' | tr -d ' ')
has 'the help of passthroughd' "$options" --root --worker --workers
equal 'bash: passthroughd' "$(in_bash passthroughd 'passthroughd --')" "$options"
equal 'zsh: passthroughd' "$(in_zsh passthroughd -- | sed -n 's/^\(--[a-z]*\).*/\1/p')" "$options"
has 'zsh: what passthroughd takes' "$(in_zsh passthroughd --)" '--root=:folder:_files -/' '--workers=:file:_files'
exit $failed
