# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian tree that is complete enough for its own builders to be run by chroot.

It is a real ext4 file system on a loop device whose node is in the tree's own /dev, so that grub-probe, which fails
without the device below / (fact 2.10), finds what it would find on a host. The device is not told its file's name:
grub-probe would look for that file inside the tree. /proc is real but for what the
plan reads of the running kernel, and /sys is laid out as files: a host with a card of two functions
and an NVMe controller.
All mounts are made in the private mount namespace that run.py enters.
"""

import errno
import fcntl
import glob
import hashlib
import os
import stat
import subprocess

ROOT_DISK = 3 << 30

# address: (vendor, device, subsystem vendor, subsystem device, class, driver, group)
CARD, AUDIO, NVME, OTHER = "0000:01:00.0", "0000:01:00.1", "0000:02:00.0", "0000:03:00.0"
BRIDGE = "0000:00:01.0"
FUNCTIONS = {
    BRIDGE: (0x8086, 0x1901, 0x1043, 0x8694, 0x060400, "pcieport", 1),
    CARD: (0x10DE, 0x1B81, 0x1458, 0x3702, 0x030000, "nouveau", 11),
    AUDIO: (0x10DE, 0x10F0, 0x1458, 0x3702, 0x040300, "snd_hda_intel", 11),
    NVME: (0x144D, 0xA808, 0x144D, 0xA801, 0x010802, "nvme", 12),
    OTHER: (0x8086, 0x10D3, 0x8086, 0xA01F, 0x020000, "e1000e", 13),
}

CMDLINE = "BOOT_IMAGE=/boot/vmlinuz root=/dev/sda1 ro quiet\n"
CPUINFO = """processor\t: 0
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 158
model name\t: Intel(R) Core(TM) i7-8700K CPU @ 3.70GHz
flags\t\t: fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat sse sse2 ht lm vmx est aes avx
"""
MODULES = """nouveau 2433024 1 - Live 0x0000000000000000
snd_hda_intel 57344 0 - Live 0x0000000000000000
nvme 57344 0 - Live 0x0000000000000000
e1000e 315392 0 - Live 0x0000000000000000
"""


def sh(*words, **options):
    return subprocess.run(words, check=True, **options)


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())


def read(path):
    with open(path, "rb") as file:
        return file.read()


def cache_folder():
    """Where what takes long to make is kept (tests/run.sh)."""
    return os.environ.get("PTHRU_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "passthroughd")


def packages(*names):
    """The .debs that installing NAMES takes in the tree of Debian 12. The first time needs a network (debs.sh)."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "debs.sh")
    folder = sh("sh", script, "--folder", *names, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL).stdout.decode().strip()
    return glob.glob(folder + "/*.deb")


LOOP_SET_FD, LOOP_CTL_GET_FREE = 0x4C00, 0x4C82  # linux/loop.h


def attach_loop(path):
    """A free loop device over PATH."""
    for _ in range(16):
        with open("/dev/loop-control", "rb") as control:
            device = "/dev/loop%d" % fcntl.ioctl(control, LOOP_CTL_GET_FREE)
        with open(path, "r+b") as file, open(device, "r+b") as loop:
            try:
                fcntl.ioctl(loop, LOOP_SET_FD, file.fileno())
                return device
            except OSError as error:
                # Somebody else was faster: ask for another one.
                if error.errno != errno.EBUSY:
                    raise
    raise OSError(errno.EBUSY, "no free loop device")


def make_base(tree, path):
    """The file system that every case starts from a copy of."""
    with open(path, "wb") as file:
        file.truncate(ROOT_DISK)
    sh("mkfs.ext4", "-q", "-F", "-L", "root", "-d", tree, path)


