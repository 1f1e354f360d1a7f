#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: sequences.sh BUILD [COUNT]: so many random sequences (10000) of test-sequence, on all processors; each
# that holds counts as passed. One that does not is named by its seed: PTHRU_SEED=N PTHRU_SEQUENCES=1 repeats it.
set -u

program=$1/tests/test-sequence
count=${2:-10000}
jobs=$(nproc)
share=$((count / jobs))
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

for job in $(seq "$jobs"); do
	# The last one takes the rest.
	[ "$job" -eq "$jobs" ] && share=$((count - share * (jobs - 1)))
	PTHRU_SEED=$(((job - 1) * (count / jobs) + 1)) PTHRU_SEQUENCES=$share "$program" >"$work/$job" 2>&1 &
	echo "$share $!" >>"$work/jobs"
done
job=0
while read -r share pid; do
	job=$((job + 1))
	if wait "$pid"; then
		passed=$((passed + share))
		grep '^[0-9]* sequences: ' "$work/$job"
	else
		failed=$((failed + 1))
		cat "$work/$job"
	fi
done <"$work/jobs"
printf '%d passed, %d failed\n' $passed $failed
[ $failed -eq 0 ]
