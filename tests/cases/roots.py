# SPDX-License-Identifier: GPL-2.0-or-later
"""roots.py CTL [CASE...]: the command over small hosts laid out by tests/contract/rootfs.py.

One function a case: a host, a spec, what plan, apply and revert must do to it. The builders are the stand-ins of
rootfs.py, run by chroot.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../contract"), os.path.join(HERE, "../sysroot")]
sys.dont_write_bytecode = True

from rootfs import KVER, Root  # noqa: E402
from tally import Tally  # noqa: E402

GUIDE = """devices:
  gpu: {id: "10de:1b81"}
blacklist: [nouveau, nvidia, radeon]
module-options:
  kvm: {ignore_msrs: 1}
"""
MODPROBE = "/etc/modprobe.d/00-passthroughd.conf"
MODULES = "/etc/modules-load.d/passthroughd.conf"
RULES = "/etc/udev/rules.d/00-passthroughd.rules"
DROPIN = "/etc/default/grub.d/90-passthroughd.cfg"
SPEC = "/etc/passthroughd/host.yaml"


def registry():
    """A list of cases, and the decorator that puts one into it with its options."""
    cases = []

    def case(**options):
        def register(function):
            function.options = options
            cases.append(function)
            return function
        return register
    return cases, case


CASES, case = registry()


class Host(Root):
    """A root, and the command that is run on it."""

    def __init__(self, ctl, *words, **options):
        self.command = ctl
        super().__init__(*words, **options)

    def spec(self, text, name=SPEC):
        self.write(name, text)

    def ctl(self, *words, environment=None):
        """Exit code, standard output and standard error."""
        done = subprocess.run([self.command, *words, "--root", self.path], check=False, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                              env=dict(os.environ, **(environment or {})))
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def json(self, *words, environment=None):
        code, text, errors = self.ctl(*words, "--json", environment=environment)
        try:
            return code, json.loads(text)
        except ValueError:
            return code, {"not-json": text, "errors": errors}

    def log(self):
        """The builders that have run, a line each."""
        return self.read("/var/log/builders").splitlines() if self.exists("/var/log/builders") else []

    def everything(self):
        """All but what is remembered of images: the sooner a look follows a build, the less of it is kept."""
        found = self.snapshot(skip=("/proc",))
        found.pop("/var/lib/passthroughd/images.cache", None)
        return found

    def without_notes(self):
        """Everything but the lock, and the spec that was taken over."""
        return {name: what for name, what in self.everything().items()
                if name != "/var/lib/passthroughd/accepted.yaml" and not name.startswith("/run/passthroughd")}


def items(document):
    return {item["id"]: item for item in document.get("items", [])}


def states(document):
    return {item["id"]: item["state"] for item in document.get("items", [])}


def codes(document):
    found = {diagnostic["code"] for diagnostic in document.get("diagnostics", [])}
    for device in document.get("devices", []):
        found |= {verdict["code"] for verdict in device["verdicts"]}
    return found


def lasting(document):
    """Steps on files and artefacts."""
    return [step for step in document.get("steps", []) if step["class"] not in ("live", "reboot")]


def wrong(before, after):
    return sorted(name for name in set(before) | set(after) if before.get(name) != after.get(name))


def untouched(tally, what, before, after):
    tally.check("%s: nothing was touched" % what, before == after, wrong(before, after))


@case()
def no_spec(host, tally):
    """no spec at all is a valid wish for nothing"""
    before = host.everything()
    code, plan = host.json("plan")
    tally.equal("plan exits 0", code, 0)
    tally.check("it is converged", plan.get("converged") is True and plan.get("steps") == [], plan)
    untouched(tally, "plan", before, host.everything())
    code, text, _ = host.ctl("plan")
    tally.check("and says so", code == 0 and "nothing" in text.lower(), text)


@case()
def guide(host, tally):
    """the guide's whole way, twice, and back"""
    host.spec(GUIDE)
    before, cfg = host.snapshot(), host.read("/boot/grub/grub.cfg")
    everything = host.everything()
    code, plan = host.json("plan")
    tally.equal("plan: changes pending", code, 2)
    untouched(tally, "plan", everything, host.everything())
    tally.equal("plan: the items", sorted(items(plan)), [
        "blacklist:nouveau", "blacklist:nvidia", "blacklist:radeon", "device:gpu", "kernel-flag:intel_iommu=on",
        "kernel-flag:iommu=pt", "module-option:kvm.ignore_msrs", "module:vfio_iommu_type1", "module:vfio_pci",
        "module:vfio_virqfd"])
    tally.equal("plan: every diff is of a file of ours", [
        diff["path"] for diff in plan["diffs"] if "passthroughd" not in diff["path"]], [])
    tally.equal("plan: both functions of the card go", plan["devices"][0]["addresses"],
                ["0000:01:00.0", "0000:01:00.1"])
    kinds = [step["class"] for step in plan["steps"]]
    order = ["files", "initramfs", "boot-loader", "live", "reboot"]
    tally.equal("plan: files, images, entries, in that order", kinds, sorted(kinds, key=order.index))
    tally.check("plan: why a reboot", plan["reboot"]["required"] and all(
        why.split(": ")[0] in items(plan) for why in plan["reboot"]["why"]), plan["reboot"])

    code, report = host.json("apply", environment={"DPKG_MAINTSCRIPT_PACKAGE": "x", "MODPROBE_OPTIONS": "-v",
                                                   "DEB_MAINT_PARAMS": "configure"})
    tally.check("apply: only a reboot is outstanding", code == 3, report)
    tally.equal("apply: each builder ran once (5.2, 4.14)", host.log(),
                ["update-initramfs -u -k " + KVER, "update-grub"])
    environment = host.read("/var/log/builders.env")
    tally.check("apply: nothing of dpkg's or modprobe's leaks into a builder (5.3, 6.18)",
                "DPKG_" not in environment and "DEB_" not in environment and "MODPROBE_" not in environment,
                environment)
    normal, recovery = [line for line in host.read("/boot/grub/grub.cfg").splitlines() if "\tlinux" in line]
    tally.check("apply: the flags are on the entry, and not on the recovery entry (2.5)",
                "intel_iommu=on iommu=pt" in normal and "iommu" not in recovery, normal + recovery)
    tally.check("apply: the flag of a needed reboot", host.exists("/run/reboot-required")
                and "passthroughd" in host.read("/run/reboot-required.pkgs").split())

    code, plan = host.json("plan")
    tally.equal("again: nothing lasting is pending", lasting(plan), [])
    tally.check("again: all is armed or active", set(states(plan).values()) <= {"armed", "active"}, states(plan))
    after = host.everything()
    code, _ = host.json("apply")
    tally.equal("again: apply exits 3", code, 3)
    tally.equal("again: no builder ran", len(host.log()), 2)
    untouched(tally, "again", after, host.everything())

    code, report = host.json("revert")
    tally.check("revert: done", code in (0, 3), report)
    now = host.snapshot()
    for name in ("/run/reboot-required", "/run/reboot-required.pkgs"):
        now.pop(name, None)
    untouched(tally, "revert", before, now)
    tally.equal("revert: grub.cfg is as before", host.read("/boot/grub/grub.cfg").replace(" --class debian", ""), cfg)


