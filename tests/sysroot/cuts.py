# SPDX-License-Identifier: GPL-2.0-or-later
"""Cuts of a real apply: with the builders of the tree, at each boundary between two steps."""

import os
import subprocess

from cases import FLAGS, MODPROBE, SPEC, again, case, differences, document, in_image, item_states, read, sh, write

HERE = os.path.dirname(os.path.abspath(__file__))
JOURNAL = "/var/lib/passthroughd/journal"
# The first line is the apply's, the second the first step's intent, the third the next one's or the end.
BOUNDARIES = (("a step was to begin", "kill-after", 2, "fsync"), ("a step had ended", "kill-before", 3, "write"))


def tracer(root):
    """tests/fault/fault.c, which is not part of the product."""
    program = os.path.join(root.work, "fault")
    sh("cc", "-O1", "-D_GNU_SOURCE", "-I", os.path.join(HERE, "../../lib/base"), "-o", program,
       os.path.join(HERE, "../fault/fault.c"))
    return program


def cut(root, program, verb, what, line, call):
    """Whether VERB was killed there, or came to its end."""
    journal = root.at(JOURNAL[1:])
    if os.path.exists(journal) and b" ends: " not in read(journal).splitlines()[-1]:
        line += 1  # it ends the journal of the one before
    at = "%d:%s:%s" % (line, call, JOURNAL)
    done = subprocess.run([program, root.path, os.path.join(root.work, "points"), what, at, root.program, verb,
                           "--root", root.path, "--spec", root.spec], check=False, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=900)
    return done.returncode == 128 + 9


def overclaimed(root):
    """What status says is armed, and is not: looked up in the image and the entries themselves."""
    _, report = document(root, "status")
    states = item_states(report, "")
    said = {name for name, state in states.items() if state in ("armed", "active")}
    normal, _ = root.entries()
    wrong = [name for name in said if name.startswith("kernel-flag:")
             and not all(name.partition(":")[2] in line for line in normal)]
    if any(name.startswith(("blacklist:", "device:", "module-option:")) for name in said):
        main, _ = root.unpacked()
        inside = [os.path.join(main, path) for path in (MODPROBE, "usr/lib/" + MODPROBE[4:])]
        held = "".join(read(path).decode() for path in inside if os.path.exists(path))
        wrong += [name for name in said if name.startswith("blacklist:")
                  and "blacklist " + name.partition(":")[2] not in held.splitlines()]
    return wrong


def whole(before, now):
    """Files of /etc that are neither as before nor ours."""
    return [name for name in set(before) | set(now) if before.get(name) != now.get(name)
            and "passthroughd" not in name]


def cut_all_the_way(root, tally, program, verb, before):
    """Each run gets one step further, and is killed on both sides of it."""
    cuts = 0
    for steps in range(40):
        ended = False
        for where, *at in BOUNDARIES:
            if not cut(root, program, verb, *at):
                ended = True
                break
            cuts += 1
            tally.equal("%s, cut %d (%s): foreign files are as before" % (verb, cuts, where),
                        whole(before, root.manifest("etc")), [])
            if verb == "apply":
                tally.equal("%s, cut %d (%s): status claims nothing that is not so" % (verb, cuts, where),
                            overclaimed(root), [])
        if ended:
            break
    tally.check("%s: %d cuts on the way, %d steps" % (verb, cuts, steps), cuts > 6)


@case()
def cut_between_steps(root, tally):
    """the power goes before and after each step of apply and of revert, with real builders"""
    write(root.spec, SPEC)
    program = tracer(root)
    before = root.manifest("etc", "usr/share/initramfs-tools")
    grub, (normal, recovery) = root.manifest("boot/grub")["boot/grub/grub.cfg"], root.entries()
    foreign = root.manifest("etc")
    cut_all_the_way(root, tally, program, "apply", foreign)
    code, report = document(root, "apply")
    tally.check("apply once more: only a reboot is outstanding (exit 3)", code == 3, report)
    in_image(root, tally)
    now, _ = root.entries()
    tally.check("every normal entry has the flags, once", len(now) == len(normal)
                and all(line.count(flag) == 1 for line in now for flag in FLAGS), now)
    again(root, tally)
    cut_all_the_way(root, tally, program, "revert", foreign)
    code, report = document(root, "revert")
    tally.check("revert once more: done (exit 0 or 3)", code in (0, 3), report)
    after = root.manifest("etc", "usr/share/initramfs-tools")
    tally.check("every byte under /etc is as before", after == before, differences(before, after))
    tally.equal("grub.cfg is as before", root.manifest("boot/grub")["boot/grub/grub.cfg"], grub)
    tally.equal("the recovery entries are as they were", root.entries()[1], recovery)
    _, names = root.unpacked()
    tally.equal("nothing of ours in the initramfs", [name for name in names if "passthrough" in name], [])
