# SPDX-License-Identifier: GPL-2.0-or-later
"""A small host below a folder: a root that passthroughctl --root can plan and apply against.

The builders are stand-ins that behave (platform facts 2.1, 2.5, 5.1, 5.3, 5.10, 5.14): they really
write a cpio archive and a grub.cfg from the files of the root. They need busybox in it.
"""
import os
import shutil
import stat

KVER = "6.1.0-18-amd64"

UPDATE_GRUB = r"""#!/bin/sh
set -e
. /etc/default/grub
for f in /etc/default/grub.d/*.cfg; do [ -e "$f" ] && . "$f"; done
out=/boot/grub/grub.cfg
: > $out.new
for k in /boot/vmlinuz-*; do
	v=${k#/boot/vmlinuz-}
	echo "menuentry 'Debian GNU/Linux, with Linux $v' --class debian {" >> $out.new
	echo "	linux	/boot/vmlinuz-$v root=UUID=abcd ro $GRUB_CMDLINE_LINUX $GRUB_CMDLINE_LINUX_DEFAULT" >> $out.new
	echo "	initrd	/boot/initrd.img-$v" >> $out.new
	echo "}" >> $out.new
	echo "menuentry 'Debian GNU/Linux, with Linux $v (recovery mode)' --class debian {" >> $out.new
	echo "	linux	/boot/vmlinuz-$v root=UUID=abcd ro single $GRUB_CMDLINE_LINUX" >> $out.new
	echo "	initrd	/boot/initrd.img-$v" >> $out.new
	echo "}" >> $out.new
done
cat $out.new > $out
rm $out.new
echo update-grub >> /var/log/builders
"""

UPDATE_INITRAMFS = r"""#!/bin/sh
set -e
[ -e /etc/initramfs-tools/update-initramfs.conf ] && . /etc/initramfs-tools/update-initramfs.conf
echo "update-initramfs $*" >> /var/log/builders
env >> /var/log/builders.env
[ "$update_initramfs" = no ] && exit 0
[ -e /fail-initramfs ] && { echo "E: cannot build" >&2; exit 1; }
while [ $# -gt 0 ]; do case "$1" in -k) v=$2; shift ;; esac; shift; done
w=/tmp/mkinitramfs.$$
rm -rf $w; mkdir -p $w/etc $w/lib $w/conf $w/scripts/init-top $w/usr/lib/modules/$v/kernel
cp -r /etc/modprobe.d $w/etc/
[ -d /lib/modprobe.d ] && cp -r /lib/modprobe.d $w/lib/
mkdir -p $w/etc/udev/rules.d
for r in /etc/udev/rules.d/*.rules; do [ -e "$r" ] && cp "$r" $w/etc/udev/rules.d/; done
for s in /etc/initramfs-tools/scripts/init-top/*; do
	[ -e "$s" ] && { cp "$s" $w/scripts/init-top/; echo "/scripts/init-top/${s##*/} \"\$@\"" >> $w/scripts/init-top/ORDER; }
done
echo "/scripts/init-top/udev \"\$@\"" >> $w/scripts/init-top/ORDER
for m in $(cat /usr/share/image-modules) ; do : > $w/usr/lib/modules/$v/kernel/$m.ko; done
# Softdeps are pulled in with the module (5.12); our hook asks for the rest.
if [ -x /etc/initramfs-tools/hooks/passthroughd ] || grep -qs vfio /etc/modprobe.d/*.conf; then
	for m in vfio vfio_iommu_type1 vfio-pci vfio-pci-core; do : > $w/usr/lib/modules/$v/kernel/$m.ko; done
fi
(cd $w && find . | cpio -o -H newc) > /boot/initrd.img-$v.new 2>/dev/null
mv /boot/initrd.img-$v.new /boot/initrd.img-$v
rm -rf $w
"""


def cpio(files):
    """A newc archive of {name: bytes}, directories left out, with its trailer."""
    out = bytearray()
    for i, (name, data) in enumerate([*files.items(), ("TRAILER!!!", b"")]):
        raw = name.encode() + b"\0"
        fields = [i + 1, 0o100644, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(raw), 0]
        out += b"070701" + b"".join(b"%08X" % f for f in fields) + raw
        out += b"\0" * (-len(out) % 4)
        out += data
        out += b"\0" * (-len(out) % 4)
    return bytes(out)


