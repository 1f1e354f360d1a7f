# SPDX-License-Identifier: GPL-2.0-or-later
"""Two kernels: their images are built side by side, where no hook of others' would run at once."""

import os
import time

from cases import SPEC, case, document, pending
from root import sh, write

# When each image's build came to this hook.
STAMP = """#!/bin/sh
[ "$1" = prereqs ] && exit 0
echo "$version $(date +%s%N)" >>/var/log/stamps
"""


def add_kernel(root):
    """The same kernel under another name."""
    second = root.kernel.replace("-amd64", "-twin-amd64")
    sh("cp", "-a", root.at("lib/modules", root.kernel), root.at("lib/modules", second))
    for name in ("vmlinuz-", "config-", "System.map-"):
        sh("cp", root.at("boot", name + root.kernel), root.at("boot", name + second))
    root.chroot("update-initramfs", "-c", "-k", second)
    root.chroot("update-grub")
    return second


def stamps(root):
    """Of each build its version, when it was under way, and when its image was there."""
    with open(root.at("var/log/stamps")) as log:
        return [(version, int(at), os.stat(root.at("boot/initrd.img-" + version)).st_mtime_ns)
                for version, at in (line.split() for line in log)]


def overlap(found):
    (_, one, one_done), (_, other, other_done) = found
    return one < other_done and other < one_done


def put_hook(root, path, text):
    write(root.at(path), text)
    os.chmod(root.at(path), 0o755)


@case(modules="most")
def side_by_side(root, tally):
    """two kernels: both images at once, beside update-initramfs -k all"""
    second = add_kernel(root)
    put_hook(root, "etc/initramfs-tools/hooks/stamp", STAMP)
    began = time.monotonic()
    root.chroot("update-initramfs", "-u", "-k", "all")
    alone = time.monotonic() - began
    tally.check("its own 'all' builds one after the other", not overlap(stamps(root)), stamps(root))
    os.unlink(root.at("var/log/stamps"))
    write(root.spec, SPEC)
    code, report = document(root, "apply")
    steps = [step for step in report["report"]["steps"] if step["kind"] == "build-initramfs"]
    built, ours = [step["target"] for step in steps], sum(step["seconds"] for step in steps)
    tally.check("apply: both images, and only a reboot is outstanding", code == 3 and
                sorted(built) == sorted((root.kernel, second)), report)
    tally.check("they were built at the same time", overlap(stamps(root)), stamps(root))
    tally.equal("each of them once", sorted(version for version, _, _ in stamps(root)), sorted((root.kernel, second)))
    print("       two images by update-initramfs -k all: %.1f s; side by side: %.1f s (%.2f times)"
          % (alone, ours, ours / alone), flush=True)
    code, plan = document(root, "plan")
    tally.equal("planning again: nothing is pending", pending(plan), [])

    os.unlink(root.at("var/log/stamps"))
    put_hook(root, "etc/initramfs/post-update.d/local", "#!/bin/sh\nexit 0\n")
    code, report = document(root, "revert")
    tally.check("with a hook of another's after each image, they are built one by one",
                code in (0, 3) and not overlap(stamps(root)), (report, stamps(root)))
