# SPDX-License-Identifier: GPL-2.0-or-later
"""proxmox.py CTL [CASE...]: the command over small hosts of proxmox-boot-tool, with ESPs that are file systems.

The ESPs are FAT images that nodes of the root's /dev lead to, and nobody mounts. The tool is a stand-in that does what chapter 4 of the
platform facts says of it, by their numbers, what it passes over without a word included. It writes by mtools, which is
put into the root for it.
"""

import glob
import json
import os
import re
import shutil
import subprocess

from roots import GUIDE, KVER, codes, items, lasting, main, registry, states, untouched, wrong

CASES, case = registry()
CMDLINE = "root=ZFS=rpool/ROOT/pve-1 boot=zfs"
UUIDS = ("4C1A-9D2E", "4C1B-0F31")

TOOL = r"""#!/bin/sh
set -e
[ "$1" = refresh ] || exit 2
echo "proxmox-boot-tool refresh" >> /var/log/builders
export MTOOLS_SKIP_CHECK=1
if [ -f /etc/kernel/cmdline ]; then
	line=$(head -n 1 /etc/kernel/cmdline)	# 4.8: the first line only
else
	line=$(sed 's/initrd=[^ ]* *//g' /proc/cmdline)	# 4.9
fi
case " $line " in
*" root="*) ;;
*) echo "no root= in the kernel line" >&2; exit 1 ;;	# 4.8
esac
while read -r uuid; do
	disk=/esps/$uuid
	if [ ! -e "$disk" ]; then	# 4.11
		echo "WARN: $uuid is not here, passed over" >&2
		continue
	fi
	mcopy -o -i "$disk" ::/loader/loader.conf /tmp/loader.conf 2>/dev/null || {	# 4.11
		echo "WARN: $uuid has no loader.conf, passed over" >&2
		continue
	}
	grub=
	[ -d /sys/firmware/efi ] || grub=1	# 4.2
	[ -z "$grub" ] || cfg=/tmp/grub.cfg
	[ -z "$grub" ] || { . /etc/default/grub; for f in /etc/default/grub.d/*.cfg; do [ -e "$f" ] && . "$f"; done; : > $cfg; }
	for kernel in /boot/vmlinuz-*; do
		v=${kernel#/boot/vmlinuz-}
		if [ "$grub" ]; then	# 4.4
			mcopy -o -i "$disk" "$kernel" ::/ && mcopy -o -i "$disk" "/boot/initrd.img-$v" ::/
			{
				echo "menuentry 'Proxmox VE GNU/Linux, with Linux $v' {"
				echo "	linux	/vmlinuz-$v $line ro $GRUB_CMDLINE_LINUX $GRUB_CMDLINE_LINUX_DEFAULT"
				echo "	initrd	/initrd.img-$v"
				echo "}"
			} >> $cfg
			continue
		fi
		mmd -i "$disk" -D s "::/EFI/proxmox/$v" 2>/dev/null || true	# 4.3
		mcopy -o -i "$disk" "$kernel" "/boot/initrd.img-$v" "::/EFI/proxmox/$v/" || {
			# 4.12: what cp was at when the disk was full stays as it is
			head -c 100 "/boot/initrd.img-$v" > /tmp/part
			mcopy -o -i "$disk" /tmp/part "::/EFI/proxmox/$v/initrd.img-$v" 2>/dev/null || true
			echo "cp: No space left on device" >&2
			exit 1
		}
		{
			echo "title    Proxmox Virtual Environment"
			echo "version  $v"
			echo "options  $line"
			echo "linux    /EFI/proxmox/$v/vmlinuz-$v"
			echo "initrd   /EFI/proxmox/$v/initrd.img-$v"
		} > /tmp/entry
		mcopy -o -i "$disk" /tmp/entry "::/loader/entries/proxmox-$v.conf"
	done
	[ -z "$grub" ] || mcopy -o -i "$disk" $cfg ::/grub/grub.cfg
done < /etc/kernel/proxmox-boot-uuids
exit 0
"""

# 4.14: each image that is made refreshes all ESPs, but for that variable.
HOOK = """
[ -n "$INITRAMFS_TOOLS_KERNEL_HOOK" ] || proxmox-boot-tool refresh
"""


def disk(number):
    return "/esps/" + UUIDS[number]


def mtools(host, number, *words, **options):
    return subprocess.run([words[0], "-i", host.full(disk(number)), *words[1:]], check=True,
                          env=dict(os.environ, MTOOLS_SKIP_CHECK="1"), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60, **options)


