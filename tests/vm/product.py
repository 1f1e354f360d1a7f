# SPDX-License-Identifier: GPL-2.0-or-later
"""The product in a guest, and the questions that several scenarios ask."""

import json

# design §5: every file that is ours alone.
OWNED = (
    "/etc/default/grub.d/90-passthroughd.cfg",
    "/etc/modprobe.d/00-passthroughd.conf",
    "/etc/modules-load.d/passthroughd.conf",
    "/etc/udev/rules.d/00-passthroughd.rules",
)

SETTLE_LIMIT = 900

# Every file and link under /etc with its mode, owner and contents, but for our own spec.
MANIFEST = r"""cd /etc && {
find . -xdev -path ./passthroughd -prune -o -type f -printf 'mode %p %m %u:%g\n' -o -type l -printf 'link %p %l\n'
find . -xdev -path ./passthroughd -prune -o -type f -print0 | xargs -0 sha256sum
} | LC_ALL=C sort"""


class Product:
    def __init__(self, machine):
        self.machine = machine

    def install(self):
        """From the second disk, which holds what `cmake --install` laid out."""
        self.machine.must("mount -o ro /dev/disk/by-id/virtio-disk1 /mnt && tar -C /mnt --exclude=./lost+found -c . | "
                          "tar -C / -x --no-same-owner --keep-directory-symlink && umount /mnt && ldconfig")
        self.machine.must("systemctl daemon-reload && systemctl enable --now passthroughd.service", 120)

    def json(self, words, limit=120):
        """The exit code and the one JSON document of `passthroughctl WORDS --json`."""
        code, text = self.machine.run("passthroughctl %s --json 2>/run/errors" % words, limit)
        try:
            return code, json.loads(text)
        except ValueError:
            return code, {"not-json": text}

    def settle(self, limit=SETTLE_LIMIT):
        """Wait until the daemon has done all that it can do now: the plan's exit code and its last status.

        By passthroughctl wait, which looks at nothing itself: without KVM each look costs the builders seconds."""
        self.machine.run("passthroughctl wait --timeout %d" % limit, limit + 60)
        _, status = self.json("status")
        code, _ = self.json("plan")
        return code, status

    def manifest(self):
        return self.machine.must(MANIFEST)

    def driver(self, address):
        """What ADDRESS is bound to, - if nothing."""
        return self.machine.run("basename \"$(readlink /sys/bus/pci/devices/%s/driver || echo -)\""
                                % address)[1].strip()

    def kernel_log(self, pattern):
        """The lines of this boot's kernel log that match PATTERN (an extended regular expression)."""
        return self.machine.run("dmesg | grep -E '%s'" % pattern)[1]

    def exists(self, path):
        return self.machine.run("test -e " + path)[0] == 0


def states(document, kind="items"):
    """State by item id, or by device name."""
    key = "id" if kind == "items" else "name"
    return {item.get(key): item.get("state") for item in document.get(kind, [])}


def changed_lines(before, after):
    """What two manifests do not share, to be shown when they should be equal."""
    old, new = set(before.splitlines()), set(after.splitlines())
    return "\n".join(["- " + line for line in sorted(old - new)] + ["+ " + line for line in sorted(new - old)])