@case()
def foreign_flag(host, tally):
    """a flag that somebody already set is not set twice, and stays when ours go"""
    host.write("/etc/default/grub", 'GRUB_CMDLINE_LINUX_DEFAULT="quiet intel_iommu=on"\n')
    host.grub_cfg("quiet intel_iommu=on")
    host.spec(GUIDE)
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    normal = [line for line in host.read("/boot/grub/grub.cfg").splitlines() if "\tlinux" in line][0]
    tally.equal("the flag is on the entry once", normal.count("intel_iommu=on"), 1)
    tally.check("our file does not repeat it", "intel_iommu" not in host.read(DROPIN), host.read(DROPIN))
    host.json("revert")
    tally.check("revert leaves it", "intel_iommu=on" in host.read("/boot/grub/grub.cfg"))


@case()
def no_grub_dir(host, tally):
    """where grub-mkconfig does not read grub.d the shared file is edited, token by token"""
    host.write("/usr/sbin/grub-mkconfig", "#!/bin/sh\n. ${sysconfdir}/default/grub\n", 0o755)
    text = "# mine\nGRUB_TIMEOUT=5 # five\nGRUB_CMDLINE_LINUX_DEFAULT='quiet splash'\t# quiet\nGRUB_CMDLINE_LINUX=\n"
    host.write("/etc/default/grub", text, 0o640)
    shared = host.full("/etc/default/grub")
    os.chown(shared, 7, 8)
    os.setxattr(shared, "trusted.note", b"theirs")
    host.grub_cfg("quiet splash")
    host.spec(GUIDE)
    before = host.snapshot()
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    tally.check("no drop-in", not host.exists(DROPIN))
    tally.equal("only the tokens were added", host.read("/etc/default/grub"),
                text.replace("quiet splash", "quiet splash intel_iommu=on iommu=pt"))
    status = os.stat(shared)
    tally.equal("mode, owner and extended attributes are kept",
                (status.st_mode & 0o7777, status.st_uid, status.st_gid, os.getxattr(shared, "trusted.note")),
                (0o640, 7, 8, b"theirs"))
    host.json("revert")
    now = host.snapshot()
    tally.equal("revert: extended attributes too", os.getxattr(shared, "trusted.note"), b"theirs")
    for name in ("/run/reboot-required", "/run/reboot-required.pkgs"):
        now.pop(name, None)
    untouched(tally, "revert", before, now)


