# SPDX-License-Identifier: GPL-2.0-or-later
"""What the product does to a real Debian tree, and what it does where the platform fails it."""

import json
import os

from root import AUDIO, CARD, NVME, differences, read, sh, write

SPEC = """devices:
  gpu: {id: "10de:1b81", accept: [boot-display, in-use]}
  disk: {address: "02:00.0", accept: [in-use]}
blacklist: [nouveau, nvidia, radeon]
kernel-flags: [pcie_aspm=off]
module-options:
  kvm: {ignore_msrs: 1}
"""
FLAGS = ("intel_iommu=on", "iommu=pt", "pcie_aspm=off")
MODPROBE = "etc/modprobe.d/00-passthroughd.conf"
RULES = "etc/udev/rules.d/00-passthroughd.rules"
DROPIN = "etc/default/grub.d/90-passthroughd.cfg"

BOTH = ("bookworm", "trixie")
CASES = []


def case(modules="list", suites=("bookworm",)):
    """Register a case; MODULES is what initramfs-tools is told to take in, SUITES the trees it is run on (tree.sh)."""
    def register(function):
        function.modules, function.suites = modules, suites
        CASES.append(function)
        return function
    return register


def document(root, verb, environment=None):
    """Exit code and the one JSON document that VERB must print, whatever happens."""
    code, output, errors = root.ctl(verb, "--json", environment=environment)
    try:
        return code, json.loads(output)
    except ValueError:
        return code, {"not-json": output, "errors": errors}


def codes(plan):
    """Every code that a plan's diagnostics and verdicts name."""
    found = {diagnostic.get("code") for diagnostic in plan.get("diagnostics", [])}
    for device in plan.get("devices", []):
        found |= {verdict.get("code") for verdict in device.get("verdicts", [])}
    return found


def item_states(plan, prefix):
    return {item["id"]: item.get("state") for item in plan.get("items", []) if item["id"].startswith(prefix)}


def pending(plan):
    """Work on files and artefacts; live and reboot steps belong to a running host."""
    return [step for step in plan.get("steps", []) if step.get("class") not in ("live", "reboot")]


def is_settled(root, tally):
    """Nothing but a reboot is outstanding, and all waits for it."""
    _, plan = document(root, "plan")
    tally.equal("planning again: nothing is pending", pending(plan), [])
    tally.check("all is armed or active", set(item_states(plan, "").values()) <= {"armed", "active"}, plan)


def is_reverted(root, tally, before):
    """Reverted: /etc is as its manifest BEFORE says."""
    code, report = document(root, "revert")
    tally.check("revert: done (exit 0 or 3)", code in (0, 3), report)
    after = root.manifest("etc")
    tally.check("revert: every byte under /etc is as before", after == before, differences(before, after))


def identity(path):
    status = os.stat(path)
    return status.st_ino, status.st_mtime_ns


def refused(root, tally, what, wanted, verb="apply"):
    """VERB must end with 4, name the code WANTED, and leave /etc and /boot as they were."""
    before = root.manifest("etc", "boot")
    code, report = document(root, verb)
    tally.equal("%s: exit 4" % what, code, 4)
    tally.check("%s: the code is %s" % (what, wanted), wanted in codes(report), report)
    after = root.manifest("etc", "boot")
    tally.check("%s: the host is untouched" % what, after == before, differences(before, after))
    return report


@case(modules="most", suites=BOTH)
def whole_way(root, tally):
    """plan, apply, plan, revert, with the initramfs that a chroot gets by default"""
    write(root.spec, SPEC)
    before = root.manifest("etc", "boot", "usr/share/initramfs-tools", "var/lib/passthroughd")
    normal, recovery = root.entries()
    code, plan = document(root, "plan")
    tally.equal("plan: changes pending", code, 2)
    diffs = {diff.get("path") for diff in plan.get("diffs", [])}
    for path in (MODPROBE, RULES, DROPIN):
        tally.check("plan: shows the diff of /" + path, "/" + path in diffs, diffs)
    after = root.manifest("etc", "boot", "usr/share/initramfs-tools", "var/lib/passthroughd")
    tally.check("plan: changes nothing at all", after == before, differences(before, after))

    code, report = document(root, "apply")
    tally.check("apply: only a reboot is outstanding (exit 3)", code == 3, report)
    in_image(root, tally)
    in_boot_loader(root, tally, normal, recovery)
    again(root, tally)

    code, report = document(root, "revert")
    tally.check("revert: done (exit 0 or 3)", code in (0, 3), report)
    after = root.manifest("etc", "usr/share/initramfs-tools")
    wanted = {name: what for name, what in before.items()
              if name.startswith(("etc/", "usr/share/initramfs-tools"))}
    tally.check("revert: every byte under /etc is as before", after == wanted, differences(wanted, after))
    tally.equal("revert: grub.cfg is as before", root.manifest("boot/grub").get("boot/grub/grub.cfg"),
                before["boot/grub/grub.cfg"])
    _, names = root.unpacked()
    tally.equal("revert: nothing of ours in the initramfs", [name for name in names if "passthrough" in name], [])


