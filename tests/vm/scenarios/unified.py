# SPDX-License-Identifier: GPL-2.0-or-later
"""Intel, UEFI, unified kernel images: the same life where kernel, initramfs and line are one file on the ESP (3.15)

Debian's own systemd-boot and dracut with uefi=yes; nothing of GRUB, nothing of initramfs-tools.
"""

import life

LONG = True
PACKAGE = ("../sysroot/debs.sh", "systemd-boot", "dracut", "binutils")
MACHINE = {"iommu": "intel", "uefi": True, "devices": life.DEVICES}

CHANGE_OVER = """set -e
echo 'LABEL=ESP /boot/efi vfat umask=0077 0 2' >>/etc/fstab
mkdir -p /boot/efi /etc/dracut.conf.d /var/tmp/debs
mount /boot/efi
rm -rf /boot/efi/EFI /boot/grub
mkdir -p /boot/efi/EFI/Linux
dpkg --purge grub-pc grub-efi-amd64-bin grub-pc-bin grub-common grub2-common
dpkg --purge --force-depends initramfs-tools initramfs-tools-core
cat >/etc/dracut.conf.d/10-guest.conf <<'END'
""" + life.DRACUT + """kernel_cmdline="root=LABEL=root ro quiet console=ttyS0"
END
cd /var/tmp/debs
tar -xf /dev/disk/by-id/virtio-disk2
dpkg -i *.deb
rm -r /var/tmp/debs
# systemd-boot's package has made loader entries, with copies of the images: they would boot first.
rm -rf /boot/initrd.img-* /boot/efi/EFI/Linux/* /boot/efi/loader/entries/* "/boot/efi/$(cat /etc/machine-id)"
echo 'uefi="yes"' >/etc/dracut.conf.d/20-uefi.conf
bootctl install --no-variables
dracut -q --force --uefi --kver $(uname -r)
sync
df /boot/efi"""

LINES = "for i in /boot/efi/EFI/Linux/*.efi; do objcopy -O binary -j .cmdline $i /dev/stdout; echo; done"


def entries(machine):
    return machine.must(LINES)


def run(machine, product, tally):
    machine.must(CHANGE_OVER, 1800)
    machine.reboot()
    product.install()
    code, found = product.json("explain boot")
    boot = found.get("boot", {})
    tally.check("explain boot: a unified image, and its line", code == 0 and boot.get("started_by") == "unified-image" and
                [row["flags"] for row in boot["loaders"]] == ["root=LABEL=root ro quiet console=ttyS0"], found)
    life.whole(machine, product, tally, entries, "for i in /boot/efi/EFI/Linux/*.efi; do lsinitrd $i 2>/dev/null; done")