@case(vendor="AuthenticAMD", iommu=True, cmdline="quiet amd_iommu=on")
def amd(host, tally):
    """AMD needs no flag to turn its IOMMU on, and amd_iommu=on does nothing (7.30)"""
    host.spec(GUIDE)
    code, plan = host.json("plan")
    tally.equal("plan: changes pending", code, 2)
    tally.equal("the only flag is iommu=pt", [name for name in items(plan) if name.startswith("kernel-flag:")],
                ["kernel-flag:iommu=pt"])
    tally.check("amd_iommu=on is named as without effect", "no-effect" in codes(plan), plan["diagnostics"])


@case(dmar=False)
def no_iommu(host, tally):
    """no IOMMU: the device is blocked, all else converges"""
    host.spec(GUIDE)
    code, report = host.json("apply")
    tally.check("apply: exit 4", code == 4, report)
    tally.check("the code is iommu-absent", "iommu-absent" in codes(report), report)
    tally.equal("the device is blocked", states(report).get("device:gpu"), "blocked")
    tally.check("the blacklist is armed", states(report).get("blacklist:nouveau") == "armed", states(report))
    tally.check("no rule was written", not host.exists(RULES))


@case(iommu=True)
def live(host, tally):
    """live steps are planned below a root too, and skipped by apply there (note 2)"""
    host.spec(GUIDE)
    _, plan = host.json("plan")
    binds = [step["target"] for step in plan["steps"] if step["kind"] == "bind"]
    tally.equal("both functions are to be bound at once", binds, ["0000:01:00.0", "0000:01:00.1"])
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    tally.check("and the reboot that it leaves outstanding names the device", any(
        why.startswith("device:gpu:") for why in report["reboot"]["why"]), report["reboot"])
    tally.equal("the override was not written", host.read("/sys/bus/pci/devices/0000:01:00.0/driver_override"),
                "(null)\n")
    code, plan = host.json("plan")
    tally.equal("the live steps still count as pending", code, 2)


@case(iommu=True, cmdline="quiet passthroughd=off")
def switched_off(host, tally):
    """passthroughd=off at the boot menu: this boot binds nothing, not live either"""
    host.spec(GUIDE)
    _, plan = host.json("plan")
    tally.equal("no function is to be bound", [step for step in plan["steps"] if step["kind"] == "bind"], [])
    host.json("apply")
    _, plan = host.json("plan")
    tally.check("the device waits for another boot, and says why", states(plan)["device:gpu"] == "armed"
                and "passthroughd=off" in items(plan)["device:gpu"]["reason"], items(plan)["device:gpu"])


@case(iommu=True)
def twins(host, tally):
    """a twin is an error, never a guess; by its address one of them goes"""
    host.gpu("0000:03:00", 3)
    host.spec("devices: {gpu: {id: '10de:1b81'}}\n")
    code, plan = host.json("plan")
    tally.check("by id: ambiguous-device", "ambiguous-device" in codes(plan), plan)
    tally.equal("and no function is chosen", plan["devices"][0]["addresses"], [])
    host.spec("devices: {gpu: {address: '03:00.0'}}\n")
    code, report = host.json("apply")
    tally.check("by address: exit 3", code == 3, report)
    tally.check("the rule names it and not its twin", "0000:03:00.0" in host.read(RULES)
                and "0000:01:00" not in host.read(RULES), host.read(RULES))
    tally.equal("by override", report["devices"][0]["method"], "override")


@case(iommu=True)
def shared_group(host, tally):
    """what shares the group is evidence, and consent is one word"""
    host.device("0000:01:00.2", 0x10de, 0x1ad6, 0x0c0330, "xhci_hcd", 1)
    host.device("0000:04:00.0", 0x8086, 0x1533, 0x020000, None, 1)
    host.spec("devices: {gpu: {id: '10de:1b81'}}\n")
    code, plan = host.json("plan")
    verdicts = [verdict for verdict in plan["devices"][0]["verdicts"] if verdict["code"] == "shared-group"]
    tally.check("an unbound sibling is still shared-group (note 19)", verdicts and "0000:04:00.0" in json.dumps(
        verdicts[0]["evidence"]), plan["devices"])
    tally.equal("the device is blocked and has no method", plan["devices"][0]["method"], None)
    host.spec("devices: {gpu: {id: '10de:1b81', accept: [shared-group]}}\n")
    code, plan = host.json("plan")
    tally.check("with consent it goes", plan["devices"][0]["method"] == "override" and code == 2, plan)


