# SPDX-License-Identifier: GPL-2.0-or-later
"""chains.py CTL [CASE...]: the command over small hosts that boot another way than by GRUB.

As roots.py; the tools of each chain are stand-ins that do what the platform facts say of them, by their numbers.
"""

import json
import os
import re
import subprocess

from roots import GUIDE, KVER, codes, items, lasting, main, registry, states, untouched, wrong

TOKEN = "0123456789abcdef0123456789abcdef"
ENTRY = "/boot/efi/loader/entries/%s-%s.conf" % (TOKEN, KVER)
COPY = "/boot/efi/%s/%s/initrd.img-%s" % (TOKEN, KVER, KVER)
CMDLINE = "/etc/kernel/cmdline"
BUILD = "update-initramfs -u -k " + KVER
INSTALL = "kernel-install add %s /boot/vmlinuz-%s /boot/initrd.img-%s" % (KVER, KVER, KVER)

# 3.6: without entries.srel or the token's folder the layout is "other", nothing is written and all is well.
# 3.8: the bypass. 3.9: where the options come from. 3.11: entry and copies are written in place, the entry by the name
# with a full count, whatever is there already.
KERNEL_INSTALL = r"""#!/bin/sh
set -e
[ "$KERNEL_INSTALL_BYPASS" = 1 ] && exit 0
echo "kernel-install $*" >> /var/log/builders
[ "$1" = add ]
v=$2 kernel=$3
shift 3
token=$(cat /etc/machine-id)
root=/boot/efi
[ -e /layout-other ] && exit 0
if [ -f /etc/kernel/cmdline ]; then
	options=$(tr '\n' ' ' < /etc/kernel/cmdline)
else
	options=$(tr ' ' '\n' < /proc/cmdline | grep -v -e '^BOOT_IMAGE=' -e '^initrd=' | tr '\n' ' ')
fi
tries=
if [ -f /etc/kernel/tries ]; then
	read -r tries < /etc/kernel/tries
	case $tries in ''|*[!0-9]*) echo "/etc/kernel/tries does not contain an integer." >&2; exit 1 ;; esac
	tries=+$tries
fi
mkdir -p $root/$token/$v
cp "$kernel" $root/$token/$v/linux
[ -e /fail-esp ] && { echo "cp: No space left on device" >&2; exit 1; }
for initrd; do cp "$initrd" $root/$token/$v/; done
{
	echo "title      Debian GNU/Linux 12 (bookworm)"
	echo "version    $v"
	echo "machine-id $token"
	echo "options    ${options% } systemd.machine_id=$token"
	echo "linux      /$token/$v/linux"
	for initrd; do echo "initrd     /$token/$v/${initrd##*/}"; done
} > $root/loader/entries/$token-$v$tries.conf
"""

# 3.12: each image that is made has its entry written.
HOOK = """
kernel-install add "$v" "/boot/vmlinuz-$v" "/boot/initrd.img-$v"
"""

CASES, case = registry()


def loader_entry(options, kver=KVER, token=TOKEN):
    return ("title Debian GNU/Linux\nversion %s\nmachine-id %s\noptions %s\nlinux /%s/%s/linux\n"
            "initrd /%s/%s/initrd.img-%s\n" % (kver, token, options, token, kver, token, kver, kver))


def use_systemd_boot(host, cmdline="root=UUID=abcd ro quiet"):
    """Debian's systemd-boot on UEFI, with nothing of GRUB's."""
    for name in ("/usr/sbin/update-grub", "/usr/sbin/grub-mkconfig", "/boot/grub/grub.cfg", "/etc/default/grub"):
        host.remove(name)
    host.write("/etc/machine-id", TOKEN + "\n")
    host.write("/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f",
               b"\6\0\0\0" + "systemd-boot 252.39-1~deb12u1\0".encode("utf-16-le"))
    host.write("/proc/cmdline", "initrd=\\%s\\%s\\initrd.img-%s %s\n" % (TOKEN, KVER, KVER, cmdline))
    host.write(ENTRY, loader_entry(cmdline))
    with open(host.full("/boot/initrd.img-" + KVER), "rb") as image:
        host.write(COPY, image.read())
    host.write("/usr/bin/kernel-install", KERNEL_INSTALL, 0o755)
    for tool in ("tr", "cut"):
        host.link("/bin/" + tool, "busybox")
    host.write("/usr/sbin/update-initramfs", host.read("/usr/sbin/update-initramfs") + HOOK, 0o755)


