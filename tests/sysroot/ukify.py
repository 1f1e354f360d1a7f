# SPDX-License-Identifier: GPL-2.0-or-later
"""Unified kernel images by Debian 13's own kernel-install and ukify, looked into by ukify and by sbverify."""

import hashlib
import json
import os

import dracut
from cases import case, codes, document, is_reverted, is_settled, pending
from kernel_install import ESP, TOKEN, change_over, runs
from root import differences, read, sh, write

EFIVARS, GUID = "sys/firmware/efi/efivars", "-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
GLOBAL = "-8be4df61-93ca-11d2-aa0d-00e098032b8c"
CONF = "BOOT_ROOT=/%s\nlayout=uki\nuki_generator=ukify\n" % ESP
FLAGS = ("intel_iommu=on", "iommu=pt", "pcie_aspm=off")
KEY, CERT = "/etc/kernel/key.pem", "/etc/kernel/cert.pem"


def images(root):
    return sorted(os.listdir(root.at(ESP, "EFI/Linux")))


def image(root, count=""):
    return "/%s/EFI/Linux/%s-%s%s.efi" % (ESP, TOKEN, root.kernel, count)


def inside(root, name):
    """What ukify says of the image's sections."""
    return json.loads(root.chroot("ukify", "inspect", name, "--json=short"))


def line(root, name):
    return inside(root, name)[".cmdline"]["text"].split()


def holds_initramfs(root, name):
    """Whether the image's initramfs is the one in /boot."""
    return inside(root, name)[".initrd"]["sha256"] == hashlib.sha256(read(root.initramfs)).hexdigest()


def use_unified(root, config="", secure=0):
    """As after an installation with layout=uki: one image that boots, no entries."""
    change_over(root)
    sh("rm", "-r", root.at(ESP))
    os.makedirs(root.at(ESP, "EFI/Linux"))
    write(root.at("etc/kernel/install.conf"), CONF)
    if config:
        write(root.at("etc/kernel/uki.conf"), config)
    for name, text in (("LoaderInfo", "systemd-boot 257.13"), ("StubInfo", "systemd-stub 257.13")):
        write(root.at(EFIVARS, name + GUID), b"\6\0\0\0" + (text + "\0").encode("utf-16-le"))
    write(root.at(EFIVARS, "SecureBoot" + GLOBAL), b"\6\0\0\0" + bytes([secure]))
    write(root.at("proc/cmdline"), "root=/dev/sda1 ro quiet\n")
    root.chroot("kernel-install", "add", root.kernel, "/boot/vmlinuz-" + root.kernel)
    forget_runs(root)


def forget_runs(root):
    os.unlink(root.at("var/log/kernel-install.runs"))


def made(root, tally, name):
    code, report = document(root, "apply")
    tally.check("apply: only a reboot is outstanding (exit 3)", code == 3, report)
    tally.check("the image has the flags", set(FLAGS) <= set(line(root, name)), line(root, name))
    tally.check("and the line that was booted", {"root=/dev/sda1", "ro", "quiet"} <= set(line(root, name)),
                line(root, name))
    tally.check("its initramfs is the one in /boot", holds_initramfs(root, name))
    tally.equal("it is the one image there", images(root), [os.path.basename(name)])
    tally.equal("by one run", runs(root), [root.kernel])
    is_settled(root, tally)


def taken_back(root, tally, name, before):
    is_reverted(root, tally, before)
    tally.check("revert: no flag of ours in the image", not set(FLAGS) & set(line(root, name)), line(root, name))
    tally.check("revert: its initramfs is the one in /boot", holds_initramfs(root, name))


@case(suites=("trixie",))
def ukify_life(root, tally):
    """unified image: plan, apply, plan, revert with the real ukify and Debian's hook (3.12, 3.13)"""
    use_unified(root)
    name, before = image(root), root.manifest("etc")
    tally.equal("plan: changes pending", document(root, "plan")[0], 2)
    made(root, tally, name)
    root.chroot("update-initramfs", "-u", "-k", root.kernel)
    tally.equal("an image made by hand is taken along by the hook (3.12)", len(runs(root)), 2)
    tally.equal("and nothing is pending", pending(document(root, "plan")[1]), [])
    taken_back(root, tally, name, before)