def in_image(root, tally):
    main, names = root.unpacked()
    for path in (MODPROBE, RULES):
        inside = path if os.path.lexists(os.path.join(main, path)) else "usr/lib/" + path[4:]
        there = os.path.join(main, inside)
        tally.check("the initramfs holds our /%s as it is on disk" % path,
                    os.path.exists(there) and os.path.exists(root.at(path))
                    and read(there) == read(root.at(path)), names[:40])
    bases = {os.path.basename(name).removesuffix(".xz") for name in names}
    for module in ("vfio-pci.ko", "vfio_iommu_type1.ko", "vfio.ko"):
        tally.check("the initramfs holds " + module, module in bases)
    rules = read(root.at(RULES)).decode() if os.path.exists(root.at(RULES)) else ""
    for address in (CARD, AUDIO, NVME):
        tally.check("the udev rule names %s" % address, address in rules, rules)


def in_boot_loader(root, tally, normal, recovery):
    normal_now, recovery_now = root.entries()
    tally.equal("as many entries in grub.cfg as before", (len(normal_now), len(recovery_now)),
                (len(normal), len(recovery)))
    tally.check("every normal entry has the flags, once", all(line.count(flag) == 1
                for line in normal_now for flag in FLAGS), normal_now)
    tally.equal("the recovery entries are as they were (fact 2.5)", recovery_now, recovery)


def again(root, tally):
    code, plan = document(root, "plan")
    tally.equal("planning again: no file, image or entry is pending", pending(plan), [])
    tally.check("planning again: no item lags behind the next boot", not [state for state in
                item_states(plan, "").values() if state in ("wanted", "configured", "blocked")], plan)
    image = identity(root.initramfs)
    grub = identity(root.at("boot/grub/grub.cfg"))
    code, _ = document(root, "apply")
    tally.equal("applying again: exit 3", code, 3)
    tally.check("applying again: no rebuild", identity(root.initramfs) == image
                and identity(root.at("boot/grub/grub.cfg")) == grub)


@case()
def boot_read_only(root, tally):
    """/boot mounted read-only: update-initramfs then does nothing and exits 0 (fact 5.3)"""
    write(root.spec, SPEC)
    sh("mount", "--bind", root.at("boot"), root.at("boot"))
    sh("mount", "-o", "remount,ro,bind", root.at("boot"))
    before = root.manifest("etc", "boot")
    code, report = document(root, "apply")
    tally.check("apply ends with 4", code == 4, report)
    tally.check("a diagnostic speaks of /boot", "/boot" in json.dumps(report.get("diagnostics", [])), report)
    after = root.manifest("etc", "boot")
    tally.check("the host is untouched", before == after, differences(before, after))


@case()
def builder_missing(root, tally):
    """no update-initramfs: the items that need it are blocked, and no half of them is configured"""
    write(root.spec, SPEC)
    os.rename(root.at("usr/sbin/update-initramfs"), root.at("usr/sbin/update-initramfs.away"))
    before = root.manifest("etc", "boot")
    code, plan = document(root, "plan")
    tally.equal("plan: the flags, which need no initramfs, are pending: exit 2", code, 2)
    tally.check("plan: the code is no-builder", "no-builder" in codes(plan), plan)
    after = root.manifest("etc", "boot")
    tally.check("plan: the host is untouched", after == before, differences(before, after))
    code, report = document(root, "apply")
    tally.equal("apply: exit 4", code, 4)
    tally.check("apply: the code is no-builder", "no-builder" in codes(report), report)
    states = item_states(report, "blacklist:")
    tally.check("apply: the blacklist, which the initramfs must hold, is blocked",
                states and set(states.values()) == {"blocked"}, report)


