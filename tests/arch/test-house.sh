#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: test-house.sh BUILD SOURCE
# The habits of the house that a machine can check: licence lines, formatting, budgets, no goto.
cd "$2" || exit 1
git rev-parse --git-dir >/dev/null 2>&1 || exit 77
failed=0
complain() {
	[ -z "$2" ] || {
		printf '%s:\n%s\n' "$1" "$2"
		failed=1
	}
}

sources=$(git ls-files '*.c' '*.h')
scripts=$(git ls-files '*.sh' '*.py' '*.txt' '*.cmake' | grep -v /golden/ | grep -E '\.(sh|py|cmake)$|CMakeLists')
# shellcheck disable=SC2086
complain 'no SPDX line at the head' "$(for file in $sources $scripts; do
	head -n 2 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0-or-later' || echo "$file"
done)"
# shellcheck disable=SC2086
complain 'goto' "$(grep -nE '^[[:space:]]*goto ' $sources)"
product=$(git ls-files 'lib/*.c' 'lib/*.h' 'daemon/*.c' 'daemon/*.h')
# shellcheck disable=SC2086
complain 'files of more than 500 lines' "$(wc -l $product | awk '$2 != "total" && $1 > 500')"
if command -v clang-format >/dev/null; then
	# shellcheck disable=SC2086
	complain 'clang-format' "$(clang-format --dry-run -Werror $sources 2>&1 | grep -oE '^[^:]+' | sort -u)"
fi
if command -v ctags >/dev/null; then
	complain 'functions of more than 60 lines' "$(git ls-files 'lib/*.c' 'daemon/*.c' |
		ctags -L - --c-kinds=f --fields=+ne --output-format=u-ctags -f - |
		awk -F'\t' '{ line = end = 0
			for (i = 4; i <= NF; i++) {
				if ($i ~ /^line:/) line = substr($i, 6)
				if ($i ~ /^end:/) end = substr($i, 5)
			}
			if (line && end - line + 1 > 60) print $2 ":" line ": " $1 ", " end - line + 1 " lines" }')"
fi
exit $failed
