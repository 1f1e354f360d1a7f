#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Install what the tests need and run everything, on Debian 12. usage: sh tests/run.sh [--fast | --full]
#   --fast  stop after the tests of every build (seconds); leaves out the sysroot, package, ansible and VM tiers and the bench
#   --full  every fuzzer runs ten minutes besides, cuts are made at every point there is, long VM scenarios run
# What takes minutes to make (a Debian tree, a guest's disk) is kept in ${PTHRU_CACHE:-~/.cache/passthroughd};
# all else is below build/. Logs: build/logs, build/sysroot, build/package, build/ansible, build/vm.
set -u

cd "$(dirname "$0")/.." || exit 1
mode=${1-}
case $mode in
'' | --fast | --full) ;;
*)
	sed -n '3,5s/^# //p' "$0" >&2
	exit 2
	;;
esac

started=$(date +%s)
passed=0
failed=0
image_job=
beside_job=
logs=build/logs
mkdir -p $logs
. conf/packages.sh

elapsed() {
	seconds=$(($(date +%s) - started))
	printf '%d:%02d' $((seconds / 60)) $((seconds % 60))
}

finish() {
	trap - EXIT INT TERM
	# Process groups of their own: nothing of theirs outlives an early end.
	[ -z "$image_job" ] || kill -TERM -- "-$image_job" 2>/dev/null
	[ -z "$beside_job" ] || kill -TERM -- "-$beside_job" 2>/dev/null
	printf '\n== end (%s)\n%d passed, %d failed\n' "$(elapsed)" $passed $failed
	[ $failed -eq 0 ] && [ $passed -gt 0 ]
	exit $?
}
trap finish EXIT
trap 'failed=$((failed + 1)); exit' INT TERM

# run NAME COMMAND...: run it under a heading; its exit code. The output stays in build/logs/NAME.log.
run() {
	name=$1
	shift
	printf '\n== %s (%s)\n' "$name" "$(elapsed)"
	{
		"$@" 2>&1 </dev/null
		echo $? >"$logs/$name.code"
	} | tee "$logs/$name.log" | "$show"
	return "$(cat "$logs/$name.code")"
}

# The two ways to show a command's output while it runs.
all() { cat; }
quiet() { cat >/dev/null; }

# A step that everything after stands on: only a failure counts, and ends the run.
step() {
	show=quiet
	run "$@" && return
	tail -n 60 "$logs/$1.log"
	failed=$((failed + 1))
	exit 1
}

# count_tier NAME: what a tier has left in its log, counted by its own closing line.
count_tier() {
	code=$(cat "$logs/$1.code")
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$logs/$1.log" | tail -n 1)
	good=${line%% passed*}
	bad=${line##*passed, }
	bad=${bad%% failed*}
	passed=$((passed + ${good:-0}))
	failed=$((failed + ${bad:-0}))
	[ "$code" -eq 0 ] || [ "${bad:-0}" -gt 0 ] || failed=$((failed + 1))
}

tier() {
	show=all
	run "$@"
	count_tier "$1"
}

tests() {
	show=all
	run tests ctest --test-dir build/dev --output-on-failure -j "$(nproc)"
	code=$?
	# "98% tests passed, 1 tests failed out of 50"
	line=$(grep -E 'tests passed, [0-9]+ tests failed out of [0-9]+' "$logs/tests.log" | tail -n 1)
	bad=$(expr "$line" : '.*passed, \([0-9]*\) tests') || bad=0
	total=$(expr "$line" : '.*out of \([0-9]*\)') || total=0
	passed=$((passed + total - bad))
	failed=$((failed + bad))
	[ $code -eq 0 ] || [ "$bad" -gt 0 ] || failed=$((failed + 1))
}

stage() {
	rm -rf build/stage
	DESTDIR=$PWD/build/stage cmake --install build/release
}

# shellcheck disable=SC2086
pthru_install_packages $BUILD_PACKAGES $TEST_PACKAGES || {
	failed=1
	exit 1
}

if [ "$mode" != --fast ]; then
	setsid /usr/bin/python3 -B tests/vm/image.py >$logs/image.log 2>&1 </dev/null &
	image_job=$!
fi

step configure cmake --preset dev
step build cmake --build build/dev
tests
[ "$mode" = --fast ] && exit

step configure-release cmake --preset release
step build-release cmake --build build/release
step install stage

if [ "$mode" = --full ]; then
	step configure-fuzz cmake --preset fuzz
	step build-fuzz cmake --build build/fuzz
	tier fuzz sh tests/fuzz/soak.sh build/fuzz 600
fi

if [ "$mode" = --full ]; then
	tier fault /usr/bin/python3 -B tests/fault/run.py build/release --full
else
	tier fault /usr/bin/python3 -B tests/fault/run.py build/release
fi

if [ "$mode" = --full ]; then
	tier sequences sh tests/property/sequences.sh build/release
else
	tier sequences sh tests/property/sequences.sh build/release 2000
fi

printf '\n== waiting for the guest image (%s)\n' "$(elapsed)"
if ! wait "$image_job"; then
	tail -n 30 $logs/image.log
	failed=$((failed + 1))
fi
image_job=
rm -rf --one-file-system build/sysroot build/vm build/package build/ansible
# Each of these keeps one processor busy: two of them run beside the third.
rm -f $logs/package.code $logs/ansible.code
setsid sh -c '
	/usr/bin/python3 -B tests/package/run.py --build build/release --work build/package >"$1/package.log" 2>&1
	echo $? >"$1/package.code"
	/usr/bin/python3 -B tests/ansible/run.py --build build/release --product build/stage --work build/ansible \
		>"$1/ansible.log" 2>&1
	echo $? >"$1/ansible.code"' beside "$logs" </dev/null &
beside_job=$!
tier sysroot /usr/bin/python3 -B tests/sysroot/run.py --product build/stage --work build/sysroot
wait "$beside_job"
beside_job=
for name in package ansible; do
	printf '\n== %s (beside sysroot)\n' $name
	cat "$logs/$name.log"
	count_tier $name
done
if [ "$mode" = --full ]; then
	tier vm /usr/bin/python3 -B tests/vm/run.py --long --product build/stage --work build/vm
else
	tier vm /usr/bin/python3 -B tests/vm/run.py --product build/stage --work build/vm
fi

bench=$(find build/release -type f -name pthru_bench -perm -u+x | head -n 1)
if [ -n "$bench" ]; then
	show=all
	run bench "$bench" || failed=$((failed + 1))
fi