@case()
def one_kernel_flag(host, tally):
    """a kernel flag goes into no image: no initramfs is rebuilt"""
    host.spec("kernel-flags: [pcie_aspm=off]\n")
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    tally.equal("only the boot loader's entries were rewritten", host.log(), ["update-grub"])
    host.spec("kernel-flags: []\n")
    code, report = host.json("apply")
    tally.check("un-listed: done", code in (0, 3), report)
    tally.check("the drop-in is gone", not host.exists(DROPIN))
    tally.check("the entries are without it", "pcie_aspm" not in host.read("/boot/grub/grub.cfg"))
    tally.equal("and a plan has nothing to do", host.json("plan")[0], 0)


def boot(host, number, *flags):
    """What a reboot leaves to see: another boot id, the line that the loader passed on, and an empty /run."""
    host.write("/proc/sys/kernel/random/boot_id", "%08d-2222-3333-4444-555555555555\n" % number)
    host.write("/proc/cmdline", " ".join(("BOOT_IMAGE=/boot/vmlinuz-" + KVER, "root=UUID=abcd ro quiet", *flags)) + "\n")
    shutil.rmtree(host.full("/run"), ignore_errors=True)


@case()
def broken_promise(host, tally):
    """a flag that the loader drops: blocked after one reboot, no second request"""
    flag = "kernel-flag:pcie_aspm=off"
    host.spec("kernel-flags: [pcie_aspm=off]\n")
    code, _ = host.json("apply")
    tally.check("apply: a reboot is asked for", code == 3 and host.exists("/run/reboot-required"), code)
    boot(host, 2)
    for what, verb in (("plan", "plan"), ("apply", "apply"), ("a second apply", "apply"), ("plan again", "plan")):
        code, found = host.json(verb)
        tally.check("%s: blocked, exit 4" % what, code == 4 and states(found)[flag] == "blocked", found)
        tally.check("%s: the code and the reason" % what, "promise-broken" in codes(found)
                    and "the running kernel's line lacks pcie_aspm=off" in items(found)[flag]["reason"], found)
        tally.check("%s: no second request" % what, found["reboot"]["required"] is False
                    and not host.exists("/run/reboot-required"), found["reboot"])
    boot(host, 3)
    tally.equal("not after another boot either", states(host.json("apply")[1]).get(flag), "blocked")
    host.spec("kernel-flags: [pcie_aspm=off]\nblacklist: [nvidia]\n")
    code, found = host.json("apply")
    tally.check("another spec: promised anew", code == 3 and states(found)[flag] == "armed"
                and host.exists("/run/reboot-required"), found)
    boot(host, 4)
    tally.equal("and blocked when that is broken too", states(host.json("plan")[1]).get(flag), "blocked")
    host.grub_cfg("splash pcie_aspm=off")
    code, found = host.json("apply")
    tally.check("another entry: promised anew", code == 3 and states(found)[flag] == "armed", found)
    boot(host, 5, "pcie_aspm=off")
    code, found = host.json("plan")
    tally.check("kept: active, and nothing is left", code == 0 and states(found)[flag] == "active", found)
    host.json("apply")
    tally.check("what was kept is no promise any more", "promises" not in host.read("/var/lib/passthroughd/ledger.json"))


REASONS = [
    ("the entry's own words", ("root=UUID=abcd ro quiet",), "the boot loader dropped it"),
    ("a recovery entry's words", ("root=UUID=abcd ro single",), "a recovery entry was booted"),
    ("words of no entry", ("root=UUID=abcd ro quiet rescue=1",), "has rescue=1, which the boot loader's entries lack"),
]


@case()
def why_not_kept(host, tally):
    """a promise that a boot did not keep: the most specific reason that its line and the entries give"""
    flag = "kernel-flag:pcie_aspm=off"
    host.spec(GUIDE + "kernel-flags: [pcie_aspm=off]\n")
    host.json("apply")
    for what, line, reason in REASONS:
        boot(host, 2)
        host.write("/proc/cmdline", " ".join(("BOOT_IMAGE=/boot/vmlinuz-" + KVER, *line)) + "\n")
        tally.check("a flag, %s: %s" % (what, reason), reason in items(host.json("plan")[1])[flag]["reason"],
                    items(host.json("plan")[1])[flag])


