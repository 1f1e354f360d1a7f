# SPDX-License-Identifier: GPL-2.0-or-later
"""Builders that report success and lie: a row for each of chapter 12 of the facts that Debian has.

The tools are the real ones; what makes them lie is what makes them do so on people's hosts. Rows on what only a
running kernel can show (drivers_probe, modules-load, arguments that GRUB drops) are in tests/cases and tests/vm.
"""

import os

from cases import SPEC, case, codes, document, item_states
from root import read, write

LOST = 'rm -f "${DESTDIR}/etc/modprobe.d/00-passthroughd.conf"\n'
HOOK = "#!/bin/sh\ncase $1 in prereqs) exit 0;; esac\n"
STATIC = """#!/bin/sh
cat <<'END'
menuentry 'Static' {
\tlinux /boot/vmlinuz-%s root=LABEL=root ro quiet
\tinitrd /boot/initrd.img-%s
}
END
"""


def idle(root):
    write(root.at("etc/initramfs-tools/update-initramfs.conf"), "update_initramfs=no\nbackup_initramfs=no\n")


def divert(root, tool):
    """What image makers leave behind."""
    os.rename(root.at(tool), root.at(tool + ".distrib"))
    write(root.at(tool), "#!/bin/sh\nexit 0\n")
    os.chmod(root.at(tool), 0o755)


def images_diverted(root):
    divert(root, "usr/sbin/update-initramfs")


def entries_diverted(root):
    """The way in is another: update-grub only calls it (2.8)."""
    divert(root, "usr/sbin/grub-mkconfig")


def module_gone(root):
    """modules.dep names it, the file is not there: skipped in silence (5.12)."""
    folder = root.at("lib/modules", root.kernel, "kernel/drivers/vfio/pci")
    for name in os.listdir(folder):
        if name.startswith("vfio-pci.ko"):
            os.unlink(os.path.join(folder, name))


def hook_removes(root):
    """Another package's hook, run after ours."""
    path = root.at("etc/initramfs-tools/hooks/zz-slim")
    write(path, HOOK + LOST)
    os.chmod(path, 0o755)


def entries_static(root):
    """10_linux switched off for entries of one's own (2.11)."""
    os.chmod(root.at("etc/grub.d/10_linux"), 0o644)
    path = root.at("etc/grub.d/09_static")
    write(path, STATIC % (root.kernel, root.kernel))
    os.chmod(path, 0o755)
    root.chroot("update-grub")


IMAGE, ENTRIES = "blacklist:", "kernel-flag:"
# what; how it comes to lie; whose items are not armed; what the diagnostic must name
LIES = [
    ("update-initramfs, switched off (5.3)", idle, IMAGE, "update_initramfs=no"),
    ("update-initramfs, replaced by one that does nothing", images_diverted, IMAGE, "initrd.img-"),
    ("update-initramfs, a module that is not there (5.12)", module_gone, "module:vfio_pci", "vfio"),
    ("update-initramfs, a hook that takes our file out again", hook_removes, IMAGE, "build-initramfs"),
    ("grub-mkconfig, replaced by one that does nothing", entries_diverted, ENTRIES, "grub.cfg"),
    ("grub-mkconfig, entries that follow no setting (2.11)", entries_static, ENTRIES, "refresh-boot-loader"),
]


def lie(row):
    what, arrange, prefix, named = row

    def found_out(root, tally):
        write(root.spec, SPEC)
        arrange(root)
        code, report = document(root, "apply")
        tally.check("apply fails: exit 1", code == 1, report)
        told = [said for said in report.get("diagnostics", []) if said.get("code") == "no-effect"]
        tally.check("the code is no-effect, and %s is named" % named,
                    [said for said in told if named in said["message"]], report.get("diagnostics"))
        for verb in ("status", "plan"):
            code, plan = document(root, verb)
            states = item_states(plan, prefix)
            tally.check("%s: nothing that it was to bring is said to be armed" % verb, states and not
                        set(states.values()) & {"armed", "active"}, states)
            tally.check("%s: nor that all is done, exit %d" % (verb, code), code not in (0, 3))

    found_out.__doc__ = "a lie: " + what
    found_out.__name__ = "lie_" + arrange.__name__
    case()(found_out)


for entry in LIES:
    lie(entry)


@case()
def lie_deferred(root, tally):
    """a lie that is not told: run by a package's script, update-initramfs would only take note (5.3)"""
    write(root.spec, SPEC)
    before = os.stat(root.initramfs).st_ino
    within = {"DPKG_MAINTSCRIPT_PACKAGE": "some-package", "DPKG_MAINTSCRIPT_NAME": "postinst",
              "DEB_MAINT_PARAMS": "configure"}
    code, report = document(root, "apply", within)
    tally.check("apply: only a reboot is outstanding (exit 3)", code == 3, codes(report))
    tally.check("the image is new", os.stat(root.initramfs).st_ino != before)
    main, _ = root.unpacked()
    inside = [path for path in ("etc/modprobe.d", "usr/lib/modprobe.d", "lib/modprobe.d")
              if os.path.exists(os.path.join(main, path, "00-passthroughd.conf"))]
    tally.check("and holds our file", inside and read(os.path.join(main, inside[0], "00-passthroughd.conf"))
                == read(root.at("etc/modprobe.d/00-passthroughd.conf")), inside)
