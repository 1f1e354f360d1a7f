#!/bin/sh
# managed by passthroughd: change /etc/passthroughd/*.yaml instead
# Puts the modules of early binding into the image.
case $1 in
prereqs)
	echo ""
	exit 0
	;;
esac

. /usr/share/initramfs-tools/hook-functions

copy_exec /usr/libexec/passthroughd/pci-serial
manual_add_modules vfio_pci
manual_add_modules vfio_iommu_type1
