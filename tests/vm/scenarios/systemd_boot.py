# SPDX-License-Identifier: GPL-2.0-or-later
"""Intel, UEFI, systemd-boot: the same life where loader entries and copies of the images lie on the ESP (3.1 to 3.12)

Debian's own systemd-boot with its kernel-install and hooks, and nothing of GRUB. Boots are counted in the entries' names.
"""

import life

LONG = True
PACKAGE = ("../sysroot/debs.sh", "systemd-boot")
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
echo 3 >/etc/kernel/tries
rm -f /boot/efi/loader/entries/*.conf
kernel-install add $(uname -r) /boot/vmlinuz-$(uname -r) /boot/initrd.img-$(uname -r)
rm -r /var/tmp/debs
sync
df /boot/efi"""


def entries(machine):
    return machine.must("cat /boot/efi/loader/entries/*.conf")


def names(machine):
    """Of the entries: the token and the kernel's version, and what is counted."""
    known = machine.must("echo $(cat /etc/machine-id)-$(uname -r)").strip()
    return [name.replace(known, "X") for name in machine.must("ls /boot/efi/loader/entries").split()]


def run(machine, product, tally):
    machine.must(CHANGE_OVER, 900)
    machine.reboot()
    tally.check("the boot is counted, and no longer once it was good", names(machine) in (["X+2-1.conf"], ["X.conf"]),
                names(machine))
    product.install()
    code, found = product.json("explain boot")
    boot = found.get("boot", {})
    tally.check("explain boot: systemd-boot, by what the firmware says", code == 0 and
                boot.get("started_by") == "systemd-boot" and str(boot.get("loader_info")).startswith("systemd-boot"), found)
    life.whole(machine, product, tally, entries, life.LSINITRAMFS)
    same = machine.run("for v in /boot/vmlinuz-*; do v=${v#/boot/vmlinuz-}; cmp /boot/initrd.img-$v "
                       "/boot/efi/$(cat /etc/machine-id)/$v/initrd.img-$v && echo same; done")[1]
    tally.check("one entry is left of the kernel, with no try lost", names(machine) in (["X+2-1.conf"], ["X.conf"]),
                names(machine))
    tally.equal("the copy on the ESP is the image", same, "same\n")
