# SPDX-License-Identifier: GPL-2.0-or-later
"""Intel, UEFI, systemd-boot: the same life where loader entries and copies of the images lie on the ESP (3.1 to 3.12)

Debian's own systemd-boot with its kernel-install and hooks, and nothing of GRUB.
"""

import life

LONG = True
PACKAGE = ("debs.sh", "systemd-boot")
MACHINE = {"iommu": "intel", "uefi": True, "devices": life.DEVICES}

CHANGE_OVER = """set -e
echo 'LABEL=ESP /boot/efi vfat umask=0077 0 2' >>/etc/fstab
mkdir -p /boot/efi /etc/kernel /var/tmp/debs
mount /boot/efi
rm -rf /boot/efi/EFI /boot/grub
echo 'root=LABEL=root ro quiet console=ttyS0' >/etc/kernel/cmdline
dpkg --purge grub-pc grub-efi-amd64-bin grub-pc-bin grub-common grub2-common
cd /var/tmp/debs
tar -xf /dev/disk/by-id/virtio-disk2
dpkg -i *.deb
bootctl install --no-variables
kernel-install add $(uname -r) /boot/vmlinuz-$(uname -r) /boot/initrd.img-$(uname -r)
rm -r /var/tmp/debs
sync
df /boot/efi"""


def entries(machine):
    return machine.must("cat /boot/efi/loader/entries/*.conf")


def run(machine, product, tally):
    machine.must(CHANGE_OVER, 900)
    machine.reboot()
    product.install()
    code, found = product.json("explain boot")
    boot = found.get("boot", {})
    tally.check("explain boot: systemd-boot, by what the firmware says", code == 0 and
                boot.get("started_by") == "systemd-boot" and str(boot.get("loader_info")).startswith("systemd-boot"), found)
    life.whole(machine, product, tally, entries, life.LSINITRAMFS)
    same = machine.run("for v in /boot/vmlinuz-*; do v=${v#/boot/vmlinuz-}; cmp /boot/initrd.img-$v "
                       "/boot/efi/$(cat /etc/machine-id)/$v/initrd.img-$v && echo same; done")[1]
    tally.equal("the copy on the ESP is the image", same, "same\n")
