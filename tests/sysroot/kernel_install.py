# SPDX-License-Identifier: GPL-2.0-or-later
"""The same host with systemd-boot's entries in the place of GRUB's menu: Debian's own kernel-install and hook.

bootctl is a stand-in that says yes: the real one asks for a mounted vfat, which not every kernel that runs this has.
kernel-install asks for it too from 254 on, unless its configuration names the folder.
"""

import os
import subprocess

from cases import BOTH, FLAGS, SPEC, case, codes, document, is_reverted, is_settled, pending
from root import differences, packages, read, sh, write

TOKEN = "0123456789abcdef0123456789abcdef"
ESP = "boot/efi"
HOOKS = ("etc/initramfs/post-update.d/systemd-boot", "etc/kernel/postinst.d/zz-systemd-boot")


def add_hooks(root):
    package = [path for path in packages("systemd-boot") if os.path.basename(path).startswith("systemd-boot_")]
    archive = subprocess.run(["dpkg-deb", "--fsys-tarfile", *package], check=True, stdout=subprocess.PIPE).stdout
    sh("tar", "-x", "-C", root.path, *("./" + name for name in HOOKS), input=archive)


def change_over(root):
    """As after an installation: token's folder, entry and copies made by kernel-install, GRUB gone."""
    for name in ("boot/grub/grub.cfg", "usr/sbin/update-grub", "usr/sbin/grub-mkconfig", "etc/default/grub"):
        os.unlink(root.at(name))
    if not os.path.exists(root.at(HOOKS[0])):
        add_hooks(root)
    write(root.at("usr/bin/bootctl"), "#!/bin/sh\nexit 0\n")
    os.chmod(root.at("usr/bin/bootctl"), 0o755)
    write(root.at("etc/machine-id"), TOKEN + "\n")
    write(root.at("etc/kernel/install.d/99-count.install"),
          "#!/bin/sh\n[ \"$1\" = remove ] || echo \"$2\" >> /var/log/kernel-install.runs\n")
    os.chmod(root.at("etc/kernel/install.d/99-count.install"), 0o755)
    write(root.at("etc/kernel/install.conf"), "BOOT_ROOT=/%s\n" % ESP)
    os.makedirs(root.at(ESP, "loader/entries"))
    os.makedirs(root.at(ESP, TOKEN))
    write(root.at(ESP, "loader/entries.srel"), "type1\n")
    write(root.at("proc/cmdline"), "initrd=\\%s\\%s\\initrd.img-%s root=/dev/sda1 ro quiet\n"
          % (TOKEN, root.kernel, root.kernel))
    root.chroot("kernel-install", "add", root.kernel, "/boot/vmlinuz-" + root.kernel)
    os.unlink(root.at("var/log/kernel-install.runs"))
    write(root.spec, SPEC)


def entry(root):
    return read(root.at(ESP, "loader/entries/%s-%s.conf" % (TOKEN, root.kernel))).decode()


def copy(root):
    return read(root.at(ESP, TOKEN, root.kernel, "initrd.img-" + root.kernel))


def runs(root):
    path = root.at("var/log/kernel-install.runs")
    return read(path).decode().split() if os.path.exists(path) else []


@case(suites=BOTH)
def kernel_install_life(root, tally):
    """systemd-boot: plan, apply, plan, revert with the real kernel-install and Debian's hook (3.9, 3.11, 3.12)"""
    change_over(root)
    before, former = root.manifest("etc"), entry(root)
    tally.equal("plan: changes pending", document(root, "plan")[0], 2)
    code, report = document(root, "apply")
    tally.check("apply: only a reboot is outstanding (exit 3)", code == 3, report)
    tally.check("the entry has the flags", all(flag in entry(root) for flag in FLAGS), entry(root))
    tally.check("the copy is the image", copy(root) == read(root.initramfs))
    tally.equal("the entry was made once, by one run", runs(root), [root.kernel])
    is_settled(root, tally)
    root.chroot("update-initramfs", "-u", "-k", root.kernel)
    tally.equal("an image made by hand has its entry made by the hook (3.12)", len(runs(root)), 2)
    code, plan = document(root, "plan")
    tally.equal("and nothing is pending", pending(plan), [])
    is_reverted(root, tally, before)
    tally.check("revert: no flag of ours in the entry", not any(flag in entry(root) for flag in FLAGS),
                (former, entry(root)))
    tally.check("revert: the copy is the image", copy(root) == read(root.initramfs))


@case(suites=BOTH)
def kernel_install_lies(root, tally):
    """a lie: kernel-install with layout=other, which writes nothing, reported as exit code 0 (3.6)"""
    change_over(root)
    write(root.at("etc/kernel/install.conf"), "BOOT_ROOT=/%s\nlayout=other\n" % ESP)
    before, former = root.manifest("etc"), entry(root)
    code, report = document(root, "apply")
    tally.equal("apply: exit 1", code, 1)
    tally.check("it is named", "no-effect" in codes(report) and "kernel-install" in str(report), report)
    after = root.manifest("etc")
    tally.check("files are as they were", after == before, differences(before, after))
    tally.equal("so is the entry", entry(root), former)