@case(suites=("trixie",))
def ukify_counted(root, tally):
    """unified image with boot counting: one image is left, with a full count (3.11)"""
    use_unified(root)
    name, before = image(root, "+3"), root.manifest("etc")
    write(root.at("etc/kernel/tries"), "3\n")
    before = root.manifest("etc")
    os.rename(root.at(image(root)[1:]), root.at(image(root, "+1-2")[1:]))
    made(root, tally, name)
    taken_back(root, tally, name, before)


@case(suites=("trixie",))
def ukify_signed(root, tally):
    """unified image that is signed: made anew with the key that uki.conf names, else refused under Secure Boot (3.16)"""
    sh("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test", "-days", "2", "-keyout",
       root.at(KEY[1:]), "-out", root.at(CERT[1:]), stderr=-3)
    config = "[UKI]\nSecureBootPrivateKey=%s\nSecureBootCertificate=%s\nSecureBootSigningTool=sbsign\n" % (KEY, CERT)
    use_unified(root, config, secure=1)
    name, before = image(root), root.manifest("etc")
    tally.check("it is signed", "OK" in root.chroot("sbverify", "--cert", CERT, name))
    made(root, tally, name)
    tally.check("the new one is signed, too", "OK" in root.chroot("sbverify", "--cert", CERT, name))
    taken_back(root, tally, name, before)
    os.unlink(root.at("etc/kernel/uki.conf"))
    before = root.manifest("etc", ESP)
    code, report = document(root, "apply")
    tally.check("where nothing signs any more: exit 4, the image is named", code == 4 and
                "ambiguous-boot-loader" in codes(report) and "is signed" in str(report), report)
    after = root.manifest("etc", ESP)
    tally.check("and nothing is touched", after == before, differences(before, after))


@case(suites=("trixie",))
def ukify_lies(root, tally):
    """a lie: kernel-install whose plugin for images is switched off, exit code 0 and nothing written (3.8)"""
    use_unified(root)
    name = image(root)
    write(root.at("etc/kernel/install.d/91-drop.install"), "#!/bin/sh\nexit 0\n")
    os.symlink("/dev/null", root.at("etc/kernel/install.d/90-uki-copy.install"))
    former, before = read(root.at(name[1:])), root.manifest("etc")
    code, report = document(root, "apply")
    tally.check("apply does not say that it is done", code in (1, 4), report)
    tally.check("it is named", {"no-effect", "ambiguous-boot-loader"} & codes(report) and "90-uki-copy" in str(report) or
                "kernel-install" in str(report), report)
    after = root.manifest("etc")
    tally.check("files are as they were", after == before, differences(before, after))
    tally.check("so is the image", read(root.at(name[1:])) == former)


@case(suites=("trixie",))
def ukify_dracut(root, tally):
    """unified image whose initramfs kernel-install has dracut make: no image in /boot at all"""
    dracut.install(root)
    os.unlink(root.initramfs)
    use_unified(root)
    name, before = image(root), root.manifest("etc")
    code, report = document(root, "apply")
    tally.check("apply: only a reboot is outstanding (exit 3)", code == 3, report)
    tally.check("the image has the flags", set(FLAGS) <= set(line(root, name)), line(root, name))
    root.chroot("objcopy", "-O", "binary", "--only-section=.initrd", name, "/tmp/initrd")
    names = root.chroot("lsinitrd", "/tmp/initrd")
    for wanted in ("vfio-pci.ko", "etc/modprobe.d/00-passthroughd.conf", "00-passthroughd.rules"):
        tally.check("its initramfs holds " + wanted, wanted in names)
    tally.equal("planning again: nothing is pending", pending(document(root, "plan")[1]), [])
    is_reverted(root, tally, before)
    root.chroot("objcopy", "-O", "binary", "--only-section=.initrd", name, "/tmp/initrd")
    tally.check("revert: nothing of ours is in the image", "passthroughd" not in root.chroot("lsinitrd", "/tmp/initrd")
                and not set(FLAGS) & set(line(root, name)))
