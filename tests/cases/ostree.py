# SPDX-License-Identifier: GPL-2.0-or-later
"""ostree.py CTL [CASE...]: the command over small hosts whose boot entries are deployments of ostree.

As bls.py; rpm-ostree is a stand-in that does what its kargs does (2.26): it begins with the line of the deployment
that boots next, gives and takes whole words, leaves another deployment staged for the moment when the host goes down
(8.7), and none where the line would be the same. What it writes is GVariant, as libostree does.
"""

import json
import os
import subprocess

from bls import DEFAULTS, LINE, run, use_bls
from roots import GUIDE, KVER, codes, items, lasting, main, registry, states, untouched, wrong

STAGED = "/run/ostree/staged-deployment"
ARG = "ostree=/ostree/boot.1/fedora/0123/0"
FLAGS = ["intel_iommu=on", "iommu=pt"]
SPEC = "kernel-flags: [intel_iommu=on, iommu=pt, pcie_aspm=off]\n"

RPM_OSTREE = r"""#!/bin/sh
set -e
echo "rpm-ostree $*" >> /var/log/builders
[ "$1" = kargs ]
shift
[ ! -e /busy ] || { echo "error: Transaction in progress: upgrade" >&2; exit 1; }
[ ! -e /lie-idle ] || exit 0
size() { wc -c < "$1"; }
le() { v=$1 i=0; while [ $i -lt $2 ]; do printf "\\$(printf %03o $((v % 256)))"; v=$((v / 256)) i=$((i + 1)); done; }
# Bytes of all members, their number: the bytes of an offset.
width() { w=1; [ $(($1 + $2)) -le 255 ] || w=2; echo $w; }
w=/tmp/ostree.$$
if [ -e /run/ostree/line ]; then
	cp /run/ostree/line $w.line
else
	sed -n 's/^options *//p' /boot/loader/entries/ostree-2.conf | tr -s ' ' '\n' > $w.line
fi
cp $w.line $w.old
for option; do
	word=${option#*=}
	case $option in
	--append-if-missing=*) grep -qxF -- "$word" $w.line || echo "$word" >> $w.line ;;
	--delete-if-present=*) grep -vxF -- "$word" $w.line > $w.less || :; mv $w.less $w.line ;;
	*) echo "error: Unknown option $option" >&2; exit 1 ;;
	esac
done
if cmp -s $w.line $w.old; then
	echo "No changes."
	exit 0
fi
: > $w.strings
ends= n=0
while read -r word; do
	[ ! -e /lie-drop ] || case $word in iommu=*) continue ;; esac
	printf '%s\0' "$word" >> $w.strings
	ends="$ends $(size $w.strings)" n=$((n + 1))
done < $w.line
wide=$(width $(size $w.strings) $((n * 1)))
for end in $ends; do le $end $wide; done >> $w.strings
printf 'kargs\0\0\0' > $w.entry
cat $w.strings >> $w.entry
printf '\0as' >> $w.entry
le 6 $(width $(size $w.entry) 1) >> $w.entry
end=$(size $w.entry)
le $end $(width $end 1) >> $w.entry
mkdir -p /run/ostree
mv $w.entry /run/ostree/staged-deployment
cp $w.line /run/ostree/line
[ ! -e /fail-late ] || { echo "error: Bootloader write config" >&2; exit 1; }
echo "Staging deployment...done"
"""

CASES, case = registry()


def deployment(n, line=LINE):
    return ("title Fedora Linux 44 (Silverblue)\nversion %d\noptions %s %s\nlinux /ostree/fedora-0123/vmlinuz-%s\n"
            "initrd /ostree/fedora-0123/initramfs-%s.img\n" % (n, line, ARG, KVER, KVER))


def use_ostree(host, line=LINE, tool=True):
    use_bls(host, "fedora", LINE)
    for name in ("/boot/vmlinuz-" + KVER, DEFAULTS, "/etc/kernel/cmdline"):
        host.remove(name)
    for name in os.listdir(host.full("/boot/loader/entries")):
        host.remove("/boot/loader/entries/" + name)
    for tool_name in "cmp cp cat mkdir mv sed".split():
        if not host.exists("/bin/" + tool_name):
            host.link("/bin/" + tool_name, "busybox")
    host.write("/run/ostree-booted", "")
    host.write("/boot/loader/entries/ostree-1.conf", deployment(1, "root=UUID=old ro"))
    host.write("/boot/loader/entries/ostree-2.conf", deployment(2, line))
    host.write("/proc/cmdline", "BOOT_IMAGE=(hd0,gpt2)/ostree/fedora-0123/vmlinuz-%s %s %s\n" % (KVER, line, ARG))
    if tool:
        host.write("/usr/bin/rpm-ostree", RPM_OSTREE, 0o755)


def staged(host):
    """The words of the staged deployment, as its maker noted them."""
    return host.read("/run/ostree/line").split()


def flags_of(host):
    _, plan = host.json("plan")
    return {name: state for name, state in states(plan).items() if name.startswith("kernel-flag:")}