@case()
def systemd_boot(host, tally):
    """systemd-boot: entry and copies of the image are written anew, once, and proven"""
    use_systemd_boot(host)
    before, entry = host.snapshot(), host.read(ENTRY)
    host.spec(GUIDE)
    _, plan = host.json("plan")
    tally.equal("plan: files, image, entry", [step["target"] for step in lasting(plan) if "/" not in step["target"]],
                [KVER, "kernel-install " + KVER])
    code, report = host.json("apply")
    tally.check("apply: only a reboot is outstanding", code == 3, report)
    tally.equal("the line begins as the running one", host.read(CMDLINE),
                "root=UUID=abcd ro quiet intel_iommu=on iommu=pt\n")
    tally.check("the entry has the flags", "quiet intel_iommu=on iommu=pt" in host.read(ENTRY), host.read(ENTRY))
    with open(host.full(COPY), "rb") as copy, open(host.full("/boot/initrd.img-" + KVER), "rb") as image:
        tally.check("the copy is the new image", copy.read() == image.read())
    tally.equal("the image was made once, the entry once",
                host.log(), [BUILD, INSTALL])
    tally.equal("everything is armed or active", set(states(host.json("plan")[1]).values()) - {"armed", "active"}, set())
    tally.equal("nothing is left to do", lasting(host.json("plan")[1]), [])
    host.remove("/etc/passthroughd/host.yaml")
    code, report = host.json("apply")
    tally.check("without a spec it goes back", code in (0, 3), report)
    tally.equal("files are as they were", [name for name in wrong(before, host.snapshot())
                                           if not name.startswith("/run/reboot-required")], [])
    tally.check("so is the entry", "iommu" not in host.read(ENTRY), host.read(ENTRY) + entry)


@case()
def copy_behind(host, tally):
    """systemd-boot: a copy on the ESP that is not the image is seen, named and made anew without a build"""
    use_systemd_boot(host)
    with open(host.full(COPY), "rb") as copy:
        old = copy.read()
    host.spec(GUIDE)
    host.json("apply")
    host.write(COPY, old)
    runs = len(host.log())
    code, plan = host.json("plan")
    tally.check("plan: changes pending", code == 2, plan)
    tally.equal("only the entry's step", [step["target"] for step in lasting(plan)], ["kernel-install " + KVER])
    tally.check("the copy is named", COPY in str(items(plan)["module:vfio_pci"]["reason"]), items(plan))
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    tally.equal("one run", host.log()[runs:], [INSTALL])
    tally.equal("nothing is left to do", lasting(host.json("plan")[1]), [])


@case()
def layout_other(host, tally):
    """systemd-boot: kernel-install writes nothing and says that all is well (3.6): found out, taken back"""
    use_systemd_boot(host)
    host.write("/layout-other", "")
    before, entry = host.snapshot(), host.read(ENTRY)
    host.spec(GUIDE)
    code, report = host.json("apply")
    tally.equal("apply: exit 1", code, 1)
    tally.check("it is named", "no-effect" in codes(report) and "kernel-install" in str(report["diagnostics"]), report)
    host.remove("/etc/passthroughd/host.yaml")
    tally.equal("files are as they were", wrong(before, host.snapshot()), [])
    tally.equal("so is the entry", host.read(ENTRY), entry)


@case()
def esp_fails(host, tally):
    """systemd-boot: kernel-install fails half way: files go back, and the entry's files are made again from them"""
    use_systemd_boot(host)
    before = host.snapshot()
    host.spec(GUIDE)
    host.write("/fail-esp", "")
    code, report = host.json("apply")
    tally.equal("apply: exit 1", code, 1)
    tally.check("with its last words", "No space left on device" in str(report), report)
    host.remove("/etc/passthroughd/host.yaml")
    host.remove("/fail-esp")
    tally.equal("files are as they were", wrong(before, host.snapshot()), [])
    tally.check("it was tried again for the old state", host.log().count(INSTALL) == 2, host.log())
    host.spec(GUIDE)
    code, report = host.json("apply")
    tally.check("with room it converges", code == 3, report)
    tally.equal("nothing is left to do", lasting(host.json("plan")[1]), [])


