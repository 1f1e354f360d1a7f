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

/sbin/modprobe -q -b vfio_pci
/sbin/modprobe -q -b vfio_iommu_type1
exit 0
