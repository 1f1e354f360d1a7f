# SPDX-License-Identifier: GPL-2.0-or-later
"""The same host with dracut in the place of initramfs-tools."""

import glob
import os
import subprocess

from cases import BOTH, FLAGS, MODPROBE, RULES, SPEC, case, document, is_reverted, is_settled, item_states
from root import packages, read, sh, write

DROPIN = "etc/dracut.conf.d/90-passthroughd.conf"


# An image of everything takes a minute; what is tested does not depend on the rest.
SMALL = 'compress="lz4"\ndrivers=" ext4 "\ndracutmodules=" base kernel-modules rootfs-block udev-rules "\n'


def install(root):
    """dracut in the place of initramfs-tools: what the tree keeps of it, else fetched."""
    found = glob.glob(root.at("var/cache/apt/archives/*.deb")) or packages("dracut")
    write(root.at("etc/dracut.conf.d/10-small.conf"), SMALL)
    for path in found:
        sh("cp", path, root.at("tmp"))
    root.chroot("dpkg", "--purge", "--force-depends", "initramfs-tools", "initramfs-tools-core")
    root.chroot("dpkg", "-i", *("/tmp/" + os.path.basename(path) for path in found))


def change_over(root):
    install(root)
    root.chroot("dracut", "-q", "--force", "/boot/initrd.img-" + root.kernel, root.kernel)
    write(root.spec, SPEC)


def inside(root):
    return root.chroot("lsinitrd", "/boot/initrd.img-" + root.kernel)


@case(suites=BOTH)
def dracut_life(root, tally):
    """dracut: plan, apply, plan, revert with the real one"""
    change_over(root)
    before = root.manifest("etc")
    normal, recovery = root.entries()
    tally.equal("plan: changes pending", document(root, "plan")[0], 2)
    code, report = document(root, "apply")
    tally.check("apply: only a reboot is outstanding (exit 3)", code == 3, report)
    names = inside(root)
    for name in ("vfio-pci.ko", "vfio_iommu_type1.ko", MODPROBE, os.path.basename(RULES)):
        tally.check("the image holds " + name, name in names)
    loaded = root.chroot("lsinitrd", "-f", "etc/cmdline.d/20-force_drivers.conf", "/boot/initrd.img-" + root.kernel)
    tally.check("vfio-pci is loaded before udev starts (5.21)", "rd.driver.pre=" in loaded and "vfio_pci" in loaded,
                (loaded, [line for line in names.splitlines() if "cmdline.d" in line]))
    now, _ = root.entries()
    tally.check("every entry has the flags", now and all(flag in line for line in now for flag in FLAGS), now)
    is_settled(root, tally)
    is_reverted(root, tally, before)
    tally.check("revert: nothing of ours is in the image", "passthroughd" not in inside(root))
    tally.equal("revert: the entries are as before", root.entries(), (normal, recovery))


@case(suites=BOTH)
def dracut_lies(root, tally):
    """a lie: dracut, a driver that is not there, reported as FAILED and exit code 0 (5.24)"""
    change_over(root)
    for path in glob.glob(root.at("lib/modules", root.kernel, "kernel/drivers/vfio/pci/vfio-pci.ko*")):
        os.unlink(path)
    done = subprocess.run(["chroot", root.path, "dracut", "--force", "--force-drivers", "vfio_pci", "/tmp/try",
                           root.kernel], check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    tally.check("this dracut does tell it: exit 0, FAILED in its output", done.returncode == 0 and b"FAILED" in
                done.stdout, (done.returncode, done.stdout[-600:]))
    code, report = document(root, "apply")
    told = [said["message"] for said in report.get("diagnostics", []) if said["code"] == "no-effect"]
    tally.check("apply fails: exit 1, the image and the module are named", code == 1 and [
        text for text in told if "/boot/initrd.img-" in text and "vfio_pci" in text], report.get("diagnostics"))
    code, plan = document(root, "status")
    tally.check("status: the devices are not armed", code not in (0, 3) and set(
        item_states(plan, "device:").values()) <= {"wanted", "configured"}, plan)
    tally.check("the drop-in says it all the same", b"vfio_pci" in read(root.at(DROPIN)))
