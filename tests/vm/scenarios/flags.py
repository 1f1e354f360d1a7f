# SPDX-License-Identifier: GPL-2.0-or-later
"""A flag that the kernel does not know and one that the loader drops: blocked after one reboot, no second request

GRUB drops what does not fit, without a word (fact 1.14). Here a tool that keeps its words in a variable of GRUB's
(fact 2.27) has so many of them that the last flag does not fit, which no file shows.
"""

from product import states

LONG = True  # it takes about ten minutes without KVM
MACHINE = {"iommu": "intel"}
UNKNOWN, DROPPED, MENDED = "pthru_nonsense", "pcie_aspm=off", "nopti"
SPEC_PATH = "/etc/passthroughd/host.yaml"
SPEC = "kernel-flags: [%s]\n"
LINE_MAX = 2047  # fact 1.12

# A name with a dot, which the kernel leaves to others (fact 1.9).
VARIABLE = "#!/bin/sh\necho 'set tuned_params=\"tool.words=%s\"'\n"
REFERENCE = "sed -i 's/^GRUB_CMDLINE_LINUX=\"/&\\\\$tuned_params /' /etc/default/grub"


def fill(machine):
    """The tool's words: with the unknown flag the line is full but for ten bytes."""
    line = machine.must("cat /proc/cmdline").strip()
    words = LINE_MAX - 10 - len(line + " " + UNKNOWN) - len(" tool.words=")
    machine.put("/etc/grub.d/07_tool", VARIABLE % ("x" * words), 0o755)
    machine.must(REFERENCE)


def request(machine):
    """Whom /run/reboot-required names."""
    return machine.run("test -e /run/reboot-required && cat /run/reboot-required.pkgs")[1].split()


def ask(machine, product, tally):
    machine.put(SPEC_PATH, SPEC % ", ".join((UNKNOWN, DROPPED)))
    machine.must("systemctl reload passthroughd", 300)
    code, status = product.settle()
    tally.equal("only a reboot is outstanding", (code, states(status)),
                (3, {"kernel-flag:" + UNKNOWN: "armed", "kernel-flag:" + DROPPED: "armed"}))
    tally.equal("it is asked for, once", request(machine), ["passthroughd"])


def blocked(machine, product, tally):
    words = machine.must("cat /proc/cmdline").split()
    tally.equal("of the two flags one came", [flag for flag in (UNKNOWN, DROPPED) if flag in words], [UNKNOWN])
    code, status = product.settle()
    why = {item["id"]: (item["state"], item["reason"] or "") for item in status.get("items", [])}
    state, reason = why["kernel-flag:" + UNKNOWN]
    tally.check("the kernel does not know %s: blocked, and said so" % UNKNOWN,
                state == "blocked" and "does not know" in reason, why)
    state, reason = why["kernel-flag:" + DROPPED]
    tally.check("the loader dropped %s: blocked, and said so" % DROPPED,
                state == "blocked" and ("dropped" in reason or "too long" in reason), why)
    tally.equal("something is blocked and nothing else is to be done: plan exits 4", code, 4)
    tally.check("no reboot would help, and none is wished", status.get("reboot", {}).get("required") is False, status)
    tally.equal("nobody asks for one", request(machine), [])


def mended(machine, product, tally):
    machine.put(SPEC_PATH, SPEC % MENDED)
    machine.must("systemctl reload passthroughd", 300)
    code, status = product.settle()
    tally.equal("another flag is armed", (code, states(status)), (3, {"kernel-flag:" + MENDED: "armed"}))
    tally.equal("and a reboot is asked for", request(machine), ["passthroughd"])
    machine.reboot()
    code, status = product.settle()
    tally.equal("which brings it", (code, states(status)), (0, {"kernel-flag:" + MENDED: "active"}))
    words = machine.must("cat /proc/cmdline").split()
    tally.equal("and the others are gone", [flag for flag in (UNKNOWN, DROPPED, MENDED) if flag in words], [MENDED])


def run(machine, product, tally):
    product.install()
    fill(machine)
    ask(machine, product, tally)
    tally.heading("reboot")
    machine.reboot()
    blocked(machine, product, tally)
    tally.heading("another reboot")
    machine.reboot()
    blocked(machine, product, tally)
    tally.heading("other flags")
    mended(machine, product, tally)