class Root:
    def __init__(self, path, vendor="GenuineIntel", iommu=False, cmdline="quiet", dmar=True,
                 builders=True, grub_dir=True):
        self.path = path
        self.iommu = iommu
        virt = "vmx" if vendor == "GenuineIntel" else "svm"
        self.write("/proc/cmdline",
                   f"BOOT_IMAGE=/boot/vmlinuz-{KVER} root=UUID=abcd ro {cmdline}\n")
        self.write("/proc/cpuinfo", f"processor\t: 0\nvendor_id\t: {vendor}\n"
                   f"model name\t: Test CPU\nflags\t\t: fpu {virt} sse2\n\n")
        self.write("/proc/modules", "nouveau 1 0 - Live 0x0\ne1000e 1 0 - Live 0x0\n")
        self.write("/proc/sys/kernel/osrelease", KVER + "\n")
        self.write("/proc/sys/kernel/random/boot_id", "11111111-2222-3333-4444-555555555555\n")
        self.write("/proc/self/mountinfo",
                   "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n")
        self.write("/etc/debian_version", "12.5\n")
        self.write("/etc/hostname", "testhost\n")
        self.write("/etc/default/grub", 'GRUB_DEFAULT=0\nGRUB_TIMEOUT=5\n'
                   'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\nGRUB_CMDLINE_LINUX=""\n')
        if grub_dir:
            self.mkdir("/etc/default/grub.d")
        self.write("/etc/modules", "# /etc/modules\n")
        self.write("/etc/modprobe.d/local.conf", "options snd_hda_intel power_save=1\n")
        self.mkdir("/etc/passthroughd")
        self.write(f"/boot/vmlinuz-{KVER}", "kernel\n")
        self.write(f"/boot/config-{KVER}",
                   "CONFIG_INTEL_IOMMU=y\n# CONFIG_INTEL_IOMMU_DEFAULT_ON is not set\n"
                   "CONFIG_INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF=y\n")
        mods = f"/lib/modules/{KVER}/"
        self.write(mods + "modules.dep", "".join(
            f"kernel/{m}.ko:\n" for m in
            ("drivers/gpu/drm/nouveau/nouveau", "drivers/net/ethernet/intel/e1000e/e1000e",
             "drivers/vfio/pci/vfio-pci", "drivers/vfio/pci/vfio-pci-core", "drivers/vfio/vfio",
             "drivers/vfio/vfio_iommu_type1", "drivers/vfio/vfio_virqfd", "arch/x86/kvm/kvm",
             "sound/pci/hda/snd-hda-intel")))
        self.write(mods + "modules.builtin", "kernel/drivers/usb/host/xhci-pci.ko\n")
        self.write(mods + "modules.softdep", "")
        self.write(mods + "modules.alias",
                   "alias pci:v000010DEd*sv*sd*bc03sc*i* nouveau\n"
                   "alias pci:v*d*sv*sd*bc04sc03i00* snd_hda_intel\n"
                   "alias pci:v00008086d000010D3sv*sd*bc*sc*i* e1000e\n")
        if dmar and vendor == "GenuineIntel":
            self.write("/sys/firmware/acpi/tables/DMAR", "DMAR")
        elif dmar:
            self.write("/sys/firmware/acpi/tables/IVRS", "IVRS")
        else:
            self.mkdir("/sys/firmware/acpi/tables")
        self.mkdir("/sys/class/iommu")
        self.mkdir("/sys/kernel/iommu_groups")
        if iommu:
            self.mkdir("/sys/class/iommu/dmar0")
            self.write("/proc/interrupts", " 24:  0  IR-PCI-MSI 1-edge  test\n")
        self.device("0000:00:00.0", 0x8086, 0x29c0, 0x060000, group=0)
        self.gpu("0000:01:00", 1)
        self.device("0000:02:00.0", 0x8086, 0x10d3, 0x020000, "e1000e", group=2)
        self.write("/usr/share/image-modules", "nouveau e1000e\n")
        if builders:
            self.builders()
        self.image()
        self.grub_cfg("quiet")

    def full(self, name):
        return self.path + name

    def mkdir(self, name):
        os.makedirs(self.full(name), exist_ok=True)

    def write(self, name, data, mode=0o644):
        os.makedirs(os.path.dirname(self.full(name)), exist_ok=True)
        with open(self.full(name), "wb") as f:
            f.write(data.encode() if isinstance(data, str) else data)
        os.chmod(self.full(name), mode)

    def read(self, name):
        with open(self.full(name), encoding="utf-8") as f:
            return f.read()

    def exists(self, name):
        return os.path.lexists(self.full(name))

    def remove(self, name):
        os.unlink(self.full(name))

    def link(self, name, target):
        os.makedirs(os.path.dirname(self.full(name)), exist_ok=True)
        os.symlink(target, self.full(name))

    def device(self, addr, vendor, device, cls, driver=None, group=None, **attrs):
        base = f"/sys/bus/pci/devices/{addr}/"
        for name, value in {"vendor": f"0x{vendor:04x}", "device": f"0x{device:04x}",
                            "subsystem_vendor": "0x1043", "subsystem_device": "0x8655",
                            "class": f"0x{cls:06x}", "driver_override": "(null)",
                            "modalias": f"pci:v{vendor:08X}d{device:08X}sv00001043sd00008655"
                                        f"bc{cls >> 16:02X}sc{cls >> 8 & 255:02X}i{cls & 255:02X}",
                            "reset_method": "flr bus", "reset": "", **attrs}.items():
            self.write(base + name, value + "\n")
        if driver:
            self.mkdir(f"/sys/bus/pci/drivers/{driver}")
            self.link(base + "driver", f"../../drivers/{driver}")
        if group is not None and self.iommu:
            self.mkdir(f"/sys/kernel/iommu_groups/{group}/devices")
            self.link(base + "iommu_group", f"../../../../kernel/iommu_groups/{group}")
            self.link(f"/sys/kernel/iommu_groups/{group}/devices/{addr}",
                      f"../../../../bus/pci/devices/{addr}")

    def gpu(self, slot, group, driver="nouveau"):
        self.device(slot + ".0", 0x10de, 0x1b81, 0x030000, driver, group, boot_vga="0")
        self.device(slot + ".1", 0x10de, 0x10f0, 0x040300, "snd_hda_intel", group)

    def image(self, kver=KVER, files=None):
        modules = {f"usr/lib/modules/{kver}/kernel/{m}.ko": b"" for m in ("nouveau", "e1000e")}
        keep = {"etc/modprobe.d/local.conf": b"options snd_hda_intel power_save=1\n",
                "scripts/init-top/ORDER": b'/scripts/init-top/udev "$@"\n'}
        self.write(f"/boot/initrd.img-{kver}", cpio({**keep, **modules, **(files or {})}))

    def grub_cfg(self, default, kver=KVER):
        self.write("/boot/grub/grub.cfg",
                   f"menuentry 'Debian GNU/Linux, with Linux {kver}' {{\n"
                   f"\tlinux\t/boot/vmlinuz-{kver} root=UUID=abcd ro  {default}\n"
                   f"\tinitrd\t/boot/initrd.img-{kver}\n}}\n"
                   f"menuentry 'Debian GNU/Linux, with Linux {kver} (recovery mode)' {{\n"
                   f"\tlinux\t/boot/vmlinuz-{kver} root=UUID=abcd ro single \n"
                   f"\tinitrd\t/boot/initrd.img-{kver}\n}}\n")

    def builders(self):
        self.write("/usr/sbin/update-grub", UPDATE_GRUB, 0o755)
        self.write("/usr/sbin/grub-mkconfig", "#!/bin/sh\n# reads /etc/default/grub.d\n"
                   "for x in ${sysconfdir}/default/grub.d/*.cfg ; do . \"${x}\"; done\n", 0o755)
        self.write("/usr/sbin/update-initramfs", UPDATE_INITRAMFS, 0o755)
        os.makedirs(self.full("/bin"), exist_ok=True)
        self.mkdir("/tmp")
        self.mkdir("/var/log")
        shutil.copy(shutil.which("busybox") or "/bin/busybox", self.full("/bin/busybox"))
        for tool in ("sh cat cp rm mv mkdir echo env grep find cpio ls sed".split()):
            self.link("/bin/" + tool, "busybox")

    def snapshot(self, skip=("/var/lib/passthroughd", "/run/passthroughd", "/var/log", "/boot",
                             "/tmp")):
        """Every file outside our state: bytes, mode, owner; links by target; empty folders too."""
        found = {}
        for folder, dirs, names in os.walk(self.path):
            inside = folder[len(self.path):] or "/"
            if any(inside == s or inside.startswith(s + "/") for s in skip):
                dirs[:] = []
                continue
            for name in names + dirs:
                full = os.path.join(folder, name)
                st = os.lstat(full)
                if stat.S_ISLNK(st.st_mode):
                    found[full[len(self.path):]] = ("link", os.readlink(full))
                elif stat.S_ISREG(st.st_mode):
                    with open(full, "rb") as f:
                        found[full[len(self.path):]] = (st.st_mode, st.st_uid, st.st_gid, f.read())
        return found
