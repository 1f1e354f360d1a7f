#!/bin/sh
# managed by passthroughd: change /etc/passthroughd/*.yaml instead
# Gives the functions below, and no others, to their drivers before udev starts.
# passthroughd=off on the kernel command line switches it off.
case $1 in
prereqs)
	echo ""
	exit 0
	;;
esac

set -f
# shellcheck disable=SC2013
for word in $(cat /proc/cmdline); do
	[ "$word" = passthroughd=off ] && exit 0
done

say()
{
	echo "passthroughd: $*" >/dev/kmsg
}

# is ATTRIBUTE VALUE: whether the function at $dev has it
is()
{
	[ -r "$dev/$1" ] && read -r value <"$dev/$1" && [ "$value" = "$2" ]
}

# claim ADDRESS DRIVER VENDOR DEVICE [SUBSYSTEM_VENDOR SUBSYSTEM_DEVICE]
claim()
{
	dev=/sys/bus/pci/devices/$1
	if [ ! -e "$dev" ]; then
		say "no device at $1"
	elif is vendor "$3" && is device "$4" &&
		{ [ $# -eq 4 ] || { is subsystem_vendor "$5" && is subsystem_device "$6"; }; }; then
		echo "$2" >"$dev/driver_override"
	else
		say "another device is at $1 now: left alone"
	fi
}

claim 0000:01:00.0 vfio-pci 0x10de 0x1b81 0x1462 0x3301
claim 0000:01:00.1 vfio-pci 0x10de 0x10f0

/sbin/modprobe -q -b vfio_pci
/sbin/modprobe -q -b vfio_iommu_type1
exit 0
