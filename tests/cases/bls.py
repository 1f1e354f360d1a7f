# SPDX-License-Identifier: GPL-2.0-or-later
"""bls.py CTL [CASE...]: the command over small hosts whose GRUB reads loader entries.

As chains.py; grub2-mkconfig and the installation of a kernel are stand-ins that do what the platform facts say of Fedora
and of each RHEL (2.15 to 2.19).
"""

import shutil
import subprocess

from roots import GUIDE, KVER, codes, items, lasting, main, registry, states, untouched, wrong

TOKEN = "0123456789abcdef0123456789abcdef"
NEWER = "6.2.0-1-amd64"
ENTRIES = "/boot/loader/entries/"
ENTRY = ENTRIES + "%s-%s.conf" % (TOKEN, KVER)
NEW_ENTRY = ENTRIES + "%s-%s.conf" % (TOKEN, NEWER)
RESCUE = ENTRIES + "%s-0-rescue.conf" % TOKEN
GRUBENV = "/boot/grub2/grubenv"
CMDLINE = "/etc/kernel/cmdline"
DEFAULTS = "/etc/default/grub"
LINE = "root=UUID=abcd ro quiet"
FLAGS = " intel_iommu=on iommu=pt"
BUILD = "update-initramfs -u -k "

MKCONFIG = r"""#!/bin/sh
# Reads ${sysconfdir}/default/grub.
set -e
. /etc/default/grub
GRUB_UPDATE_BLS_CMDLINE=no
%s
export GRUB_CMDLINE_LINUX GRUB_UPDATE_BLS_CMDLINE
sh /etc/grub.d/10_linux
printf 'set x=1\nblscfg\n' > /boot/grub2/grub.cfg
"""
# 2.15
FEDORA = r"""update_bls_cmdline()
{
	cmdline="root=UUID=abcd ro ${GRUB_CMDLINE_LINUX}"
	if [ ! -f /etc/kernel/cmdline ] || [ /etc/kernel/cmdline -ot /etc/default/grub ]; then
		echo "$cmdline" > /etc/kernel/cmdline
	fi
	for entry in /boot/loader/entries/*.conf; do
		sed -i -e "s|^options.*|options ${cmdline}|" "$entry"
	done
}
"""
# 2.17: what grub2-editenv does.
EDITENV = r"""line="kernelopts=root=UUID=abcd ro ${GRUB_CMDLINE_LINUX} "
{
	echo "# GRUB Environment Block"
	grep -v -e '^#' -e '^kernelopts=' /boot/grub2/grubenv
	echo "$line"
} > /tmp/env
while [ $(wc -c < /tmp/env) -lt 1024 ]; do printf '#' >> /tmp/env; done
cat /tmp/env > /boot/grub2/grubenv
"""
KINDS = {
    "fedora": (MKCONFIG % "", FEDORA + "update_bls_cmdline\n"),
    "rhel9": (MKCONFIG % "case $1 in --update-bls-cmdline) GRUB_UPDATE_BLS_CMDLINE=yes ;; esac",
              FEDORA + '[ "$GRUB_UPDATE_BLS_CMDLINE" = yes ] && update_bls_cmdline\nexit 0\n'),
    "rhel8": (MKCONFIG % "", EDITENV),
}

CASES, case = registry()


def entry(options, kver=KVER, initrd=" $tuned_initrd"):
    return ("title Linux (%s)\nversion %s\nlinux /vmlinuz-%s\ninitrd /initrd.img-%s%s\noptions %s\n"
            "grub_users $grub_users\ngrub_arg --unrestricted\ngrub_class fedora\n" % (kver, kver, kver, kver, initrd, options))


def block(*lines):
    text = "\n".join(("# GRUB Environment Block", *lines, ""))
    return text + "#" * (1024 - len(text))