@case()
def esp_fails_for_flags(host, tally):
    """systemd-boot: kernel-install fails where no image is made: what it left half done is made again too"""
    use_systemd_boot(host)
    before = host.snapshot()
    host.spec("kernel-flags: [pcie_aspm=off]\n")
    host.write("/fail-esp", "")
    code, report = host.json("apply")
    tally.check("apply: exit 1", code == 1 and "No space left on device" in str(report), report)
    host.remove("/etc/passthroughd/host.yaml")
    host.remove("/fail-esp")
    tally.equal("files are as they were", wrong(before, host.snapshot()), [])
    tally.equal("tried, and once more for the old state", host.log(), [INSTALL, INSTALL])
    code, report = host.json("apply")
    tally.equal("with room the entry is made from the old line", (code, host.log()), (0, [INSTALL] * 3))


@case()
def no_kernel_install(host, tally):
    """systemd-boot without kernel-install: refused, and nothing is written"""
    use_systemd_boot(host)
    host.remove("/usr/bin/kernel-install")
    host.spec(GUIDE)
    before = host.without_notes()
    code, report = host.json("apply")
    tally.equal("apply: exit 4", code, 4)
    tally.check("what is missing is named", "no-builder" in codes(report) and "kernel-install" in str(report), report)
    tally.equal("flags and images are blocked", {state for name, state in states(report).items()}, {"blocked"})
    untouched(tally, "apply", before, host.without_notes())


@case()
def image_gone(host, tally):
    """systemd-boot, the image in /boot gone and its copy booting: kernel-install would write an entry without one"""
    use_systemd_boot(host)
    host.remove("/boot/initrd.img-" + KVER)
    entry = host.read(ENTRY)
    host.spec("kernel-flags: [pcie_aspm=off]\n")
    before = host.without_notes()
    code, report = host.json("apply")
    tally.check("apply: exit 4, and what has to be made first", code == 4 and "no-builder" in codes(report) and
                "update-initramfs -c" in str(report), report)
    untouched(tally, "apply", before, host.without_notes())
    host.write("/usr/lib/kernel/install.d/50-dracut.install", "#!/bin/sh\nexit 0\n", 0o755)
    former = host.snapshot()
    code, report = host.json("apply")
    tally.check("where a plugin should make it and does not: exit 1", code == 1 and "builder-failed" in codes(report) and
                "without an initrd" in str(report), report)
    tally.equal("the former entry is there again", host.read(ENTRY), entry)
    tally.equal("all files are as they were", wrong(former, host.snapshot()), [])
    host.write("/etc/kernel/install.conf", "initrd_generator=none\n")
    tally.equal("where the plugin is not the one chosen: refused", host.json("apply")[0], 4)


def counted(left, done=None):
    return ENTRY.replace(".conf", "+%d%s.conf" % (left, "" if done is None else "-%d" % done))


def entries(host):
    """The entries of that kernel by their names, with whether the flag is in them."""
    folder = os.path.dirname(ENTRY)
    return {name: "pcie_aspm=off" in host.read(folder + "/" + name) for name in sorted(os.listdir(host.full(folder)))}


# What is counted from, the entries that are there, the one that is left of them.
COUNTS = [
    ("one that was blessed", "3\n", [ENTRY], counted(3)),
    ("one that is being tried", "3\n", [counted(2, 1)], counted(3)),
    ("one by the same name", "3\n", [counted(3)], counted(3)),
    ("one that went bad, and another by hand", "5\n", [counted(0, 3), ENTRY], counted(5)),
    ("no counting any more", None, [counted(2, 1)], ENTRY),
]


@case()
def tries(host, tally):
    """boot counting (3.11): one entry of a kernel is left, that with the flags, and the way back"""
    use_systemd_boot(host)
    text = host.read(ENTRY)
    former = host.snapshot()
    for what, count, names, left in COUNTS:
        for name in entries(host):
            host.remove(os.path.dirname(ENTRY) + "/" + name)
        for name in names:
            host.write(name, text)
        host.write("/etc/kernel/tries", count) if count else host.remove("/etc/kernel/tries")
        host.spec("kernel-flags: [pcie_aspm=off]\n")
        code, report = host.json("apply")
        tally.check(what + ": only a reboot is outstanding", code == 3, report)
        tally.equal(what + ": one entry, with the flag", entries(host), {os.path.basename(left): True})
        tally.equal(what + ": nothing is left to do", lasting(host.json("plan")[1]), [])
        host.remove("/etc/passthroughd/host.yaml")
        code, report = host.json("apply")
        tally.check(what + ": the way back", code in (0, 3), report)
        tally.equal(what + ": one entry, without it", entries(host), {os.path.basename(left): False})
    tally.equal("files are as they were", [name for name in wrong(former, host.snapshot())
                                           if not name.startswith("/run/reboot-required")], [])