@case()
def unknown_flag(host, tally):
    """a flag that the kernel does not know (1.10): blocked, left on the line, no second request"""
    flag = "kernel-flag:pcie_asmp=off"
    host.spec("kernel-flags: [pcie_asmp=off, splash, nopti]\n")
    tally.equal("apply: a reboot is asked for", host.json("apply")[0], 3)
    boot(host, 2, "pcie_asmp=off", "splash", "nopti")
    host.write("/var/log/dmesg", '[    0.02] Unknown kernel command line parameters "splash nopti BOOT_IMAGE=/boot/vmlinuz-'
               '%s pcie_asmp=off", will be passed to user space.\n' % KVER)
    before, built = host.snapshot(), host.log()
    for verb in ("plan", "apply", "apply"):
        code, found = host.json(verb)
        tally.check("%s: blocked, exit 4" % verb, code == 4 and states(found)[flag] == "blocked", found)
        tally.check("%s: no-effect, and no reboot" % verb, "no-effect" in codes(found)
                    and found["reboot"]["required"] is False, found)
        tally.equal("%s: what user space reads, or the kernel before its parameters, is active" % verb,
                    [states(found)["kernel-flag:" + name] for name in ("splash", "nopti")], ["active", "active"])
    untouched(tally, "apply", before, host.snapshot())
    tally.equal("no builder ran", host.log(), built)
    host.spec("kernel-flags: [pcie_aspm=off, splash]\n")
    tally.equal("mended: a reboot is asked for", host.json("apply")[0], 3)
    tally.check("and the wrong one is gone", "asmp" not in host.read("/boot/grub/grub.cfg"))


@case()
def foreign_blacklist(host, tally):
    """what another hand configured counts as done"""
    host.write("/etc/modprobe.d/blacklist.conf", "blacklist nouveau\n")
    host.image(files={"etc/modprobe.d/blacklist.conf": b"blacklist nouveau\n"})
    host.write("/proc/modules", "e1000e 1 0 - Live 0x0\n")
    host.spec("blacklist: [nouveau]\n")
    code, plan = host.json("plan")
    tally.check("nothing to do", code == 0 and states(plan) == {"blacklist:nouveau": "active"}, plan)
    host.write("/etc/modprobe.d/kvm.conf", "options kvm ignore_msrs=0\n")
    host.spec("module-options: {kvm: {ignore_msrs: 1}}\n")
    code, plan = host.json("plan")
    tally.check("the opposite is a foreign-conflict that names the file", code == 4
                and "foreign-conflict" in codes(plan) and "kvm.conf" in json.dumps(plan["diagnostics"]), plan)