def by_capture(host, tally, deployment_of):
    """What is said of the deployment by a capture alone, which has to hold the bytes that libostree wrote."""
    _, text, _ = host.ctl("capture")
    host.write("/tmp/host", text)
    done = subprocess.run([host.command, "explain", "boot", "--json", "--host", host.full("/tmp/host")], check=False,
                          stdout=subprocess.PIPE, timeout=60)
    host.remove("/tmp/host")
    tally.equal("and so does its capture", json.loads(done.stdout).get("boot", {}).get("deployment"), deployment_of)


@case()
def goes_round(host, tally):
    """flags by one run, a deployment that is staged, a reboot, and back"""
    use_ostree(host)
    host.spec("kernel-flags: [pcie_aspm=off, a.b=c, intel_iommu=on, iommu=pt]\n")
    before, entries = host.snapshot(), host.read("/boot/loader/entries/ostree-2.conf")
    code, plan = host.json("plan")
    tally.equal("plan: one step", [step["target"] for step in lasting(plan)], ["rpm-ostree"])
    tally.check("the reason names the entry", "ostree-2.conf" in str(items(plan)["kernel-flag:a.b=c"]["reason"]), plan)
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    words = ["pcie_aspm=off", "a.b=c"] + FLAGS
    tally.equal("one run for all", [sorted(line.split()[2:]) for line in host.log()],
                [sorted("--append-if-missing=" + word for word in words)])
    tally.equal("the staged deployment has them, and what was there", sorted(staged(host)),
                sorted(LINE.split() + [ARG] + words))
    tally.equal("all is armed", set(flags_of(host).values()), {"armed"})
    tally.equal("nothing is left to do", lasting(host.json("plan")[1]), [])
    tally.equal("the entries are untouched", host.read("/boot/loader/entries/ostree-2.conf"), entries)
    _, found = host.json("explain", "boot")
    tally.equal("explain boot says what boots next", (found["boot"]["deployment"]["staged"],
                                                     found["boot"]["deployment"]["source"]), (True, STAGED))
    by_capture(host, tally, found["boot"]["deployment"])
    line = " ".join(staged(host))
    host.remove(STAGED)  # the host goes down: it becomes the first entry
    host.write("/boot/loader/entries/ostree-3.conf", deployment(3, line.replace(" " + ARG, "")))
    host.write("/proc/cmdline", "BOOT_IMAGE=(hd0,gpt2)/x %s\n" % line)
    tally.equal("after the reboot all is active", set(flags_of(host).values()), {"active"})
    host.remove("/etc/passthroughd/host.yaml")
    code, report = host.json("apply")
    tally.check("without a spec it goes back", code in (0, 3), report)
    tally.equal("by one more run", sorted(host.log()[-1].split()[2:]), sorted("--delete-if-present=" + word for word in words))
    tally.equal("the next line is the former one", sorted(staged(host)), sorted(LINE.split() + [ARG]))
    tally.equal("nothing is left to do", (lasting(host.json("plan")[1]), len(host.log())), ([], 2))
    ours = ("/run/reboot-required", "/run/ostree/", "/boot/loader/entries/ostree-3", "/proc/cmdline", "/etc/passthroughd/")
    tally.equal("files are as they were", [name for name in wrong(before, host.snapshot())
                                           if not name.startswith(ours)], [])


@case()
def on_top(host, tally):
    """an upgrade is staged already: the flags go on top of it; one of the wished is somebody's, and stays"""
    use_ostree(host)
    run(host, "rpm-ostree", "kargs", "--append-if-missing=iommu=pt", "--append-if-missing=theirs=1")
    host.spec(SPEC)
    code, report = host.json("apply")
    tally.check("apply: exit 3", code == 3, report)
    tally.check("what was staged is still there", {"theirs=1", "iommu=pt", "pcie_aspm=off"} <= set(staged(host)), staged(host))
    host.spec(SPEC.replace("off", "on"))
    code, report = host.json("apply")
    tally.check("another value: exit 3", code == 3, report)
    tally.check("the former one is taken away by the same run", "pcie_aspm=off" not in staged(host) and
                "pcie_aspm=on" in staged(host) and len(host.log()) == 3, (staged(host), host.log()))
    code, _ = host.json("revert")
    tally.check("revert takes ours, and not theirs", {"theirs=1", "iommu=pt"} <= set(staged(host)) and not
                {"pcie_aspm=on", "intel_iommu=on"} & set(staged(host)), staged(host))


@case()
def undone_by_others(host, tally):
    """a later deployment without the flags: seen, and made again; one that is locked does not count"""
    use_ostree(host)
    host.spec(SPEC)
    host.json("apply")
    host.write("/run/ostree/line", "\n".join(LINE.split() + [ARG]) + "\n")
    run(host, "rpm-ostree", "kargs", "--append-if-missing=theirs=1")
    tally.check("plan: they are gone from what boots next", "configured" not in flags_of(host).values() and
                "armed" not in flags_of(host).values(), flags_of(host))
    code, report = host.json("apply")
    tally.check("apply: exit 3, and they are back", code == 3 and "pcie_aspm=off" in staged(host), report)
    host.write(STAGED + "-locked", "")
    _, plan = host.json("plan")
    tally.equal("locked, it is given up when the host goes down", [step["target"] for step in lasting(plan)],
                ["rpm-ostree"])