@case()
def tries_left_over(host, tally):
    """boot counting: an entry that another run of kernel-install left beside the new one is behind, and goes"""
    use_systemd_boot(host)
    host.write("/etc/kernel/tries", "3\n")
    host.spec("kernel-flags: [pcie_aspm=off]\n")
    text = host.read(ENTRY)
    tally.equal("apply", host.json("apply")[0], 3)
    host.write(ENTRY, text)
    _, plan = host.json("plan")
    tally.equal("the former one, there again, is seen", [step["target"] for step in lasting(plan)], ["kernel-install " + KVER])
    tally.equal("apply: exit 3", host.json("apply")[0], 3)
    tally.equal("it is gone", entries(host), {os.path.basename(counted(3)): True})
    other = ENTRY.replace(TOKEN, "rescue")
    host.write(other, text.replace("quiet", "single"))
    host.write(ENTRY, text)
    host.json("apply")
    tally.check("one of another name is never removed", host.exists(other) and not host.exists(ENTRY), entries(host))


@case()
def tries_refused(host, tally):
    """boot counting: no number there, a kernel-install that fails or drops the initramfs, an entry that stays"""
    use_systemd_boot(host)
    text = host.read(ENTRY)
    host.spec("kernel-flags: [pcie_aspm=off]\n")
    host.write("/etc/kernel/tries", "many\n")
    before = host.without_notes()
    code, report = host.json("apply")
    tally.check("no number: exit 4, with the file", code == 4 and "/etc/kernel/tries holds no number" in str(report), report)
    untouched(tally, "no number", before, host.without_notes())
    host.write("/etc/kernel/tries", "3\n")
    host.write("/fail-esp", "")
    tally.equal("it fails: exit 1", host.json("apply")[0], 1)
    tally.equal("it fails: the former entry is there", (list(entries(host)), host.read(ENTRY)), ([os.path.basename(ENTRY)], text))
    host.remove("/fail-esp")
    host.remove("/boot/initrd.img-" + KVER)
    host.write("/usr/lib/kernel/install.d/50-dracut.install", "#!/bin/sh\nexit 0\n", 0o755)
    code, report = host.json("apply")
    tally.check("it drops the initramfs: exit 1", code == 1 and "without an initrd" in str(report), report)
    tally.equal("and the former entry is the one there", (list(entries(host)), host.read(ENTRY)),
                ([os.path.basename(ENTRY)], text))

@case()
def sdbootutil(host, tally):
    """openSUSE's sdbootutil keeps entries and images on the ESP (2.23): refused by name, nothing is written"""
    use_systemd_boot(host)
    host.remove(ENTRY)
    host.remove("/boot/initrd.img-" + KVER)
    host.remove("/boot/vmlinuz-" + KVER)
    host.write("/usr/bin/sdbootutil", "#!/bin/sh\nexit 0\n", 0o755)
    host.write(CMDLINE, "root=UUID=abcd ro quiet\n")
    host.write("/boot/efi/loader/entries/opensuse-tumbleweed-%s-1.conf" % KVER,
               "title openSUSE\nversion 1@%s\noptions root=UUID=abcd ro quiet\nlinux /opensuse/%s/linux-1f2e\n"
               "initrd /opensuse/%s/initrd-3d4c\n" % (KVER, KVER, KVER))
    host.spec(GUIDE)
    before = host.without_notes()
    code, report = host.json("apply")
    tally.check("apply: exit 4", code == 4, report)
    tally.check("the tool is named", "no-builder" in codes(report) and "sdbootutil update-all-entries" in str(report), report)
    tally.equal("flags and images are blocked", set(states(report).values()), {"blocked"})
    untouched(tally, "apply", before, host.without_notes())
    host.write("/proc/cmdline", "root=UUID=abcd ro quiet pcie_aspm=off\n")
    host.write(CMDLINE, "root=UUID=abcd ro quiet pcie_aspm=off\n")
    host.spec("kernel-flags: [pcie_aspm=off]\n")
    tally.check("by hand it counts", states(host.json("plan")[1])["kernel-flag:pcie_aspm=off"] != "blocked",
                host.json("plan")[1])


