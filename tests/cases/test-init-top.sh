#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The init-top script as written, run by sh over scratch folders that stand for /sys, /proc and /dev.
# usage: test-init-top.sh BUILD SOURCE
set -eu
golden=$2/tests/unit/golden
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

for script in "$golden"/*.sh; do
	sh -n "$script"
	if command -v shellcheck >/dev/null; then
		shellcheck -e SC1091 "$script"
	fi
done

printf '#!/bin/sh\necho "$@" >>"%s/loaded"\n' "$work" >"$work/modprobe"
chmod 755 "$work/modprobe"
sed -e "s#/sys/#$work/sys/#; s#/proc/#$work/#; s#/dev/#$work/#; s#/sbin/modprobe#$work/modprobe#" \
	"$golden/itools-init-top.sh" >"$work/script"

# device ADDRESS VENDOR DEVICE SUBSYSTEM_VENDOR SUBSYSTEM_DEVICE
device() {
	dir=$work/sys/bus/pci/devices/$1
	mkdir -p "$dir"
	echo "$2" >"$dir/vendor"
	echo "$3" >"$dir/device"
	echo "$4" >"$dir/subsystem_vendor"
	echo "$5" >"$dir/subsystem_device"
	echo '(null)' >"$dir/driver_override"
}

# row NAME CMDLINE OVERRIDES LOADED LOG: runs the script on the devices laid out before, and clears
row() {
	echo "$2" >"$work/cmdline"
	: >"$work/loaded"
	: >"$work/kmsg"
	sh "$work/script" || failed=1
	overrides=$(cat "$work"/sys/bus/pci/devices/*/driver_override | tr '\n' ' ')
	loaded=$(wc -l <"$work/loaded")
	log=$(cat "$work/kmsg")
	if [ "$overrides" != "$3 " ] || [ "$loaded" -ne "$4" ] || [ "$log" != "$5" ]; then
		echo "$1: overrides $overrides, loaded $loaded, log '$log'"
		failed=1
	fi
	rm -rf "$work/sys"
}

card() {
	device 0000:01:00.0 0x10de 0x1b81 0x1462 0x3301
}
audio() {
	device 0000:01:00.1 0x10de 0x10f0 0x1462 0x3301
}

card; audio
row "both functions" "BOOT_IMAGE=/vmlinuz quiet" "vfio-pci vfio-pci" 2 ""
card; audio; device 0000:02:00.0 0x10de 0x1b81 0x1462 0x3301
row "the twin is left alone" "quiet" "vfio-pci vfio-pci (null)" 2 ""
card; audio
row "switched off" "quiet passthroughd=off" "(null) (null)" 0 ""
card; audio
row "another word" "quiet passthroughd=offline xpassthroughd=off *" "vfio-pci vfio-pci" 2 ""
device 0000:01:00.0 0x8086 0x1b81 0x1462 0x3301; audio
row "another vendor" "quiet" "(null) vfio-pci" 2 \
	"passthroughd: another device is at 0000:01:00.0 now: left alone"
device 0000:01:00.0 0x10de 0x1b82 0x1462 0x3301; audio
row "another device" "quiet" "(null) vfio-pci" 2 \
	"passthroughd: another device is at 0000:01:00.0 now: left alone"
device 0000:01:00.0 0x10de 0x1b81 0x1462 0x3302; audio
row "another board" "quiet" "(null) vfio-pci" 2 \
	"passthroughd: another device is at 0000:01:00.0 now: left alone"
card; audio; rm "$work/sys/bus/pci/devices/0000:01:00.0/device"
row "an attribute is missing" "quiet" "(null) vfio-pci" 2 \
	"passthroughd: another device is at 0000:01:00.0 now: left alone"
audio
row "nothing is there" "quiet" "vfio-pci" 2 "passthroughd: no device at 0000:01:00.0"

[ "$(sh "$work/script" prereqs)" = "" ] || failed=1
exit $failed
