#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: soak.sh BUILD SECONDS: run every fuzzer of a fuzz build that long, starting from its corpus.
# What a fuzzer finds stays in BUILD/tests/crash-*; what it learns goes to BUILD/corpus, not into the source.
set -u
build=$(cd "$1" && pwd) || exit 1
seconds=$2
source=$(cd "$(dirname "$0")" && pwd)
passed=0
failed=0
for fuzzer in "$build"/tests/fuzz-*; do
	[ -x "$fuzzer" ] || continue
	name=${fuzzer##*/fuzz-}
	learned=$build/corpus/$name
	mkdir -p "$learned"
	dictionary=$build/conf/$name.dict
	[ "$name" = select ] && dictionary=$build/conf/yaml.dict
	[ -f "$dictionary" ] && set -- "-dict=$dictionary" || set --
	if "$fuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="$build/tests/crash-$name-" "$@" "$learned" "$source/corpus/$name" \
		>"$build/tests/soak-$name.log" 2>&1; then
		passed=$((passed + 1))
		echo "ok   - $name: $(awk '/number_of_executed_units/ { print $2 }' "$build/tests/soak-$name.log") inputs"
	else
		failed=$((failed + 1))
		echo "FAIL - $name"
		tail -n 20 "$build/tests/soak-$name.log"
	fi
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