@case()
def shared_esp(host, tally):
    """systemd-boot: another system's entry on the same ESP, for a kernel of that version, is none of ours"""
    use_systemd_boot(host)
    other = "ffffffffffffffffffffffffffffffff"
    name = "/boot/efi/loader/entries/%s-%s.conf" % (other, KVER)
    text = loader_entry("root=UUID=other", token=other)
    host.write(name, text)
    host.spec(GUIDE)
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    tally.equal("nothing is left to do", lasting(host.json("plan")[1]), [])
    tally.equal("it is as it was", host.read(name), text)


@case()
def grub_beside(host, tally):
    """GRUB and systemd-boot, both with entries: both are kept right"""
    use_two(host)
    host.spec("kernel-flags: [pcie_aspm=off]\n")
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    tally.equal("one run each, no image", host.log(), ["update-grub", INSTALL])
    tally.check("in both", all("pcie_aspm=off" in host.read(name) for name in (ENTRY, "/boot/grub/grub.cfg")))
    tally.equal("nothing is left to do", lasting(host.json("plan")[1]), [])
    host.write(ENTRY, loader_entry("root=UUID=abcd ro quiet"))
    _, plan = host.json("plan")
    tally.equal("only what is behind is refreshed", [step["target"] for step in lasting(plan)],
                ["kernel-install " + KVER])


GUID = "-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
ON_ESP = "initrd=\\EFI\\proxmox\\%s\\initrd.img-%s " % (KVER, KVER)
BY_SD = "initrd=\\%s\\%s\\initrd.img-%s " % (TOKEN, KVER, KVER)

# What is installed is the same each time: GRUB, systemd-boot with entries, and where said proxmox-boot-tool's list.
# variables, what stands before the line, ESPs of proxmox-boot-tool: what started it, by which evidence
IN_USE = [
    ({}, "BOOT_IMAGE=/boot/vmlinuz-%s " % KVER, False, "grub", "BOOT_IMAGE=/boot/"),
    ({"LoaderInfo": "systemd-boot 252.39"}, BY_SD, False, "systemd-boot", "initrd=\\"),
    # 2.29: GRUB before 2.12 leaves LoaderInfo as it was; who started it last is who put the line together.
    ({"LoaderInfo": "systemd-boot 252.39"}, "BOOT_IMAGE=/boot/vmlinuz-%s " % KVER, False, "grub", "BOOT_IMAGE="),
    ({"LoaderInfo": "GRUB 2.12"}, "", False, "grub", "GRUB 2.12"),
    ({"LoaderInfo": "systemd-boot 256.4"}, ON_ESP, True, "proxmox-boot-tool", "EFI\\proxmox"),
    ({}, "BOOT_IMAGE=/vmlinuz-%s " % KVER, True, "proxmox-boot-tool", "BOOT_IMAGE=/vmlinuz"),  # 4.4
    ({}, "BOOT_IMAGE=/boot/vmlinuz-%s " % KVER, True, "grub", "BOOT_IMAGE=/boot/"),
    # 4.9: a line that was begun with the running one of a GRUB boot has its token still.
    ({"LoaderInfo": "systemd-boot 256.4"}, ON_ESP + "BOOT_IMAGE=/boot/vmlinuz ", True, "proxmox-boot-tool", "initrd="),
    ({"LoaderInfo": "systemd-boot 256.4", "StubInfo": "systemd-stub 256.4"}, "", False, "unified-image", "StubInfo"),
    ({"LoaderInfo": "rEFInd 0.14.2"}, "initrd=\\boot\\initrd.img ", False, "rEFInd 0.14.2", "LoaderInfo"),
    ({}, "", False, None, None),
]


def set_variable(host, name, text):
    host.write("/sys/firmware/efi/efivars/" + name + GUID, b"\6\0\0\0" + (text + "\0").encode("utf-16-le"))


def use_two(host):
    """GRUB and systemd-boot, both with entries."""
    names = ("/usr/sbin/update-grub", "/usr/sbin/grub-mkconfig", "/boot/grub/grub.cfg", "/etc/default/grub")
    saved = {name: host.read(name) for name in names}
    use_systemd_boot(host)
    for name, text in saved.items():
        host.write(name, text, 0o755 if "sbin" in name else 0o644)


