#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The program that compares serial numbers, over made folders that stand for /sys/bus/pci/devices.
# usage: test-pci-serial.sh BUILD SOURCE
set -eu
build=$1 source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
serial=00-11-22-33-44-aa-bb-cc
addr=0000:01:00.0
mkdir "$work/$addr"

# config SIZE [OFFSET BYTES]...: a made configuration space; BYTES octal escapes of printf
config() {
	rm -f "$work/$addr"/*
	head -c "$1" /dev/zero >"$work/$addr/config"
	shift
	while [ $# -gt 0 ]; do
		# shellcheck disable=SC2059
		printf "$2" | dd of="$work/$addr/config" bs=1 seek="$1" conv=notrunc 2>/dev/null
		shift 2
	done
}

# attribute TEXT: what a newer kernel says, beside a configuration space that says otherwise
attribute() {
	config 4096 256 '\003\000\001\000\001\002\003\004\005\006\007\010'
	# shellcheck disable=SC2059
	printf "$1" >"$work/$addr/serial_number"
}

# row NAME STATUS [ARGUMENT...]
row() {
	name=$1 want=$2
	shift 2
	status=0
	"$build/daemon/pci-serial" "$@" 2>/dev/null || status=$?
	[ "$status" -eq "$want" ] || {
		echo "$name: $status instead of $want"
		failed=1
	}
}

dsn='\003\000\001\000\314\273\252\104\063\042\021\000'
config 4096 256 "$dsn"
row "equal" 0 $addr $serial "$work"
row "in upper case" 0 $addr 00-11-22-33-44-AA-BB-CC "$work"
row "different" 1 $addr 00-11-22-33-44-aa-bb-cd "$work"
row "a part of it" 1 $addr 00-11-22-33-44-aa-bb "$work"
row "empty" 1 $addr "" "$work"
row "no such device" 1 0000:02:00.0 $serial "$work"
row "no address" 1 "" $serial "$work"
row "a path" 1 "../$(basename "$work")/$addr" $serial "$work"
row "dots" 1 .. $serial "$work"

# Behind another capability; the list leads on by its upper twelve bits.
config 4096 256 '\001\000\201\024' 328 "$dsn"
row "second in the list" 0 $addr $serial "$work"
config 4096 256 '\001\000\001\020'
row "a list that is a circle" 1 $addr $serial "$work"
config 4096 256 '\001\000\201\377' 4088 '\003\000\001\000\314\273\252\104'
row "cut off by the end" 1 $addr $serial "$work"
config 4096
row "no extended capabilities" 1 $addr 00-00-00-00-00-00-00-00 "$work"
config 64
row "only the first bytes can be read" 1 $addr $serial "$work"
config 264 256 "$dsn"
row "a config that is short" 0 $addr $serial "$work"
truncate -s 267 "$work/$addr/config"
row "one byte too short" 1 $addr $serial "$work"
config 0
row "an empty config" 1 $addr $serial "$work"
rm "$work/$addr/config"
row "no config" 1 $addr $serial "$work"
mkdir "$work/$addr/config"
row "a config that cannot be read" 1 $addr $serial "$work"
rmdir "$work/$addr/config"

attribute "$serial\n"
row "the kernel's word" 0 $addr $serial "$work"
row "and not the config's" 1 $addr 08-07-06-05-04-03-02-01 "$work"
attribute "$serial"
row "without a newline" 0 $addr $serial "$work"
attribute "${serial}-dd\n"
row "longer" 1 $addr $serial "$work"
attribute "00-11\n"
row "shorter" 1 $addr $serial "$work"
attribute ""
row "the kernel's word is empty" 1 $addr 08-07-06-05-04-03-02-01 "$work"
rm "$work/$addr/serial_number"
mkdir "$work/$addr/serial_number"
row "the kernel's word cannot be read" 1 $addr 08-07-06-05-04-03-02-01 "$work"

row "usage" 2
row "usage, one word" 2 $addr
row "usage, many words" 2 $addr $serial "$work" more

# Where rules and scripts look for it is where it is installed.
path=$(sed -n 's/^#define PATH_PCI_SERIAL "\(.*\)"/\1/p' "$source/lib/platform/paths.h")
if grep -q '^CMAKE_INSTALL_PREFIX:[A-Z]*=/usr$' "$build/CMakeCache.txt" &&
	! grep -qF "{CMAKE_INSTALL_PREFIX}${path#/usr}\"" "$build/daemon/cmake_install.cmake"; then
	echo "it is not installed as $path"
	failed=1
fi
exit $failed
