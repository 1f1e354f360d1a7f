#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: reboot.sh ROOT: play the next boot of a laid-out host, from what its boot entry, its udev rules,
# modprobe.d and module lists say, and nothing else.
set -eu
cd "$1"
sed -n 's/^\tlinux\t\([^ ]*\) /BOOT_IMAGE=\1 /p' boot/grub/grub.cfg | head -n 1 >proc/cmdline
rm -f run/reboot-required run/reboot-required.pkgs
cat /proc/sys/kernel/random/uuid >proc/sys/kernel/random/boot_id

# Modules of the lists are loaded, blacklisted ones are not.
for name in $(sed -n 's/^blacklist //p' etc/modprobe.d/*.conf); do
	sed -i "/^$name /d" proc/modules
	rm -rf "sys/module/$name"
done
for name in $(grep -hv '^#' etc/modules etc/modules-load.d/*.conf 2>/dev/null || true); do
	grep -q "^$name " proc/modules || echo "$name 16384 0 - Live 0x0000000000000000" >>proc/modules
	mkdir -p "sys/module/$name"
done
sed -n 's/^options //p' etc/modprobe.d/*.conf | while read -r module options; do
	for option in $options; do
		file=sys/module/$module/parameters/${option%%=*}
		[ ! -e "$file" ] || echo "${option#*=}" >"$file"
	done
done

# The rules give their functions to their drivers.
sed -n 's/^KERNEL=="\([^"]*\)".*ATTR{driver_override}="\([^"]*\)".*/\1 \2/p' etc/udev/rules.d/*.rules 2>/dev/null |
	while read -r address driver; do
		mkdir -p "sys/bus/pci/drivers/$driver"
		device=sys/bus/pci/devices/$address
		echo "$driver" >"$device/driver_override"
		up=$(readlink "$device/driver" | sed 's|/[^/]*$||')
		rm -f "$device/driver"
		ln -s "$up/$driver" "$device/driver"
	done
