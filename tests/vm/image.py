#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Make the guest's disk once, and print its path: GPT, GRUB for BIOS and for UEFI, Debian 12.

The file system is filled from the cached tree by mkfs.ext4 -d at an offset, since loop devices cannot be relied
on to scan partitions. GRUB is installed, and the initramfs built as small as the host needs it, from inside
a first boot that QEMU starts by its -kernel option. Cached under a key made of the tree's and of what is in
this folder's recipe.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.join(HERE, "../sysroot/tree.sh")
sys.path[:0] = [HERE, os.path.join(HERE, "../sysroot")]

from machine import Machine  # noqa: E402
from root import cache_folder  # noqa: E402

SIZE = 4 << 30
MIB = 1 << 20
ESP_START, ESP_SIZE = 2 * MIB, 64 * MIB
ROOT_START = ESP_START + ESP_SIZE

PARTITIONS = """label: gpt
start=2048, size=2048, type=21686148-6449-6E6F-744E-656564454649
start=%d, size=%d, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B
start=%d, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4
""" % (ESP_START // 512, ESP_SIZE // 512, ROOT_START // 512)

FILES = {
    "etc/fstab": "LABEL=root / ext4 errors=remount-ro 0 1\n",
    "etc/hostname": "guest\n",
    "etc/default/grub": """# If you change this file, run 'update-grub' afterwards to update
# /boot/grub/grub.cfg.

GRUB_DEFAULT=0
GRUB_TIMEOUT=0
GRUB_DISTRIBUTOR=`lsb_release -i -s 2> /dev/null || echo Debian`
GRUB_CMDLINE_LINUX_DEFAULT="quiet"
GRUB_CMDLINE_LINUX="console=ttyS0"
GRUB_TERMINAL=console
""",
    # Facts 5.13 and 5.15: the small image, yet with the drivers that vfio-pci has to win against.
    "etc/initramfs-tools/conf.d/guest.conf": "MODULES=dep\n",
    "etc/initramfs-tools/modules": "# drivers of this host's cards\ne1000e\nsnd_hda_intel\nnvme\n",
    "etc/systemd/system/agent.service": """[Unit]
Description=Shell of the test
After=multi-user.target
[Service]
ExecStart=/bin/sh /usr/local/sbin/agent
StandardInput=tty
StandardOutput=tty
TTYPath=/dev/ttyS1
[Install]
WantedBy=default.target
""",
}

# Debian's boot timers would only slow the guest down.
FIRST_BOOT = """set -e
update-initramfs -u -k all
grub-install --target=i386-pc /dev/vda
mkdir -p /boot/efi
mount /dev/vda2 /boot/efi
grub-install --target=x86_64-efi --removable --no-nvram --efi-directory=/boot/efi
umount /boot/efi
update-grub
systemctl mask --quiet apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer
sync
"""


def key():
    digest = hashlib.sha256()
    digest.update(subprocess.run(["sh", TREE, "--key"], check=True, stdout=subprocess.PIPE).stdout)
    for name in ("image.py", "agent.sh"):
        with open(os.path.join(HERE, name), "rb") as recipe:
            digest.update(recipe.read())
    return digest.hexdigest()[:16]


def lay_out(work, tree, disk):
    """The disk with its file systems, and the kernel and initramfs that the first boot starts from."""
    root = os.path.join(work, "root")
    subprocess.run(["cp", "-a", tree, root], check=True)
    for name, text in FILES.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
    shutil.copy(os.path.join(HERE, "agent.sh"), os.path.join(root, "usr/local/sbin/agent"))
    wants = os.path.join(root, "etc/systemd/system/default.target.wants")
    os.makedirs(wants, exist_ok=True)
    os.symlink("../agent.service", os.path.join(wants, "agent.service"))
    open(os.path.join(root, "etc/machine-id"), "w").close()
    boot = sorted(os.listdir(os.path.join(root, "boot")))
    for prefix in ("vmlinuz-", "initrd.img-"):
        name = [entry for entry in boot if entry.startswith(prefix)][-1]
        shutil.copy(os.path.join(root, "boot", name), os.path.join(work, prefix.rstrip("-")))

    with open(disk, "wb") as file:
        file.truncate(SIZE)
    subprocess.run(["sfdisk", "-q", disk], input=PARTITIONS.encode(), check=True)
    subprocess.run(["mformat", "-i", "%s@@%d" % (disk, ESP_START), "-v", "ESP",
                    "-T", str(ESP_SIZE // 512)], check=True)
    size = SIZE - ROOT_START - MIB
    subprocess.run(["mkfs.ext4", "-q", "-F", "-L", "root", "-d", root, "-E", "offset=%d" % ROOT_START,
                    disk, "%dk" % (size // 1024)], check=True)
    shutil.rmtree(root)


def make(work, image):
    tree = subprocess.run(["sh", TREE], check=True, stdout=subprocess.PIPE).stdout.decode().strip()
    disk = os.path.join(work, "disk.raw")
    lay_out(work, tree, disk)
    direct = (os.path.join(work, "vmlinuz"), os.path.join(work, "initrd.img"),
              "root=LABEL=root rw quiet console=ttyS0")
    with Machine(os.path.join(work, "first"), [(disk, "raw", False)], iommu="none", direct=direct) as guest:
        guest.must(FIRST_BOOT, 900)
        guest.power_off()
    subprocess.run(["qemu-img", "convert", "-O", "qcow2", disk, image + ".new"], check=True)
    os.rename(image + ".new", image)


def ensure():
    """The path of the image, made now if it is not there."""
    cache = cache_folder()
    os.makedirs(cache, exist_ok=True)
    with open(os.path.join(cache, "image.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        image = os.path.join(cache, "guest-%s.qcow2" % key())
        if os.path.exists(image):
            return image
        for name in os.listdir(cache):
            if name.startswith("guest-"):
                os.unlink(os.path.join(cache, name))
        work = os.path.join(cache, "image-work")
        shutil.rmtree(work, ignore_errors=True)
        os.makedirs(work)
        make(work, image)
        for name in ("disk.raw", "vmlinuz", "initrd.img"):
            os.unlink(os.path.join(work, name))
        return image


if __name__ == "__main__":
    print(ensure())
