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

# claim ADDRESS DRIVER SERIAL VENDOR DEVICE [SUBSYSTEM_VENDOR SUBSYSTEM_DEVICE]
claim()
{
	dev=/sys/bus/pci/devices/$1
	if [ ! -e "$dev" ]; then
		say "no device at $1"
	elif ! is vendor "$4" || ! is device "$5" || { [ $# -gt 5 ] &&
		{ ! is subsystem_vendor "$6" || ! is subsystem_device "$7"; }; }; then
		say "another device is at $1 now: left alone"
	elif [ "$3" != any ] && ! /usr/libexec/passthroughd/pci-serial "$1" "$3"; then
		say "$1 has not the serial number that it should have: left alone"
	else
		echo "$2" >"$dev/driver_override"
	fi
}

claim 0000:02:00.0 vfio-pci 00-11-22-33-44-55-66-77 0x8086 0x10d3 0x8086 0x0000
claim 0000:03:00.0 vfio-pci any 0x8086 0x1533

/sbin/modprobe -q -b vfio_pci
/sbin/modprobe -q -b vfio_iommu_type1
exit 0
