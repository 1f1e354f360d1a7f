# SPDX-License-Identifier: GPL-2.0-or-later
"""Intel, BIOS, GRUB, dracut: the same life where dracut makes the images: vfio-pci wins there too (5.20 to 5.27)"""

import life

LONG = True
PACKAGE = ("../sysroot/debs.sh", "dracut")
MACHINE = {"iommu": "intel", "devices": life.DEVICES}

CHANGE_OVER = """set -e
mkdir -p /etc/dracut.conf.d /var/tmp/debs
cat >/etc/dracut.conf.d/10-guest.conf <<'END'
""" + life.DRACUT + """END
cd /var/tmp/debs
tar -xf /dev/disk/by-id/virtio-disk2
dpkg --purge --force-depends initramfs-tools initramfs-tools-core
dpkg -i *.deb
rm -r /var/tmp/debs
dracut -q --force /boot/initrd.img-$(uname -r) $(uname -r)
sync"""


def run(machine, product, tally):
    machine.must(CHANGE_OVER, 1800)
    machine.reboot()
    product.install()
    life.whole(machine, product, tally, life.grub_entries, "for i in /boot/initrd.img-*; do lsinitrd $i; done")