def make_esp(host, number, size="8M", folders=("EFI", "EFI/proxmox", "loader", "loader/entries", "grub")):
    path, node = disk(number), "/dev/sd%cz" % (97 + number)
    host.write(path, b"")
    os.truncate(host.full(path), int(size[:-1]) << 20)
    subprocess.run(["mkfs.vfat", "-i", UUIDS[number].replace("-", ""), host.full(path)], check=True,
                   stdout=subprocess.DEVNULL, env=dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin"))
    host.link(node, ".." + path)
    host.link("/dev/disk/by-uuid/" + UUIDS[number], "../../" + os.path.basename(node))
    for folder in folders:
        mtools(host, number, "mmd", "::/" + folder)
    mtools(host, number, "mcopy", "-", "::/loader/loader.conf", input=b"timeout 3\n")


def give_mtools(host):
    done = subprocess.run(["ldd", shutil.which("mtools")], check=True, stdout=subprocess.PIPE)
    for path in re.findall(r"(/\S+)", done.stdout.decode()):
        host.mkdir(os.path.dirname(path))
        shutil.copy(path, host.full(path))
    # Names on FAT are of a code page, and libc's conversions are modules.
    for module in glob.glob("/usr/lib/*/gconv"):
        host.mkdir(module)
        for path in glob.glob(module + "/gconv-modules*") + [module + "/IBM850.so"]:
            (shutil.copytree if os.path.isdir(path) else shutil.copy)(path, host.full(path))
    host.mkdir("/usr/bin")
    shutil.copy(shutil.which("mtools"), host.full("/usr/bin/mtools"))
    for name in ("mcopy", "mmd", "mdel"):
        host.link("/usr/bin/" + name, "mtools")
    host.link("/bin/head", "busybox")


def esp_text(host, number, path):
    return mtools(host, number, "mtype", "::" + path).stdout.decode()


def entry(host, number, kver=KVER):
    return esp_text(host, number, "/loader/entries/proxmox-%s.conf" % kver)


def use_proxmox(host, uefi=True, esps=2):
    """ZFS with the tool's ESPs, as they are after an installation."""
    host.remove("/boot/grub/grub.cfg")
    give_mtools(host)
    if uefi:
        host.write("/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f",
                   b"\6\0\0\0" + "systemd-boot 252.39\0".encode("utf-16-le"))
        host.write("/proc/cmdline", "initrd=\\EFI\\proxmox\\%s\\initrd.img-%s %s\n" % (KVER, KVER, CMDLINE))
    else:
        host.write("/proc/cmdline", "BOOT_IMAGE=/vmlinuz-%s %s ro quiet\n" % (KVER, CMDLINE))
    host.write("/etc/kernel/cmdline", CMDLINE + "\n")
    for number in range(esps):
        make_esp(host, number)
    host.write("/etc/kernel/proxmox-boot-uuids", "".join(uuid + "\n" for uuid in UUIDS[:esps]))
    host.write("/usr/sbin/proxmox-boot-tool", TOOL, 0o755)
    host.write("/usr/sbin/update-initramfs", host.read("/usr/sbin/update-initramfs") + HOOK, 0o755)
    host.mkdir("/etc/kernel")
    subprocess.run(["chroot", host.path, "/usr/sbin/proxmox-boot-tool", "refresh"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
    host.remove("/var/log/builders")


def all_ready(host, tally):
    _, plan = host.json("plan")
    tally.equal("nothing is left to do", lasting(plan), [])
    tally.equal("everything is armed or active", set(states(plan).values()) - {"armed", "active"}, set())
    return plan


@case()
def two_esps(host, tally):
    """UEFI: both ESPs get entries and images by one refresh, and both are read to prove it (4.3, 4.10)"""
    use_proxmox(host)
    host.spec(GUIDE)
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    tally.equal("one image, one refresh", host.log(), ["update-initramfs -u -k " + KVER, "proxmox-boot-tool refresh"])
    for number in (0, 1):
        tally.check("ESP %d has the flags" % number, "intel_iommu=on iommu=pt" in entry(host, number),
                    entry(host, number))
    plan = all_ready(host, tally)
    tally.check("nothing is unproven", "unproven" not in codes(plan), plan["diagnostics"])
    _, text, _ = host.ctl("capture")
    host.write("/tmp/host", text)
    done = subprocess.run([host.command, "plan", "--json", "--host", host.full("/tmp/host"), "--spec",
                           host.full("/etc/passthroughd")], check=False, stdout=subprocess.PIPE, timeout=60)
    again = json.loads(done.stdout)
    tally.equal("its capture says the same", (states(again), lasting(again)), (states(plan), []))
    host.remove("/etc/passthroughd/host.yaml")
    code, report = host.json("apply")
    tally.check("without a spec it goes back", code in (0, 3) and "iommu" not in entry(host, 1), report)


@case()
def grub_on_esps(host, tally):
    """BIOS: GRUB's menu and the images on both ESPs are proven (4.2, 4.4)"""
    use_proxmox(host, uefi=False)
    host.spec(GUIDE)
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    for number in (0, 1):
        menu = esp_text(host, number, "/grub/grub.cfg")
        tally.check("ESP %d has the flags" % number, "intel_iommu=on iommu=pt" in menu, menu)
    plan = all_ready(host, tally)
    tally.check("nothing is unproven", "unproven" not in codes(plan), plan["diagnostics"])


@case()
def one_gone(host, tally):
    """one ESP that is listed is not there: the tool passes over it (4.11); said, and the other one is done"""
    use_proxmox(host)
    host.remove("/dev/disk/by-uuid/" + UUIDS[1])
    host.remove(disk(1))
    host.spec(GUIDE)
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    tally.check("it is named", "unproven" in codes(report) and UUIDS[1] in str(report["diagnostics"]), report)
    tally.check("the other one has the flags", "iommu=pt" in entry(host, 0))
    all_ready(host, tally)


@case()
def one_skipped(host, tally):
    """one ESP without loader.conf is passed over with exit code 0 (4.11): found out, named, exit 1"""
    use_proxmox(host)
    mtools(host, 1, "mdel", "::/loader/loader.conf")
    host.spec(GUIDE)
    code, report = host.json("apply")
    tally.equal("apply: exit 1", code, 1)
    tally.check("the ESP is named", UUIDS[1] in str(report["diagnostics"]) + str(report["items"]), report)
    tally.check("what the first one has is not called armed", "armed" not in {
        state for name, state in states(host.json("plan")[1]).items() if name.startswith("kernel-flag")})


@case()
def one_behind(host, tally):
    """one ESP with an older image: named, and one refresh mends it without a build"""
    use_proxmox(host)
    old = mtools(host, 1, "mtype", "::/EFI/proxmox/%s/initrd.img-%s" % (KVER, KVER)).stdout
    host.spec(GUIDE)
    host.json("apply")
    mtools(host, 1, "mcopy", "-o", "-", "::/EFI/proxmox/%s/initrd.img-%s" % (KVER, KVER), input=old)
    runs = len(host.log())
    _, plan = host.json("plan")
    tally.equal("only a refresh", [step["target"] for step in lasting(plan)], ["proxmox-boot-tool"])
    tally.check("the ESP is named", UUIDS[1] in str(items(plan)["module:vfio_pci"]["reason"]), items(plan))
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    tally.equal("one run", host.log()[runs:], ["proxmox-boot-tool refresh"])
    all_ready(host, tally)


def fill(host):
    for size in (1 << 20, 1 << 16, 1 << 11):
        for number in range(64):
            try:
                mtools(host, 1, "mcopy", "-", "::/EFI/f%d-%d" % (size, number), input=b"x" * size)
            except subprocess.CalledProcessError:
                break


@case()
def one_full(host, tally):
    """an ESP that is full: refused before anything is written"""
    use_proxmox(host)
    fill(host)
    host.spec(GUIDE)
    before = host.without_notes()
    code, report = host.json("apply")
    tally.equal("apply: exit 4", code, 4)
    tally.check("the ESP is named", "no-space" in codes(report) and UUIDS[1] in str(report["diagnostics"]), report)
    untouched(tally, "apply", before, host.without_notes())


@case()
def one_fills_up(host, tally):
    """an ESP that is full when the tool is at it: it stops in the middle (4.12); files go back, and it says so"""
    use_proxmox(host)
    # Somebody else's file comes while the image is made.
    host.write("/usr/sbin/update-initramfs", host.read("/usr/sbin/update-initramfs") + r"""
export MTOOLS_SKIP_CHECK=1
for size in 1048576 65536 2048; do
	head -c $size /dev/zero > /tmp/filling
	i=0
	while mcopy -o -i /esps/%s /tmp/filling ::/EFI/f$size-$i 2>/dev/null; do i=$((i + 1)); done
done
""" % UUIDS[1], 0o755)
    before = host.snapshot(skip=("/var/lib/passthroughd", "/run", "/var/log", "/boot", "/tmp", "/esps"))
    host.spec(GUIDE)
    code, report = host.json("apply")
    tally.equal("apply: exit 1", code, 1)
    tally.check("with its last words", "No space left on device" in str(report), report)
    host.remove("/etc/passthroughd/host.yaml")
    tally.equal("files are as they were", wrong(before, host.snapshot(
        skip=("/var/lib/passthroughd", "/run", "/var/log", "/boot", "/tmp", "/esps"))), [])


@case()
def unreadable(host, tally):
    """an ESP that holds no FAT file system: not guessed at"""
    use_proxmox(host)
    host.spec(GUIDE)
    host.json("apply")
    host.write(disk(1), os.urandom(1 << 20))
    _, plan = host.json("plan")
    tally.equal("nothing is done about it", lasting(plan), [])
    tally.check("it is said", "unproven" in codes(plan) and UUIDS[1] in str(plan["diagnostics"]), plan["diagnostics"])


if __name__ == "__main__":
    main("proxmox", CASES)