def use_bls(host, kind, options=LINE, cmdline=LINE):
    """GRUB with loader entries, its tools those of that kind of host."""
    for name in ("/usr/sbin/update-grub", "/usr/sbin/grub-mkconfig", "/boot/grub/grub.cfg"):
        host.remove(name)
    for tool in "wc printf grep sort tr".split():
        if not host.exists("/bin/" + tool):
            host.link("/bin/" + tool, "busybox")
    host.write("/etc/machine-id", TOKEN + "\n")
    host.write("/boot/grub2/grub.cfg", "set x=1\nblscfg\n")
    host.write(DEFAULTS, 'GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX="quiet"\nGRUB_ENABLE_BLSCFG=true\n')
    host.write("/usr/sbin/grub2-mkconfig", KINDS[kind][0], 0o755)
    host.write("/etc/grub.d/10_linux", KINDS[kind][1], 0o755)
    host.write("/proc/cmdline", "BOOT_IMAGE=(hd0,gpt2)/vmlinuz-%s %s\n" % (KVER, LINE))
    host.write(ENTRY, entry(options))
    host.write(RESCUE, entry(LINE, "0-rescue-" + TOKEN))
    if cmdline:
        host.write(CMDLINE, cmdline + "\n")


def run(host, *words):
    """Somebody else's run of a tool."""
    done = subprocess.run(["chroot", host.path, *words], check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    return done.returncode, done.stdout.decode()


def install_kernel(host, kver=NEWER):
    """What a package of a kernel does: the entry's line is that of /etc/kernel/cmdline, else the running one (2.19)."""
    line = host.read(CMDLINE).strip() if host.exists(CMDLINE) else host.read("/proc/cmdline").split(" ", 1)[1].strip()
    host.write("/boot/vmlinuz-" + kver, "kernel\n")
    host.write("/boot/config-" + kver, host.read("/boot/config-" + KVER))
    shutil.copytree(host.full("/lib/modules/" + KVER), host.full("/lib/modules/" + kver))
    host.image(kver)
    host.write(ENTRIES + "%s-%s.conf" % (TOKEN, kver), entry(line, kver))


def remove_kernel(host, kver=KVER):
    for name in ("/boot/vmlinuz-" + kver, "/boot/config-" + kver, "/boot/initrd.img-" + kver,
                 ENTRIES + "%s-%s.conf" % (TOKEN, kver)):
        host.remove(name)
    shutil.rmtree(host.full("/lib/modules/" + kver))


def loader_files(host):
    return {name: what for name, what in host.snapshot(skip=("/var", "/run", "/tmp", "/proc")).items()
            if name.startswith(("/boot/loader", "/boot/grub2", "/etc/default", "/etc/kernel"))}


@case()
def fedora(host, tally):
    """Fedora: entries, /etc/kernel/cmdline and /etc/default/grub in step, so that a foreign grub2-mkconfig keeps our flags"""
    use_bls(host, "fedora", LINE + " $tuned_params mine=1", LINE + " mine=1")
    before, rescue = loader_files(host), host.read(RESCUE)
    host.spec(GUIDE)
    tally.equal("the line that must be the newer one is written later (2.15)", [
        step["target"] for step in lasting(host.json("plan")[1]) if step["target"] in (CMDLINE, DEFAULTS)],
                [DEFAULTS, CMDLINE])
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    tally.equal("the flags are on the entry, others' tokens too", host.read(ENTRY),
                entry(LINE + " $tuned_params mine=1" + FLAGS))
    tally.equal("the rescue entry is as it was", host.read(RESCUE), rescue)
    tally.equal("on the line for kernels to come", host.read(CMDLINE), LINE + " mine=1" + FLAGS + "\n")
    tally.check("and in GRUB_CMDLINE_LINUX", 'GRUB_CMDLINE_LINUX="quiet%s"\n' % FLAGS in host.read(DEFAULTS),
                host.read(DEFAULTS))
    tally.equal("no command made entries anew", host.log(), [BUILD + KVER])
    tally.equal("nothing is left to do", lasting(host.json("plan")[1]), [])
    tally.equal("everything is armed or active", set(states(host.json("plan")[1]).values()) - {"armed", "active"}, set())
    code, said = run(host, "grub2-mkconfig", "-o", "/boot/grub2/grub.cfg")
    tally.check("a foreign grub2-mkconfig", code == 0 and host.read(ENTRY) != entry(LINE), said)
    tally.equal("keeps our flags", host.read(ENTRY), entry(LINE + FLAGS))
    tally.equal("and what is for kernels to come, which is no older", host.read(CMDLINE), LINE + " mine=1" + FLAGS + "\n")
    tally.equal("nothing is left to do then", lasting(host.json("plan")[1]), [])
    host.json("revert")
    tally.equal("revert: the entry is without them", host.read(ENTRY), entry(LINE))
    run(host, "grub2-mkconfig")
    tally.equal("grub2-mkconfig does not bring them back", host.read(ENTRY), entry(LINE))
    now = loader_files(host)
    tally.equal("files beside the entries are as they were", wrong(
        {name: what for name, what in before.items() if not name.startswith(ENTRIES)},
        {name: what for name, what in now.items() if not name.startswith(ENTRIES)}), [])


@case()
def to_the_byte(host, tally):
    """each kind of host: apply, apply again, revert: every byte and mode is as it was"""
    for kind, options, cmdline in (("fedora", LINE, LINE), ("rhel9", LINE + "  $tuned_params", None),
                                   ("rhel8", "$kernelopts $tuned_params", None)):
        host.write("/usr/sbin/update-grub", "")
        host.write("/usr/sbin/grub-mkconfig", "")
        host.write("/boot/grub/grub.cfg", "")
        if host.exists(CMDLINE):
            host.remove(CMDLINE)
        use_bls(host, kind, options, cmdline)
        host.write(GRUBENV, block("saved_entry=x", "kernelopts=%s " % LINE, "boot_success=1"), 0o600)
        before = loader_files(host)
        host.spec("kernel-flags: [pcie_aspm=off, a.b=c]\n")
        code, report = host.json("apply")
        tally.check("%s: apply: exit 3" % kind, code == 3, report)
        tally.equal("%s: no builder ran" % kind, host.log(), [])
        after = loader_files(host)
        tally.check("%s: something was written" % kind, wrong(before, after), after)
        tally.equal("%s: apply again: exit 3" % kind, host.json("apply")[0], 3)
        tally.equal("%s: and nothing was written" % kind, wrong(after, loader_files(host)), [])
        host.json("revert")
        tally.equal("%s: revert" % kind, wrong(before, loader_files(host)), [])


@case()
def rhel9(host, tally):
    """RHEL 9: entries are edited, since grub2-mkconfig leaves them alone (2.16); a kernel to come has the flags, and
    loses them with us"""
    use_bls(host, "rhel9", cmdline=None)
    host.write("/proc/cmdline", host.read("/proc/cmdline").strip() + " once=1\n")
    defaults = host.read(DEFAULTS)
    host.spec(GUIDE)
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    tally.equal("the entry has the flags", host.read(ENTRY), entry(LINE + FLAGS))
    tally.equal("the line for kernels to come is begun, by the entry's and not that of this boot alone", host.read(CMDLINE), LINE + FLAGS + "\n")
    tally.equal("what grub2-mkconfig does not read for entries is left alone", host.read(DEFAULTS), defaults)
    run(host, "grub2-mkconfig")
    tally.equal("nothing is left to do after a foreign run", lasting(host.json("plan")[1]), [])
    install_kernel(host)
    _, plan = host.json("plan")
    tally.equal("a new kernel: its entry is right, its image is not", [step["target"] for step in lasting(plan)], [NEWER])
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    remove_kernel(host)
    host.json("apply")
    tally.equal("the old kernel gone: nothing is left to do", lasting(host.json("plan")[1]), [])
    host.json("revert")
    tally.equal("revert: the new kernel's entry is without them", host.read(NEW_ENTRY), entry(LINE, NEWER))
    tally.check("the line for kernels to come is gone with us", not host.exists(CMDLINE))


@case()
def foreign_entry(host, tally):
    """what stood on an entry before us stays, though the line for kernels to come has it from us"""
    use_bls(host, "rhel9", LINE + " iommu=pt intel_iommu=on")
    host.spec(GUIDE)
    text = host.read(ENTRY)
    host.json("apply")
    tally.equal("it is not written again", host.read(ENTRY), text)
    tally.equal("kernels to come have it too", host.read(CMDLINE), LINE + FLAGS + "\n")
    host.json("revert")
    tally.equal("revert: it is still there", host.read(ENTRY), text)
    tally.equal("and the line for kernels to come is as it was", host.read(CMDLINE), LINE + "\n")


@case()
def rhel8(host, tally):
    """RHEL 8: the entries name a variable of grubenv (2.17), which grub2-mkconfig writes anew from GRUB_CMDLINE_LINUX"""
    use_bls(host, "rhel8", "$kernelopts $tuned_params")
    text = host.read(ENTRY)
    host.write(GRUBENV, block("saved_entry=x", "kernelopts=%s " % LINE, "boot_success=1"))
    host.spec(GUIDE)
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    tally.equal("grubenv has the flags, and its size", host.read(GRUBENV),
                block("saved_entry=x", "kernelopts=%s%s " % (LINE, FLAGS), "boot_success=1"))
    tally.equal("the entry is as it was", host.read(ENTRY), text)
    tally.equal("everything is armed or active", set(states(host.json("plan")[1]).values()) - {"armed", "active"}, set())
    run(host, "grub2-mkconfig")
    tally.equal("a foreign grub2-mkconfig keeps them", host.read(GRUBENV),
                block("saved_entry=x", "boot_success=1", "kernelopts=%s%s " % (LINE, FLAGS)))
    tally.equal("nothing is left to do", lasting(host.json("plan")[1]), [])
    host.write(GRUBENV, block("saved_entry=x", "kernelopts=%s " % LINE, "boot_success=0"))
    _, plan = host.json("plan")
    tally.equal("somebody's grubenv without them is edited again", [step["target"] for step in lasting(plan)], [GRUBENV])
    tally.check("and the entry of the kernel is named", ENTRY in str(items(plan)["kernel-flag:iommu=pt"]["reason"]), plan)
    host.json("apply")
    host.json("revert")
    tally.equal("revert", host.read(GRUBENV), block("saved_entry=x", "kernelopts=%s " % LINE, "boot_success=0"))


@case()
def contradicted(host, tally):
    """a contradiction on one entry: it is named, and none of the files is written"""
    use_bls(host, "fedora", LINE + " iommu=off")
    host.spec("kernel-flags: [iommu=pt]\n")
    before = host.without_notes()
    code, report = host.json("apply")
    tally.check("apply: exit 4, foreign-conflict", code == 4 and "foreign-conflict" in codes(report) and
                ENTRY in str(report["diagnostics"]), report)
    untouched(tally, "apply", before, host.without_notes())


@case()
def full_env(host, tally):
    """no room in grubenv: said, and nothing is written"""
    use_bls(host, "rhel8", "$kernelopts")
    host.write(GRUBENV, block("kernelopts=%s" % LINE, "x=" + "y" * (1024 - 62)))
    host.spec("kernel-flags: [pcie_aspm=off]\n")
    before = host.without_notes()
    code, report = host.json("apply")
    tally.check("apply: exit 4", code == 4 and "no room" in str(report["diagnostics"]), report)
    untouched(tally, "apply", before, host.without_notes())


if __name__ == "__main__":
    main("bls", CASES)