class Sysroot:
    """One mounted copy: with Sysroot(base, work) as root: root.ctl("plan")."""

    def __init__(self, base, work, ctl, modules="list"):
        """MODULES: initramfs-tools' setting; `list` takes seconds, `most` is what a chroot gets by default."""
        os.makedirs(work, exist_ok=True)
        self.base, self.work, self.program = base, work, ctl
        self.path = os.path.join(work, "root")
        self.disk = os.path.join(work, "root.ext4")
        self.spec = os.path.join(work, "spec.yaml")
        self.modules = modules

    def __enter__(self):
        os.makedirs(self.path, exist_ok=True)
        sh("cp", "--sparse=always", self.base, self.disk)
        self.loop = attach_loop(self.disk)
        try:
            sh("mount", "-t", "ext4", "-o", "noatime", self.loop, self.path)
            self._devices()
            self._running_kernel()
            self._functions()
            self._configuration()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-R", self.path], check=False, stderr=subprocess.DEVNULL)
        subprocess.run(["losetup", "-d", self.loop], check=False)
        os.unlink(self.disk)

    def _devices(self):
        """A /dev that shows nothing of this machine but the loop device under the tree."""
        dev = self.at("dev")
        sh("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", dev)
        for name, major, minor in (("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8),
                                   ("urandom", 1, 9)):
            os.mknod(os.path.join(dev, name), 0o666 | stat.S_IFCHR, os.makedev(major, minor))
        os.mknod(os.path.join(dev, os.path.basename(self.loop)), 0o600 | stat.S_IFBLK,
                 os.stat(self.loop).st_rdev)
        os.symlink("/proc/self/fd", os.path.join(dev, "fd"))

    def _running_kernel(self):
        """What the plan reads of the running kernel is text; what builders ask about themselves is real."""
        os.makedirs(self.at("run/real-proc"))
        sh("mount", "-t", "proc", "proc", self.at("run/real-proc"))
        for name, text in (("cmdline", CMDLINE), ("cpuinfo", CPUINFO), ("modules", MODULES)):
            write(self.at("proc", name), text)
        for name in ("self", "mounts", "filesystems", "devices"):
            os.symlink("/run/real-proc/" + name, self.at("proc", name))

    def _functions(self):
        os.makedirs(self.at("sys/bus/pci/devices"))
        for address, (vendor, device, subvendor, subdevice, kind, driver, group) in FUNCTIONS.items():
            below = "pci0000:00/%s/%s" % (BRIDGE, address) if address != BRIDGE else "pci0000:00/" + BRIDGE
            folder = self.at("sys/devices", below)
            values = {"vendor": vendor, "device": device, "subsystem_vendor": subvendor,
                      "subsystem_device": subdevice}
            for name, value in values.items():
                write(os.path.join(folder, name), "0x%04x\n" % value)
            write(os.path.join(folder, "class"), "0x%06x\n" % kind)
            write(os.path.join(folder, "irq"), "16\n")
            write(os.path.join(folder, "resource"), "0x0000000000000000 0x0000000000000000 0x0000000000000000\n" * 13)
            write(os.path.join(folder, "driver_override"), "(null)\n")
            write(os.path.join(folder, "reset_method"), "bus\n")
            header = bytearray(64)
            header[0x0E] = 1 if kind == 0x060400 else 0x80 if address in (CARD, AUDIO) else 0
            write(os.path.join(folder, "config"), bytes(header))
            up = "../" * (below.count("/") + 2)
            write(self.at("sys/bus/pci/drivers", driver, "module"), "")
            os.symlink(up + "bus/pci/drivers/" + driver, os.path.join(folder, "driver"))
            members = self.at("sys/kernel/iommu_groups", str(group), "devices")
            os.makedirs(members, exist_ok=True)
            os.symlink("../../../../devices/" + below, os.path.join(members, address))
            os.symlink(up + "kernel/iommu_groups/%d" % group, os.path.join(folder, "iommu_group"))
            os.symlink("../../../devices/" + below, self.at("sys/bus/pci/devices", address))
        os.makedirs(self.at("sys/class/iommu/dmar0/intel-iommu"))
        write(self.at("sys/class/iommu/dmar0/intel-iommu/ecap"), "f020df\n")
        write(self.at("sys/firmware/acpi/tables/DMAR"), b"DMAR" + bytes(44))
        for module in ("nouveau", "snd_hda_intel", "nvme", "e1000e"):
            os.makedirs(self.at("sys/module", module))

    def _configuration(self):
        write(self.at("etc/fstab"), "LABEL=root / ext4 errors=remount-ro 0 1\n")
        write(self.at("etc/initramfs-tools/conf.d/test.conf"), "MODULES=%s\n" % self.modules)
        self.kernel = sorted(os.listdir(self.at("lib/modules")))[-1]
        self.initramfs = self.at("boot/initrd.img-" + self.kernel)
        write(self.at("etc/default/grub"), GRUB)
        self.chroot("update-initramfs", "-u", "-k", "all")
        self.chroot("update-grub")

    def at(self, *names):
        return os.path.join(self.path, *names)

    def chroot(self, *words):
        """Run a command of the tree; its output."""
        done = subprocess.run(["chroot", self.path] + list(words), check=False, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
        output = done.stdout.decode(errors="replace")
        if done.returncode:
            raise RuntimeError("exit code %d from %s:\n%s" % (done.returncode, " ".join(words), output))
        return output

    def ctl(self, *words, environment=None):
        """Run passthroughctl on the tree: (exit code, standard output, standard error)."""
        command = [self.program] + list(words) + ["--root", self.path, "--spec", self.spec]
        done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=900, env=dict(os.environ, **(environment or {})))
        with open(os.path.join(self.work, "commands.log"), "ab") as log:
            log.write(b"$ " + " ".join(command).encode() + b"\n" + done.stdout + done.stderr
                      + b"[%d]\n" % done.returncode)
        return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")

    def manifest(self, *folders):
        """Mode, owner and contents of everything below FOLDERS, but for our own state."""
        seen = {}
        for folder in folders:
            for where, _, names in os.walk(self.at(folder)):
                for name in names:
                    path = os.path.join(where, name)
                    status = os.lstat(path)
                    what = (os.readlink(path) if stat.S_ISLNK(status.st_mode)
                            else hashlib.sha256(read(path)).hexdigest())
                    seen[os.path.relpath(path, self.path)] = (oct(status.st_mode), status.st_uid,
                                                              status.st_gid, what)
        return seen

    def unpacked(self):
        """The names inside the initramfs, and where it is unpacked."""
        target = os.path.join(self.work, "unpacked")
        sh("rm", "-rf", target, self.at("tmp/unpacked"))
        self.chroot("unmkinitramfs", "/boot/" + os.path.basename(self.initramfs), "/tmp/unpacked")
        sh("mv", self.at("tmp/unpacked"), target)
        main = os.path.join(target, "main")
        main = main if os.path.isdir(main) else target
        names = [os.path.relpath(os.path.join(where, name), main)
                 for where, _, found in os.walk(main) for name in found]
        return main, names

    def entries(self):
        """Each `linux` line of grub.cfg, as words: (normal entries, recovery entries)."""
        lines = [line.split() for line in read(self.at("boot/grub/grub.cfg")).decode().splitlines()
                 if line.split()[:1] == ["linux"]]
        return ([line for line in lines if "single" not in line], [line for line in lines if "single" in line])


GRUB = """# If you change this file, run 'update-grub' afterwards to update
GRUB_DEFAULT=0
GRUB_TIMEOUT=5
GRUB_DISTRIBUTOR=Debian
GRUB_CMDLINE_LINUX_DEFAULT="quiet"
GRUB_CMDLINE_LINUX=""
"""


def differences(before, after):
    """What differs between two manifests, one line each."""
    return "\n".join("%s: %s -> %s" % (name, before.get(name), after.get(name))
                     for name in sorted(set(before) | set(after)) if before.get(name) != after.get(name))
