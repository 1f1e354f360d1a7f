#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# passthroughd.yaml(5) is built, is clean mdoc, and has every key of the schema.
# usage: test-manual.sh BUILD SOURCE
set -eu
page=$1/conf/passthroughd.yaml.5
command -v mandoc >/dev/null || { echo "no mandoc"; exit 77; }
[ -s "$page" ] || { echo "$page was not built"; exit 1; }

# The pages that it points to are installed beside it, or come with a hypervisor.
said=$(mandoc -T lint "$page" | grep -vE 'referenced manual not found: Xr (passthrough|qm |pvesh |virsh )') || said=
[ -z "$said" ] || { echo "$said"; exit 1; }

text=$(mandoc -T ascii "$page" | sed 's/.\x08//g')
for word in devices blacklist kernel-flags module-options iommu unsafe-interrupts reboot mode vms \
	passthroughd=off vfio-pci.ids= primary-gpu match has-device bound-to 'Default: vfio-pci' 'Selectors fail closed'; do
	case $text in
	*"$word"*) ;;
	*) echo "\"$word\" is not on the page"; exit 1 ;;
	esac
done