@case()
def in_use(host, tally):
    """several chains installed, one in use: which it is, and by what evidence (2.28 to 2.33)"""
    use_two(host)
    line = host.read("/proc/cmdline").split(" ", 1)[1]
    host.remove("/sys/firmware/efi/efivars/LoaderInfo" + GUID)
    for variables, before, proxmox, started_by, evidence in IN_USE:
        what = "%s, line \"%s\"%s" % (variables or "no variable", before, ", ESPs listed" if proxmox else "")
        for name, text in variables.items():
            set_variable(host, name, text)
        host.write("/proc/cmdline", before + line)
        if proxmox:
            host.write("/etc/kernel/proxmox-boot-uuids", "4C1A-9D2E\n")
        code, found = host.json("explain", "boot")
        boot = found.get("boot", {})
        tally.check("%s: %s" % (what, started_by), code == 0 and boot.get("started_by") == started_by and
                    (evidence in boot["evidence"] if evidence else boot["evidence"] is None), found)
        _, text, _ = host.ctl("capture")
        host.write("/tmp/host", text)
        done = subprocess.run([host.command, "explain", "boot", "--json", "--host", host.full("/tmp/host")],
                              check=False, stdout=subprocess.PIPE, timeout=60)
        again = json.loads(re.sub(b"masked-[0-9a-f]{16}", TOKEN.encode(), done.stdout)).get("boot", {})
        tally.check("and by its capture", (again.get("started_by"), again.get("evidence")) ==
                    (boot["started_by"], boot["evidence"]), again)
        for name in variables:
            host.remove("/sys/firmware/efi/efivars/" + name + GUID)
        if proxmox:
            host.remove("/etc/kernel/proxmox-boot-uuids")


@case()
def stranger(host, tally):
    """a loader that is not known here started the host: no flag is written, and it is named"""
    use_two(host)
    host.write("/proc/cmdline", "root=UUID=abcd ro quiet initrd=boot\\initrd.img\n")
    set_variable(host, "LoaderInfo", "rEFInd 0.14.2")
    host.spec("kernel-flags: [pcie_aspm=off]\n")
    before = host.without_notes()
    code, report = host.json("apply")
    tally.equal("apply: exit 4", code, 4)
    tally.check("refused, with its name", "ambiguous-boot-loader" in codes(report) and "rEFInd 0.14.2" in str(report), report)
    untouched(tally, "apply", before, host.without_notes())
    host.write("/proc/cmdline", "root=UUID=abcd ro quiet pcie_aspm=off initrd=boot\\initrd.img\n")
    tally.equal("by hand on the running line it counts", states(host.json("plan")[1])["kernel-flag:pcie_aspm=off"] !=
                "blocked", True)


@case()
def unified(host, tally):
    """a unified image started the host: what would have to get into it is refused, nothing is written"""
    use_systemd_boot(host)
    set_variable(host, "StubInfo", "systemd-stub 254.5")
    host.spec(GUIDE)
    before = host.without_notes()
    code, report = host.json("apply")
    tally.equal("apply: exit 4", code, 4)
    tally.equal("all is blocked", set(states(report).values()), {"blocked"})
    tally.check("and why", "ambiguous-boot-loader" in codes(report) and "unified" in str(report), report)
    untouched(tally, "apply", before, host.without_notes())


@case()
def grub_left_over(host, tally):
    """GRUB's menu without its tools on a host of systemd-boot: said, and not waited for"""
    menu = host.read("/boot/grub/grub.cfg")
    use_systemd_boot(host)
    host.write("/boot/grub/grub.cfg", menu)
    host.spec(GUIDE)
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    tally.check("it is said", "unproven" in codes(report) and "GRUB is left over" in str(report), report)
    tally.equal("it is as it was", host.read("/boot/grub/grub.cfg"), menu)
    tally.equal("nothing is left to do", lasting(host.json("plan")[1]), [])
    tally.equal("everything is armed or active", set(states(host.json("plan")[1]).values()) - {"armed", "active"}, set())
    _, text, _ = host.ctl("explain", "boot")
    tally.check("explain boot says so too", "left over" in text and "started by systemd-boot" in text, text)


@case()
def cmdline_alone(host, tally):
    """GRUB in use, and /etc/kernel/cmdline there without entries: kept for kernels to come, and not left over"""
    host.write(CMDLINE, "root=UUID=abcd ro quiet\n")
    host.spec("kernel-flags: [pcie_aspm=off]\n")
    code, report = host.json("apply")
    tally.check("apply: exit 3, both have the flag", code == 3 and "pcie_aspm=off" in host.read(CMDLINE), report)
    _, found = host.json("explain", "boot")
    tally.equal("explain boot: nothing is left over", [(row["name"], row["left_over"]) for row in found["boot"]["loaders"]],
                [("grub", False), ("systemd-boot", False)])


if __name__ == "__main__":
    main("chains", CASES)
