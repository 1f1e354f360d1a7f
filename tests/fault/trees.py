# SPDX-License-Identifier: GPL-2.0-or-later
"""Small hosts for the cuts, what is on them, and what is true of them.

They are those of cases/roots.py with a second kernel, an owner and an attribute worth keeping, and stand-ins for
proxmox-boot-tool (facts 4.3, 4.8, 4.14) and dracut (5.20, 5.21, 5.25).
"""

import json
import os
import re
import shutil
import stat
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../cases")]
sys.dont_write_bytecode = True

from chains import TOKEN, loader_entry, use_systemd_boot  # noqa: E402
from roots import GUIDE, MODPROBE, RULES, SPEC, Host  # noqa: E402,F401
from rootfs import KVER  # noqa: E402

OLDER = "6.1.0-17-amd64"
ESP = "/mnt/esp"
ENTRIES = "/boot/efi/loader/entries"
STATE = "/var/lib/passthroughd"
DEFAULTS = "/etc/default/grub"
OTHER = """blacklist: [nouveau]
kernel-flags: [pcie_aspm=off]
module-options:
  kvm: {ignore_msrs: 1, report_ignored_msrs: 0}
"""
TEXT = "# mine\nGRUB_TIMEOUT=5 # five\nGRUB_CMDLINE_LINUX_DEFAULT='quiet splash'\t# quiet\nGRUB_CMDLINE_LINUX=\n"

PROXMOX_BOOT_TOOL = r"""#!/bin/sh
set -e
echo "proxmox-boot-tool $*" >> /var/log/builders
read -r line < /etc/kernel/cmdline
case $line in *root=*) ;; *) echo "no root= in /etc/kernel/cmdline" >&2; exit 1 ;; esac
for k in /boot/vmlinuz-*; do
	v=${k#/boot/vmlinuz-}
	mkdir -p /mnt/esp/EFI/proxmox/$v /mnt/esp/loader/entries
	cp $k /boot/initrd.img-$v /mnt/esp/EFI/proxmox/$v/
	{
		echo "title Proxmox Virtual Environment"
		echo "version $v"
		echo "options $line"
		echo "linux /EFI/proxmox/$v/vmlinuz-$v"
		echo "initrd /EFI/proxmox/$v/initrd.img-$v"
	} > /mnt/esp/loader/entries/proxmox-$v.conf
done
"""

DRACUT = r"""#!/bin/sh
set -e
echo "dracut $*" >> /var/log/builders
while [ $# -gt 2 ]; do shift; done
out=$1 v=$2 w=/tmp/dracut.$$
force_drivers= install_optional_items=
# dash and busybox have no +=.
for f in /etc/dracut.conf.d/*.conf; do [ -e "$f" ] && eval "$(sed 's/^\([a-z_]*\)+="/\1="$\1 /' "$f")"; done
rm -rf $w; mkdir -p $w/etc/cmdline.d $w/usr/lib/modules/$v/kernel
for f in $install_optional_items; do
	[ -e "$f" ] && { mkdir -p $w${f%/*}; cp "$f" $w$f; }
done
for m in $force_drivers; do
	echo "rd.driver.pre=$m" >> $w/etc/cmdline.d/20-force_drivers.conf
	n=$(echo $m | sed s/vfio_pci/vfio-pci/)
	: > $w/usr/lib/modules/$v/kernel/$n.ko
done
for m in $(cat /usr/share/image-modules); do : > $w/usr/lib/modules/$v/kernel/$m.ko; done
[ -z "$force_drivers" ] || for m in vfio vfio-pci-core; do : > $w/usr/lib/modules/$v/kernel/$m.ko; done
(cd $w && find . | cpio -o -H newc) > $w.img 2>/dev/null
cat $w.img > $out
rm -rf $w $w.img
"""


# --- hosts ------------------------------------------------------------------------------------------------------------

def second_kernel(host):
    shutil.copytree(host.full("/lib/modules/" + KVER), host.full("/lib/modules/" + OLDER))
    for name in ("vmlinuz", "config"):
        shutil.copy(host.full("/boot/%s-%s" % (name, KVER)), host.full("/boot/%s-%s" % (name, OLDER)))
    host.image(OLDER)


