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

claim 0000:01:00.0 vfio-pci any 0x10de 0x1b81
claim 0000:04:00.0 vfio-pci any 0x1b36 0x000d
claim 0000:05:00.0 vfio-pci any 0x1b36 0x000d

/sbin/modprobe -q -b vfio_pci
/sbin/modprobe -q -b vfio_iommu_type1

# An unbind may never come to an end; the boot does not wait for it.
late=
trap 'late=yes' USR1
{
	sleep 5
	kill -USR1 $$
} &
timer=$!

# take ADDRESS DRIVER: from the built-in driver that has it
take()
{
	dev=/sys/bus/pci/devices/$1
	was=$(readlink "$dev/driver") || return
	was=${was##*/}
	[ "$was" != "$2" ] && is driver_override "$2" || return
	if [ ! -e "/sys/bus/pci/drivers/$2" ]; then
		say "$1 stays on $was: $2 could not be loaded"
		return
	fi
	{
		echo "$1" >"$dev/driver/unbind"
		echo "$1" >/sys/bus/pci/drivers_probe
	} &
	[ "$late" ] || wait $!
	now=$(readlink "$dev/driver")
	if [ "${now##*/}" = "$2" ]; then
		say "$1 taken from $was"
	elif [ "$late" ]; then
		say "$was has not let go of $1 yet: the boot goes on"
	else
		say "$2 did not take $1 from $was"
	fi
}

take 0000:04:00.0 vfio-pci
take 0000:05:00.0 vfio-pci
kill "$timer"
exit 0
