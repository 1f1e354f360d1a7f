# SPDX-License-Identifier: GPL-2.0-or-later
"""A board that U-Boot starts by an extlinux.conf, which Debian's own u-boot-menu makes (2.25)."""

import glob
import os

from cases import FLAGS, SPEC, case, codes, document, is_reverted, is_settled
from root import differences, packages, read, sh, write

CONF, DEFAULTS, CMDLINE = "boot/extlinux/extlinux.conf", "etc/default/u-boot", "etc/kernel/cmdline"


def change_over(root, defaults="", cmdline=None):
    for name in ("boot/grub/grub.cfg", "usr/sbin/update-grub", "usr/sbin/grub-mkconfig", "etc/default/grub"):
        os.unlink(root.at(name))
    for path in packages("u-boot-menu"):
        sh("cp", path, root.at("tmp"))
    root.chroot("dpkg", "-i", *("/tmp/" + os.path.basename(path) for path in glob.glob(root.at("tmp/*.deb"))))
    if defaults:
        write(root.at(DEFAULTS), defaults)
    if cmdline:
        write(root.at(CMDLINE), cmdline)
    root.chroot("u-boot-update")
    lines = appended(root)
    write(root.at("proc/cmdline"), lines[0] + "\n")
    write(root.spec, SPEC)


def appended(root):
    """The lines of the entries that boot as usual."""
    lines = [line.split("append", 1)[1].strip() for line in read(root.at(CONF)).decode().splitlines()
             if line.split()[:1] == ["append"]]
    return [line for line in lines if "single" not in line.split()]


def goes_round(root, tally, holder):
    """HOLDER: the one file that the flags go to."""
    before, former = root.manifest("etc"), appended(root)
    tally.equal("plan: changes pending", document(root, "plan")[0], 2)
    code, report = document(root, "apply")
    tally.check("apply: only a reboot is outstanding (exit 3)", code == 3, report)
    now = appended(root)
    tally.check("every entry has the flags behind what it had", now and all(
        set(line.split()) == set(was.split()) | set(FLAGS) for line, was in zip(now, former)), (former, now))
    holders = [name for name in root.manifest("etc") if os.path.isfile(root.at(name)) and b"pcie_aspm" in
               read(root.at(name))]
    tally.equal("the flags are in one file", holders, [holder])
    is_settled(root, tally)
    is_reverted(root, tally, before)
    tally.equal("revert: the entries are as before", appended(root), former)


@case()
def extlinux_life(root, tally):
    """u-boot-menu: plan, apply, plan, revert with the real one, flags in a file of ours"""
    change_over(root, 'U_BOOT_PARAMETERS="ro rootwait quiet"\n')
    goes_round(root, tally, "etc/u-boot-menu/conf.d/90-passthroughd.conf")


@case()
def extlinux_cmdline(root, tally):
    """u-boot-menu: the line of /etc/kernel/cmdline, where it has none of its own"""
    change_over(root, cmdline="root=/dev/sda1 ro panic=10\n")
    goes_round(root, tally, CMDLINE)


@case()
def extlinux_off(root, tally):
    """a lie: u-boot-update that is switched off does nothing and reports success"""
    change_over(root, 'U_BOOT_PARAMETERS="ro quiet"\n')
    write(root.at(DEFAULTS), 'U_BOOT_PARAMETERS="ro quiet"\nU_BOOT_UPDATE=false\n')
    write(root.spec, "kernel-flags: [pcie_aspm=off]\n")
    former = read(root.at(CONF))
    root.chroot("u-boot-update")
    tally.equal("this u-boot-update does so", read(root.at(CONF)), former)
    before = root.manifest("etc", "boot/extlinux")
    code, report = document(root, "apply")
    tally.check("apply: exit 4, with the file and its line", code == 4 and "bad-file" in codes(report)
                and "/etc/default/u-boot:2: U_BOOT_UPDATE" in str(report), (code, report["diagnostics"]))
    after = root.manifest("etc", "boot/extlinux")
    tally.check("and nothing is touched", after == before, differences(before, after))
