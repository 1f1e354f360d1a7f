#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The init-top script as written, run by sh over scratch folders that stand for /sys, /proc and /dev.
# usage: test-init-top.sh BUILD SOURCE [SHELL]: sh, and then busybox's, which images have
set -eu
golden=$2/tests/unit/golden
shell=${3:-sh}
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
# Knows the functions that have the serial number asked for, by lines "ADDRESS SERIAL".
printf '#!/bin/sh\ngrep -qxF "$*" "%s/serials"\n' "$work" >"$work/pci-serial"
chmod 755 "$work/pci-serial"

# use GOLDEN: the script that the rows below are about
use() {
	sed -e "s#/sys/#$work/sys/#g; s#/proc/#$work/#; s#>/dev/#>>$work/#; s#/sbin/modprobe#$work/modprobe#" \
		-e "s#/usr/libexec/passthroughd/#$work/#; s/sleep 5/sleep 1/" "$golden/$1" >"$work/script"
}

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
	$shell "$work/script" 2>/dev/null || failed=1
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

use itools-init-top.sh
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

# Two equal cards, one by its serial number; and another that any serial number does for.
use itools-init-top-serial.sh
cards() {
	device 0000:02:00.0 0x8086 0x10d3 0x8086 0x0000
	device 0000:03:00.0 0x8086 0x1533 0x8086 0x0000
}
serial=00-11-22-33-44-55-66-77
cards; echo "0000:02:00.0 $serial" >"$work/serials"
row "the serial number is right" "quiet" "vfio-pci vfio-pci" 2 ""
other="passthroughd: 0000:02:00.0 has not the serial number that it should have: left alone"
cards; echo "0000:04:00.0 $serial" >"$work/serials"
row "the cards changed places" "quiet" "(null) vfio-pci" 2 "$other"
cards; rm "$work/serials"
row "it cannot be read" "quiet" "(null) vfio-pci" 2 "$other"
mv "$work/pci-serial" "$work/away"
cards
row "the program is missing" "quiet" "(null) vfio-pci" 2 "$other"
mv "$work/away" "$work/pci-serial"
cards; echo "0000:02:00.0 $serial" >"$work/serials"; echo 0x10d4 >"$work/sys/bus/pci/devices/0000:02:00.0/device"
row "the ids come first" "quiet" "(null) vfio-pci" 2 \
	"passthroughd: another device is at 0000:02:00.0 now: left alone"
cards; echo "0000:02:00.0 $serial" >"$work/serials"
row "switched off" "passthroughd=off" "(null) (null)" 0 ""

# Two host controllers that a built-in driver has before the script runs, and a card that is free.
use itools-init-top-builtin.sh
# hosts DRIVER...: those registered, beside xhci_hcd. A write to a FIFO goes on when it is read.
hosts() {
	card; rm "$work/sys/bus/pci/devices/0000:01:00.0"/subsystem*
	device 0000:04:00.0 0x1b36 0x000d 0x1af4 0x1100
	device 0000:05:00.0 0x1b36 0x000d 0x1af4 0x1100
	pci=$work/sys/bus/pci
	for driver in xhci_hcd "$@"; do
		mkdir -p "$pci/drivers/$driver"
	done
	mkfifo "$pci/drivers/xhci_hcd/unbind" "$pci/drivers_probe"
	ln -s ../../drivers/xhci_hcd "$pci/devices/0000:04:00.0/driver"
	ln -s ../../drivers/xhci_hcd "$pci/devices/0000:05:00.0/driver"
}
# kernel DRIVER: lets go of a function, and gives it to the driver when it is asked to probe
kernel() {
	while read -r addr <"$pci/drivers/xhci_hcd/unbind"; do
		rm "$pci/devices/$addr/driver"
		[ -z "$1" ] || ln -s "../../drivers/$1" "$pci/devices/$addr/driver"
		read -r probed <"$pci/drivers_probe"
		[ "$probed" = "$addr" ] || echo "probed $probed" >>"$work/kmsg"
		echo "$addr" >>"$work/unbound"
	done
}
end() {
	kill "$1"
	wait "$1" 2>/dev/null || :
}
# rebound NAME CMDLINE UNBOUND LOG: a row; how many functions were unbound by its end
rebound() {
	: >"$work/unbound"
	row "$1" "$2" "${overrides_wanted:-vfio-pci vfio-pci vfio-pci}" "${loaded_wanted:-2}" "$4"
	unbound=$(wc -l <"$work/unbound")
	[ "$unbound" -eq "$3" ] || {
		echo "$1: $unbound were unbound"
		failed=1
	}
}

hosts vfio-pci
kernel vfio-pci & kernel=$!
rebound "built in" "quiet" 2 "passthroughd: 0000:04:00.0 taken from xhci_hcd
passthroughd: 0000:05:00.0 taken from xhci_hcd"
end $kernel
hosts vfio-pci
kernel "" & kernel=$!
rebound "not taken" "quiet" 2 "passthroughd: vfio-pci did not take 0000:04:00.0 from xhci_hcd
passthroughd: vfio-pci did not take 0000:05:00.0 from xhci_hcd"
end $kernel
hosts
rebound "no driver to give it to" "quiet" 0 \
	"passthroughd: 0000:04:00.0 stays on xhci_hcd: vfio-pci could not be loaded
passthroughd: 0000:05:00.0 stays on xhci_hcd: vfio-pci could not be loaded"
hosts vfio-pci; rm "$pci/devices"/*/driver
rebound "on no driver" "quiet" 0 ""
hosts vfio-pci; echo 0x000e >"$pci/devices/0000:04:00.0/device"
kernel vfio-pci & kernel=$!
overrides_wanted="vfio-pci (null) vfio-pci" rebound "another controller" "quiet" 1 \
	"passthroughd: another device is at 0000:04:00.0 now: left alone
passthroughd: 0000:05:00.0 taken from xhci_hcd"
end $kernel
hosts vfio-pci
overrides_wanted="(null) (null) (null)" loaded_wanted=0 rebound "switched off" "passthroughd=off" 0 ""
# Nobody reads: both unbinds hang, and are waited for once. Then they are let go.
hosts vfio-pci; exec 3<>"$pci/drivers_probe"
ln "$pci/drivers/xhci_hcd/unbind" "$work/held"
begun=$(date +%s)
rebound "an unbind that hangs" "quiet" 0 \
	"passthroughd: xhci_hcd has not let go of 0000:04:00.0 yet: the boot goes on
passthroughd: xhci_hcd has not let go of 0000:05:00.0 yet: the boot goes on"
[ $(($(date +%s) - begun)) -le 4 ] || { echo "it was waited for"; failed=1; }
cat "$work/held" >/dev/null
exec 3<&-

[ "$(sh "$work/script" prereqs)" = "" ] || failed=1
if [ $# -eq 2 ] && command -v busybox >/dev/null; then
	sh "$0" "$1" "$2" "busybox sh" || failed=1
fi
exit $failed