@case()
def initramfs_cut(root, tally):
    """a truncated initramfs: reported, and rebuilt since the builder is there"""
    write(root.spec, SPEC)
    size = os.path.getsize(root.initramfs)
    os.truncate(root.initramfs, size // 2)
    code, plan = document(root, "plan")
    tally.check("plan: exit 2 or 4", code in (2, 4), code)
    tally.check("plan: the code is bad-image", "bad-image" in codes(plan), plan)
    code, report = document(root, "apply")
    tally.check("apply: exit 3", code == 3, report)
    main, _ = root.unpacked()
    tally.check("the new image is whole and has our file", os.path.exists(os.path.join(main, MODPROBE))
                or os.path.exists(os.path.join(main, "usr/lib/modprobe.d/00-passthroughd.conf")))


@case()
def quote_unterminated(root, tally):
    """an unterminated quote in /etc/default/grub: flags are blocked, everything else is done"""
    write(root.spec, SPEC)
    text = 'GRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX_DEFAULT="quiet\nGRUB_TIMEOUT=5\n'
    write(root.at("etc/default/grub"), text)
    grub = identity(root.at("boot/grub/grub.cfg"))
    code, report = document(root, "apply")
    tally.check("apply: exit 4", code == 4, report)
    tally.check("the code is bad-file, and it names the file", "bad-file" in codes(report)
                and "/etc/default/grub" in json.dumps(report["diagnostics"]), report)
    states = item_states(report, "kernel-flag:")
    tally.check("every kernel flag is blocked", states and set(states.values()) == {"blocked"}, states)
    states = item_states(report, "blacklist:")
    tally.check("the blacklist is armed all the same", states
                and set(states.values()) <= {"armed", "active"}, states)
    tally.equal("/etc/default/grub is untouched", read(root.at("etc/default/grub")).decode(), text)
    tally.check("no drop-in was written", not os.path.exists(root.at(DROPIN)))
    tally.equal("grub.cfg is untouched", identity(root.at("boot/grub/grub.cfg")), grub)


@case()
def disk_full(root, tally):
    """no space on /boot: refused before anything is written"""
    write(root.spec, SPEC)
    kept = os.path.join(root.work, "boot")
    sh("cp", "-a", root.at("boot"), kept)
    size = sum(os.path.getsize(os.path.join(where, name)) for where, _, names in os.walk(kept) for name in names)
    sh("mount", "-t", "tmpfs", "-o", "mode=755,size=%d" % (size + (2 << 20)), "tmpfs", root.at("boot"))
    sh("cp", "-a", kept + "/.", root.at("boot"))
    refused(root, tally, "apply", "no-space")


@case()
def links_out(root, tally):
    """symbolic links that dangle or lead out of the tree: nothing outside is read or written"""
    write(root.spec, SPEC)
    outside = os.path.join(root.work, "outside")
    os.makedirs(outside)
    write(os.path.join(outside, "there.conf"), "blacklist nouveau\n")
    sh("mv", root.at("etc/modprobe.d"), root.at("etc/modprobe.d.away"))
    os.symlink("../../../../../../../../../.." + outside, root.at("etc/modprobe.d"))
    code, report = document(root, "apply")
    tally.check("a folder that leads out: exit 4 or 1", code in (1, 4), "%s %s" % (code, report))
    tally.equal("nothing was written outside", os.listdir(outside), ["there.conf"])
    tally.check("what lies outside did not count", item_states(report, "blacklist:nouveau").get(
                "blacklist:nouveau") in ("wanted", "blocked"), report)
    os.unlink(root.at("etc/modprobe.d"))
    sh("mv", root.at("etc/modprobe.d.away"), root.at("etc/modprobe.d"))
    os.symlink("/nowhere/at/all.rules", root.at(RULES))
    code, report = document(root, "apply")
    tally.check("a dangling link in our own file's place: no crash, one document", "not-json" not in report,
                report)
    tally.check("and nothing was made where it points", not os.path.lexists("/nowhere")
                and not os.path.lexists(root.at("nowhere")))


@case()
def spec_refused(root, tally):
    """a spec with errors, and one that others may write: exit 5 and an untouched host"""
    before = root.manifest("etc", "boot")
    write(root.spec, "kernel-flags: [\"init=/bin/sh\"]\nblacklst: [x]\n")
    code, report = document(root, "apply")
    tally.equal("errors in it: exit 5", code, 5)
    tally.check("both errors are named", len(report.get("diagnostics", [])) >= 2, report)
    write(root.spec, SPEC)
    os.chmod(root.spec, 0o666)
    code, report = document(root, "apply")
    os.chmod(root.spec, 0o644)
    tally.equal("writable by all: exit 5", code, 5)
    tally.check("the code is unsafe-permissions", "unsafe-permissions" in codes(report), report)
    after = root.manifest("etc", "boot")
    tally.check("the host is untouched", before == after, differences(before, after))