@case()
def grub_reset(host, tally):
    """a grub.d file that resets the line after ours: named, blocked (note 17)"""
    host.write("/etc/default/grub.d/99-vendor.cfg", 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n')
    host.spec(GUIDE)
    code, report = host.json("apply")
    tally.check("apply: exit 4", code == 4, report)
    tally.check("foreign-conflict names the file", "foreign-conflict" in codes(report)
                and "99-vendor.cfg" in json.dumps(report["diagnostics"]), report["diagnostics"])
    tally.check("the blacklist is done", states(report).get("blacklist:nouveau") == "armed", states(report))
    tally.check("no drop-in was written", not host.exists(DROPIN))


@case()
def quote_open(host, tally):
    """an unterminated quote in /etc/default/grub blocks the flags alone"""
    host.write("/etc/default/grub", 'GRUB_CMDLINE_LINUX_DEFAULT="quiet\n')
    host.spec(GUIDE)
    code, report = host.json("apply")
    tally.check("apply: exit 4", code == 4, report)
    tally.check("bad-file names the file", "bad-file" in codes(report)
                and "/etc/default/grub" in json.dumps(report["diagnostics"]), report["diagnostics"])
    tally.equal("flags are blocked, the blacklist is armed",
                [states(report).get(name) for name in ("kernel-flag:iommu=pt", "blacklist:nouveau")],
                ["blocked", "armed"])
    tally.check("update-grub did not run", "update-grub" not in host.log(), host.log())


@case()
def builder_fails(host, tally):
    """a failed initramfs: exit 1, its last words, and the files as they were"""
    host.write("/fail-initramfs", "")
    host.spec(GUIDE)
    before = host.snapshot()
    code, report = host.json("apply")
    tally.check("apply: exit 1", code == 1, report)
    tally.check("its last words are kept", "cannot build" in json.dumps(report), report)
    untouched(tally, "afterwards", before, host.snapshot())
    host.remove("/fail-initramfs")
    code, report = host.json("apply")
    tally.check("the next apply does it all", code == 3, report)


@case()
def builder_idle(host, tally):
    """exit 0 and nothing built is found out (5.3)"""
    host.write("/etc/initramfs-tools/update-initramfs.conf", "update_initramfs=no\n")
    host.spec(GUIDE)
    code, report = host.json("apply")
    tally.check("apply: exit 1, no-effect", code == 1 and "no-effect" in codes(report), report)
    code, plan = host.json("plan")
    tally.check("the blacklist is not taken for armed", states(plan)["blacklist:nouveau"] == "wanted", states(plan))


@case()
def cut_apply(host, tally):
    """an apply that was cut is told of until the next one has made it good"""
    journal = "/var/lib/passthroughd/journal"
    host.spec(GUIDE)
    host.ctl("apply")
    before, status = host.json("status")
    tally.check("one that came to its end is not", "interrupted" not in codes(status))
    lines = host.read(journal).splitlines()
    host.write(journal, "\n".join(lines[:-1]) + "\n")
    code, status = host.json("status")
    told = [one["message"] for one in status["diagnostics"] if one["code"] == "interrupted"]
    tally.check("status: where it was cut, and the exit code is as before",
                code == before and len(told) == 1 and lines[-2] in told[0], (code, told))
    code, report = host.json("apply")
    tally.check("apply: told once more", code == 3 and "interrupted" in codes(report), (code, codes(report)))
    tally.check("and then no more", "interrupted" not in codes(host.json("status")[1]))


@case(builders=False)
def no_builders(host, tally):
    """no builder at all: blocked, untouched"""
    host.spec(GUIDE)
    before = host.everything()
    code, plan = host.json("plan")
    tally.check("plan: exit 4, no-builder", code == 4 and "no-builder" in codes(plan), plan)
    untouched(tally, "plan", before, host.everything())


@case()
def moved(host, tally):
    """apply --plan refuses when the host has moved since"""
    host.spec(GUIDE)
    _, first = host.json("plan")
    _, second = host.json("plan")
    tally.equal("equal for equal", first["plan_id"], second["plan_id"])
    host.write("/etc/default/grub", 'GRUB_TIMEOUT=1\nGRUB_CMDLINE_LINUX_DEFAULT="quiet"\n')
    before = host.snapshot()
    code, report = host.json("apply", "--plan", first["plan_id"])
    tally.check("refused", code == 1 and "host-moved" in codes(report), report)
    untouched(tally, "refused", before, host.snapshot())
    _, third = host.json("plan")
    code, report = host.json("apply", "--plan", third["plan_id"])
    tally.check("with the new plan it goes", code == 3, report)


@case()
def ledger_gone(host, tally):
    """state right, ledger gone: nothing to do; the next apply adopts (note 13)"""
    host.spec("blacklist: [nouveau]\n")
    host.json("apply")
    host.write("/proc/modules", "e1000e 1 0 - Live 0x0\n")
    shutil.rmtree(host.full("/var/lib/passthroughd"))
    tally.equal("plan exits 0", host.json("plan")[0], 0)
    tally.equal("apply exits 0", host.json("apply")[0], 0)
    tally.check("and now revert knows it", host.json("revert")[0] in (0, 3) and not host.exists(MODPROBE))


@case()
def observe_only(host, tally):
    """mode: observe plans and changes nothing (note 12)"""
    host.spec(GUIDE + "mode: observe\n")
    before = host.snapshot()
    codes_seen = (host.json("plan")[0], host.json("apply")[0])
    tally.equal("apply exits as plan", codes_seen, (2, 2))
    untouched(tally, "apply", before, host.snapshot())


@case(iommu=True)
def unsafe_interrupts(host, tally):
    """unsafe interrupts where nobody needs them: not written, and said so (note 9)"""
    host.spec("devices: {gpu: {id: '10de:1b81'}}\niommu: {unsafe-interrupts: true}\n")
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    tally.check("not-needed", "not-needed" in codes(report), report)
    tally.check("not written", not host.exists(MODPROBE)
                or "allow_unsafe_interrupts" not in host.read(MODPROBE))


@case()
def kernel_cmdline(host, tally):
    """/etc/kernel/cmdline is kept right where it exists, on one line, with its root="""
    host.write("/etc/kernel/cmdline", "root=ZFS=rpool/ROOT/pve-1 boot=zfs\n")
    host.spec(GUIDE)
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    tally.equal("the flags were added", host.read("/etc/kernel/cmdline"),
                "root=ZFS=rpool/ROOT/pve-1 boot=zfs intel_iommu=on iommu=pt\n")
    host.json("revert")
    tally.equal("and taken back", host.read("/etc/kernel/cmdline"), "root=ZFS=rpool/ROOT/pve-1 boot=zfs\n")


@case()
def guest_named(host, tally):
    """a guest is checked and said to be left alone"""
    host.spec(GUIDE + "vms: {'101': {devices: {gpu: {pcie: true}}}}\n")
    code, plan = host.json("plan")
    tally.equal("its item is blocked", states(plan).get("vm:101/gpu"), "blocked")


@case()
def bad_specs(host, tally):
    """bad input: exit 5, one document, an untouched host"""
    before = host.everything()
    for what, text, code in (
            ("broken", "devices: [\n", "syntax"), ("unknown key", "blacklst: [x]\n", "unknown-key"),
            ("twice", "mode: observe\nmode: enforce\n", "duplicate-key"),
            ("type", "blacklist: nouveau\n", "type-mismatch"), ("NUL", "mode: \0\n", "syntax"),
            ("flag", "kernel-flags: ['init=/bin/sh']\n", "unsafe-value"),
            ("flag", "kernel-flags: ['a;b']\n", "unsafe-value"),
            ("option", "module-options: {kvm: {x: 'a b'}}\n", "unsafe-value"),
            ("brackets", "a: " + "[" * 10000 + "\n", "too-large"),
            ("alias", "a: &x [1]\nb: *x\n", "syntax"), ("two documents", "mode: enforce\n---\nmode: observe\n", "syntax"),
            ("address", "devices: {a: {address: '1:2:3'}}\n", "bad-value"),
            ("no selector", "devices: {a: {count: 2}}\n", "bad-value")):
        host.spec(text)
        seen, plan = host.json("apply")
        tally.check("%s: exit 5, %s" % (what, code), seen == 5 and code in codes(plan),
                    "%s %s" % (seen, plan.get("diagnostics", plan)))
    host.remove(SPEC)
    host.write("/etc/passthroughd/big.yaml", b"#" * (100 << 20))
    seen, plan = host.json("plan")
    tally.check("100 MiB: exit 5, too-large", seen == 5 and "too-large" in codes(plan), plan)
    host.remove("/etc/passthroughd/big.yaml")
    untouched(tally, "bad input", before, host.everything())
    host.spec(GUIDE)
    os.chmod(host.full(SPEC), 0o666)
    seen, plan = host.json("plan")
    tally.check("writable by all: exit 5, unsafe-permissions", seen == 5 and "unsafe-permissions" in codes(plan), plan)


@case()
def source_broken(host, tally):
    """a file that a builder sources is no shell (2.2, 5.9): refused before anything is written"""
    host.spec(GUIDE)
    host.write("/etc/initramfs-tools/conf.d/resume.dpkg-old", "RESUME='\n")
    host.write("/etc/initramfs-tools/conf.d/resume", "RESUME='none\n")
    before = host.everything()
    code, report = host.json("apply")
    tally.check("exit 4, and the line is named", code == 4 and "bad-file" in codes(report) and
                "/etc/initramfs-tools/conf.d/resume: line " in json.dumps(report["diagnostics"]), report)
    untouched(tally, "refused", before, host.without_notes())
    tally.equal("no builder ran", host.log(), [])
    host.write("/etc/initramfs-tools/conf.d/resume", "RESUME=none\n")
    tally.equal("mended, it is applied; what is no source does not count", host.json("apply")[0], 3)


@case()
def ledger_lost(host, tally):
    """the ledger is gone or damaged: marked files can go, the rest is listed, nothing is guessed"""
    host.write("/usr/sbin/grub-mkconfig", "#!/bin/sh\n. ${sysconfdir}/default/grub\n", 0o755)
    host.write("/etc/default/grub", 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n')
    host.grub_cfg("quiet")
    ledger = "/var/lib/passthroughd/ledger.json"
    for what in ("damaged", "gone"):
        host.spec(GUIDE)
        tally.equal("%s: applied before" % what, host.json("apply")[0], 3)
        shared = host.read("/etc/default/grub")
        if what == "damaged":
            host.write(ledger, "{ half")
            before = host.everything()
            code, report = host.json("apply")
            tally.check("damaged: an apply is refused", code == 4 and "ledger-lost" in codes(report), report)
            untouched(tally, "damaged", before, host.everything())
        else:
            os.unlink(host.full(ledger))
        before = host.everything()
        code, plan = host.json("revert", "--dry-run")
        tally.check("%s: a dry run says so" % what, code == 2 and "ledger-lost" in codes(plan), plan)
        untouched(tally, "%s: a dry run" % what, before, host.everything())
        code, report = host.json("revert")
        told = [said["message"] for said in report["diagnostics"] if said["code"] == "ledger-lost"]
        tally.check("%s: revert ends with 4 and lists the shared file with its flags" % what, code == 4 and
                    [text for text in told if "/etc/default/grub" in text and "quiet intel_iommu=on iommu=pt" in text],
                    report)
        tally.check("%s: files that say that they are ours are gone" % what,
                    not any(map(host.exists, (MODPROBE, MODULES, RULES))))
        tally.equal("%s: the shared file is left alone" % what, host.read("/etc/default/grub"), shared)
        tally.equal("%s: what was damaged is kept" % what, host.read("/var/lib/passthroughd/ledger.damaged"), "{ half")
        tally.equal("%s: it is told once" % what, host.json("revert")[0], 0)


@case()
def modules_load_lies(host, tally):
    """modules-load passes over a name that is blacklisted, and says that all is well (5.19): named before"""
    host.write("/etc/modprobe.d/theirs.conf", "# no guests here\nblacklist vfio-pci\n")
    host.spec(GUIDE)
    for verb, wanted in (("plan", 2), ("apply", 4)):
        code, found = host.json(verb)
        item = items(found)["module:vfio_pci"]
        tally.check("%s: exit %d, the module is blocked, and the line is named" % (verb, wanted), code == wanted and
                    item["state"] == "blocked" and "/etc/modprobe.d/theirs.conf:2" in item["reason"] and
                    "foreign-conflict" in codes(found), (code, item))
        tally.check("%s: the others are not" % verb, states(found)["module:vfio_iommu_type1"] in ("wanted", "armed"),
                    states(found))
    os.unlink(host.full("/etc/modprobe.d/theirs.conf"))
    tally.equal("that line removed, only a reboot is left", host.json("apply")[0], 3)


HOLDER = """import fcntl, sys, time
lock = open(sys.argv[1], "w")
fcntl.lockf(lock, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.readline()
with open(sys.argv[2], "a") as other:
    other.write("# of another package\\n")
"""


def is_locked(path):
    with open(path, "r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


@case()
def packages_change(host, tally):
    """others change packages (5.6): refused when it lasts too long, else waited for and planned anew"""
    host.spec(GUIDE)
    host.write("/var/lib/dpkg/lock-frontend", "")
    lock = host.path + "/var/lib/dpkg/lock-frontend"
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, lock, host.path + "/etc/default/grub"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    holder.stdout.readline()
    before = host.everything()
    code, report = host.json("apply", "--timeout", "0")
    tally.check("too long: exit 4, and it is named", code == 4 and "busy" in codes(report) and
                "(process %d)" % holder.pid in json.dumps(report["diagnostics"]), report)
    untouched(tally, "too long", before, host.without_notes())
    tally.equal("a plan alone waits for nobody", host.json("plan")[0], 2)
    builder = host.read("/usr/sbin/update-initramfs")
    host.write("/usr/sbin/update-initramfs", builder.replace("\n", "\nsleep 1\n", 1), 0o755)
    apply = subprocess.Popen([host.command, "apply", "--json", "--root", host.path], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    time.sleep(1)
    tally.check("it waits", apply.poll() is None and host.log() == [], host.log())
    holder.communicate(b"go on\n")
    held = False
    while apply.poll() is None and not held:
        held = bool(host.log()) and is_locked(lock)
        time.sleep(0.01)
    report = json.loads(apply.communicate()[0])
    tally.equal("then it converges", apply.returncode, 3)
    tally.check("with what the others left, not with what was there before them",
                "# of another package" in host.read("/etc/default/grub"), host.read("/etc/default/grub"))
    tally.check("others are kept out while it builds", held)
    tally.check("and let in afterwards", not is_locked(lock))
    tally.equal("nothing is left to do", lasting(host.json("plan")[1]), [])


def main(heading, cases):
    ctl = os.path.abspath(sys.argv[1])
    names = sys.argv[2:]
    tally = Tally()
    for function in cases:
        if names and function.__name__ not in names:
            continue
        tally.heading("%s: %s" % (heading, function.__doc__))
        with tempfile.TemporaryDirectory(prefix="pthru-roots-") as folder:
            os.chmod(folder, 0o755)
            try:
                function(Host(ctl, os.path.join(folder, "root"), **function.options), tally)
            except (OSError, KeyError, IndexError, ValueError, subprocess.SubprocessError) as error:
                tally.check("the case came to its end", False, repr(error))
    tally.close()


if __name__ == "__main__":
    main("roots", CASES)