@case()
def lies(host, tally):
    """rpm-ostree that does nothing, or leaves a word out, and reports success; one that is busy, or fails late"""
    use_ostree(host)
    host.spec(SPEC)
    host.write("/lie-idle", "")
    code, report = host.json("apply")
    tally.check("nothing done: exit 1, no-effect", code == 1 and "no-effect" in codes(report), report)
    host.remove("/lie-idle")
    host.write("/busy", "")
    code, report = host.json("apply")
    tally.check("busy: exit 1, with what it said", code == 1 and "Transaction in progress" in str(report), report)
    tally.check("nothing is staged", not host.exists(STAGED))
    host.remove("/busy")
    host.write("/lie-drop", "")
    code, report = host.json("apply")
    tally.check("a word left out: not done", code not in (0, 3) and flags_of(host)["kernel-flag:iommu=pt"] != "armed", report)
    host.remove("/lie-drop")
    host.remove(STAGED)
    host.remove("/run/ostree/line")
    host.write("/fail-late", "")
    code, report = host.json("apply")
    tally.check("failed when it was staged: exit 1", code == 1 and "builder-failed" in codes(report), report)
    host.remove("/fail-late")
    code, report = host.json("apply")
    tally.check("and the next apply comes to its end", code == 3 and set(flags_of(host).values()) == {"armed"}, report)


@case()
def contradicted(host, tally):
    """a contradiction on the line: named, with the command that ends it; the other flags are given"""
    use_ostree(host, LINE + " iommu=off")
    host.spec(SPEC)
    host.write("/proc/cmdline", "BOOT_IMAGE=x " + LINE + "\n")
    code, report = host.json("apply")
    tally.check("contradicted: exit 4, with the command", "foreign-conflict" in codes(report) and
                "rpm-ostree kargs --delete=iommu=off" in str(report), (code, report))
    tally.equal("the others", flags_of(host), {"kernel-flag:iommu=pt": "blocked", "kernel-flag:intel_iommu=on": "armed",
                                               "kernel-flag:pcie_aspm=off": "armed"})


@case()
def refused(host, tally):
    """a staged deployment that cannot be read, no rpm-ostree: named, nothing is run"""
    use_ostree(host)
    host.spec(SPEC)
    host.write(STAGED, b"\0\1\2\3broken")
    before = host.without_notes()
    code, report = host.json("apply")
    tally.check("unreadable: exit 4, bad-file", code == 4 and "bad-file" in codes(report) and STAGED in str(report), report)
    untouched(tally, "unreadable", before, host.without_notes())
    host.remove(STAGED)
    host.remove("/usr/bin/rpm-ostree")
    before = host.without_notes()
    code, report = host.json("apply")
    tally.check("no tool: exit 4, with the way of images", code == 4 and "no-builder" in codes(report) and
                "/usr/lib/bootc/kargs.d" in str(report), report)
    untouched(tally, "no tool", before, host.without_notes())
    host.write("/proc/cmdline", host.read("/proc/cmdline").strip() + " pcie_aspm=off %s\n" % " ".join(FLAGS))
    host.write("/boot/loader/entries/ostree-3.conf", deployment(3, LINE + " pcie_aspm=off " + " ".join(FLAGS)))
    tally.check("in the image's own line they count", "blocked" not in flags_of(host).values(), flags_of(host))


@case()
def left_behind(host, tally):
    """ours is on the line, and rpm-ostree is gone, or what is staged cannot be read: said, and not called done"""
    use_ostree(host)
    host.spec(SPEC)
    host.json("apply")
    host.remove("/etc/passthroughd/host.yaml")
    host.remove("/usr/bin/rpm-ostree")
    code, report = host.json("apply")
    tally.check("no tool: exit 4, no-builder", code == 4 and "no-builder" in codes(report), (code, report))
    host.write(STAGED, b"broken")
    code, report = host.json("plan")
    tally.check("unreadable: a warning", "unproven" in codes(report) and STAGED in str(report), (code, report))
    line = " ".join(staged(host))
    host.remove(STAGED)
    host.write("/boot/loader/entries/ostree-3.conf", deployment(3, line))
    host.write("/usr/bin/rpm-ostree", RPM_OSTREE, 0o755)
    host.remove("/run/ostree/line")
    host.write("/boot/loader/entries/ostree-2.conf", deployment(2, line))
    code, report = host.json("apply")
    tally.check("with both there again it is taken back", code in (0, 3) and not set(FLAGS) & set(staged(host)),
                (code, report, staged(host)))


@case()
def images(host, tally):
    """what would need another initramfs is blocked, with the command; the flags are not"""
    use_ostree(host)
    host.spec(GUIDE)
    code, report = host.json("apply")
    tally.check("apply: exit 4, no-builder", code == 4 and "no-builder" in codes(report) and
                "rpm-ostree initramfs" in str(report), report)
    tally.equal("the flags are on their way", set(flags_of(host).values()), {"armed"})


if __name__ == "__main__":
    main("ostree", CASES)