def settle(host):
    """The images and entries as the host's own builders make them, and nothing of ours left."""
    host.spec(GUIDE)
    before = manifest(host, boot=False)
    for verb in ("apply", "revert"):
        code, report = host.json(verb)
        if code not in (0, 3):
            raise RuntimeError("%s in a quiet host: exit code %d: %s" % (verb, code, report))
    for name in (STATE, "/run"):
        shutil.rmtree(host.full(name))
    after = manifest(host, boot=False)
    if before != after:
        raise RuntimeError("a quiet revert is not exact: %s" % differences(before, after))


def plain(host):
    """GRUB with its drop-in folder, initramfs-tools, two kernels."""
    for name in ("/var/lib", "/run"):
        host.mkdir(name)
    second_kernel(host)
    settle(host)


def shared(host):
    """As plain, but what GRUB reads is the shared file alone, which has a mode, a group and an attribute."""
    host.write("/usr/sbin/grub-mkconfig", "#!/bin/sh\n. ${sysconfdir}/default/grub\n", 0o755)
    host.write(DEFAULTS, TEXT, 0o640)
    os.chown(host.full(DEFAULTS), 0, 4)
    try:
        os.setxattr(host.full(DEFAULTS), "user.test", b"kept")
    except OSError:
        pass  # a file system without
    plain(host)


def proxmox(host):
    """proxmox-boot-tool with one mounted ESP; /etc/kernel/cmdline is shared."""
    host.write("/etc/kernel/proxmox-boot-uuids", "ABCD-1234\n")
    host.write("/etc/kernel/cmdline", "root=ZFS=rpool/ROOT/pve-1 boot=zfs\n")
    host.write("/usr/sbin/proxmox-boot-tool", PROXMOX_BOOT_TOOL, 0o755)
    host.write("/proc/self/mountinfo", "22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n"
               "23 22 8:2 / /mnt/esp rw - vfat /dev/sda2 rw\n")
    host.link("/dev/disk/by-uuid/ABCD-1234", "../../sda2")
    host.mkdir(ESP)
    plain(host)


def dracut(host):
    """dracut in the place of initramfs-tools."""
    host.remove("/usr/sbin/update-initramfs")
    host.write("/usr/sbin/dracut", DRACUT, 0o755)
    plain(host)


def counted(host):
    """systemd-boot with boot counting (3.11): entries that are being tried, each with one that was left beside it."""
    use_systemd_boot(host)
    host.mkdir(ENTRIES)
    host.write("/etc/kernel/tries", "3\n")
    host.write("/etc/kernel/cmdline", "root=UUID=abcd ro quiet\n")
    for version in (KVER, OLDER):
        host.write("%s/%s-%s.conf" % (ENTRIES, TOKEN, version), loader_entry("root=UUID=abcd ro quiet", version))
    plain(host)
    for version in (KVER, OLDER):
        now = "%s/%s-%s+3.conf" % (ENTRIES, TOKEN, version)
        text = host.read(now)
        host.remove(now)
        host.write(now.replace("+3", "+2-1"), text)
        host.write(now.replace("+3", ""), text)


# --- what is on them --------------------------------------------------------------------------------------------------

def archive(data):
    """A newc archive as {name: (mode, bytes)}: what two builds of the same files have in common."""
    found, at = {}, 0
    while data[at:at + 6] == b"070701":
        fields = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        name = data[at + 110:at + 110 + fields[11] - 1].decode()
        at += (110 + fields[11] + 3) & ~3
        if name == "TRAILER!!!":
            return found
        if stat.S_ISREG(fields[1]):
            found[name.removeprefix("./")] = (fields[1], data[at:at + fields[6]])
        at += (fields[6] + 3) & ~3
    return {"cut": data}


def attributes(path):
    try:
        return {name: os.getxattr(path, name, follow_symlinks=False)
                for name in os.listxattr(path, follow_symlinks=False)}
    except OSError:
        return {}


def entry(path):
    status = os.lstat(path)
    what = (status.st_mode, status.st_uid, status.st_gid)
    if stat.S_ISLNK(status.st_mode):
        return ("link", os.readlink(path))
    if not stat.S_ISREG(status.st_mode):
        return what
    with open(path, "rb") as file:
        data = file.read()
    if "initrd.img" in os.path.basename(path):
        data = archive(data)
    return what + (data, attributes(path))


def uncounted(name):
    """Which try a boot entry is at is none of its bytes."""
    return re.sub(r"(/entries/.*?)(\+\d+(-\d+)?)?\.conf$", r"\1.conf", name)


def twins(host):
    """Boot entries that stand there by two counts."""
    names = [uncounted(ENTRIES + "/" + name) for name in os.listdir(host.full(ENTRIES))] if host.exists(ENTRIES) else []
    return sorted({name for name in names if names.count(name) > 1})


def manifest(host, boot=True, state=False):
    """Everything that counts: files, folders, links, with all that belongs to them."""
    found = {}
    skip = {"/proc", "/sys", "/lib", "/bin", "/dev", "/var/log", "/tmp"}
    if not boot:
        skip |= {"/boot", ESP}
    if not state:
        skip |= {STATE, "/run"}
    for folder, dirs, names in os.walk(host.path):
        inside = folder[len(host.path):]
        dirs[:] = [name for name in dirs if inside + "/" + name not in skip]
        for name in names + dirs:
            if name != "images.cache":
                found[uncounted(inside + "/" + name)] = entry(os.path.join(folder, name))
    journal = found.get(STATE + "/journal")
    if journal:  # the time of each line counts for nothing
        found[STATE + "/journal"] = journal[:3] + tuple(line[21:] for line in journal[3].splitlines())
    return found


def short(what):
    """An entry for people."""
    if what is None:
        return "absent"
    text = repr(what)
    return text if len(text) < 300 else text[:300] + "..."


def differences(before, after):
    return "; ".join("%s: %s, wanted %s" % (name, short(before.get(name)), short(after.get(name)))
                     for name in sorted(set(before) | set(after)) if before.get(name) != after.get(name))


def leftovers(host):
    found = []
    for folder, dirs, names in os.walk(host.path):
        inside = folder[len(host.path):]
        dirs[:] = [name for name in dirs if inside + "/" + name not in ("/proc", "/sys", "/lib", "/tmp")]
        found += [inside + "/" + name for name in names if "pthru" in name]
    return found


# --- what is true of them ---------------------------------------------------------------------------------------------

def images(host):
    """Each initramfs that a boot reads."""
    found = []
    for version in (KVER, OLDER):
        path = "/boot/initrd.img-" + version
        if host.exists("/etc/kernel/proxmox-boot-uuids"):
            path = "%s/EFI/proxmox/%s/initrd.img-%s" % (ESP, version, version)
        if host.exists(ENTRIES):
            path = "/boot/efi/%s/%s/initrd.img-%s" % (TOKEN, version, version)
        with open(host.full(path), "rb") as file:
            found.append({name: what[1].decode(errors="replace") for name, what in archive(file.read()).items()
                          if len(what) == 2})
    return found


def command_lines(host):
    """The words of each entry that boots with our flags."""
    if host.exists("/etc/kernel/proxmox-boot-uuids"):
        return [line.split() for version in (KVER, OLDER)
                for line in host.read("%s/loader/entries/proxmox-%s.conf" % (ESP, version)).splitlines()
                if line.startswith("options")]
    if host.exists(ENTRIES):
        return [line.split() for name in os.listdir(host.full(ENTRIES))
                for line in host.read(ENTRIES + "/" + name).splitlines() if line.startswith("options")]
    return [line.split() for line in host.read("/boot/grub/grub.cfg").splitlines()
            if line.startswith("\tlinux") and " single " not in line]


def in_images(host, name, text):
    return all(text in image.get(name, "").splitlines() for image in images(host))


def armed(host, item):
    """Whether the next boot of this host would really do what the item is for."""
    kind, _, name = item["id"].partition(":")
    if kind == "kernel-flag":
        return all(name in words for words in command_lines(host))
    if kind == "blacklist":
        return in_images(host, MODPROBE[1:], "blacklist " + name)
    if kind == "module-option":
        module, option = name.split(".")
        return all(any(line.startswith("options %s " % module) and " %s=" % option in line
                       for line in image.get(MODPROBE[1:], "").splitlines()) for image in images(host))
    if kind == "device":
        return all("vfio-pci" in image.get(RULES[1:], "") and "0000:01:00.0" in image[RULES[1:]]
                   for image in images(host))
    return True


def claims(host, document):
    """What the document says is armed and is not."""
    return ["%s is said to be %s" % (item["id"], item["state"]) for item in document.get("items", [])
            if (item["state"] in ("armed", "active") or item["boot"] == "right") and not armed(host, item)]


def ledger(host):
    """What it says; the order in which files came to it counts for nothing."""
    if not host.exists(STATE + "/ledger.json"):
        return None
    document = json.loads(host.read(STATE + "/ledger.json"))
    document["files"].sort(key=lambda file: file["path"])
    document["folders"].sort()
    return document
