# SPDX-License-Identifier: GPL-2.0-or-later
"""Install, upgrade, remove and purge by dpkg in a Debian tree.

systemd does not run there. It looks as if it did, and a policy-rc.d writes down what it is asked for and allows
nothing: that is what would have been done to units.
"""

import os
import subprocess

from root import differences, read, sh, write

WANTED = "etc/systemd/system/multi-user.target.wants/passthroughd.service"
SPEC = "etc/passthroughd/host.yaml"
MARK = "etc/passthroughd/revert-on-remove"
STATE = "var/lib/passthroughd"
MODPROBE = "etc/modprobe.d/00-passthroughd.conf"
WISH = "module-options:\n  kvm: {ignore_msrs: 1}\n"
POLICY = """#!/bin/sh
echo "$2 $1" >>/run/asked
exit 101
"""
# What a life may leave behind: dpkg's own books, caches, and a new image of the same things.
BOOKS = ("var/lib/dpkg/", "var/log/", "var/cache/", "boot/initrd.img", "boot/grub/grub.cfg")


class Machine:
    def __init__(self, root, tally):
        self.root, self.tally = root, tally

    def run(self, *words, good=True):
        """A command in the tree, which may not touch this machine's kernel; its output."""
        done = subprocess.run(["setpriv", "--bounding-set=-sys_module,-sys_boot,-net_admin", "chroot", self.root.path]
                              + list(words), check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=600,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                                   "DEBIAN_FRONTEND": "noninteractive"})
        said = done.stdout.decode(errors="replace")
        with open(os.path.join(self.root.work, "dpkg.log"), "a", encoding="utf-8") as log:
            log.write("$ %s\n%s[%d]\n" % (" ".join(words), said, done.returncode))
        self.tally.check("%s %s" % (" ".join(words), "succeeds" if good else "fails"),
                         (done.returncode == 0) == good, said)
        return said

    def asked(self):
        """What was asked of units since the last time."""
        path = self.root.at("run/asked")
        lines = read(path).decode().splitlines() if os.path.exists(path) else []
        write(path, "")
        return lines

    def has(self, name):
        return os.path.lexists(self.root.at(name))

    def state(self):
        return self.run("dpkg-query", "-W", "-f", "${db:Status-Abbrev}", "passthroughd").strip()

    def apply(self):
        """From outside: below another root nothing is done to a running kernel."""
        self.root.spec = self.root.at(SPEC)
        code, out, errors = self.root.ctl("apply")
        self.tally.check("the spec is applied", code in (0, 3) and self.has(MODPROBE), "%d\n%s%s" % (code, out, errors))

    def everything(self):
        return {name: what for name, what in self.root.manifest("etc", "usr", "var", "boot").items()
                if not name.startswith(BOOKS)}


def into_tree(root, deb):
    """DEB inside the tree: its path there."""
    path = "/tmp/" + os.path.basename(deb)
    write(root.at(path.lstrip("/")), read(deb))
    return path


def newer(deb, work):
    """The same package by a later version."""
    folder, target = os.path.join(work, "newer"), os.path.join(work, "newer.deb")
    sh("rm", "-rf", folder)
    sh("dpkg-deb", "-R", deb, folder)
    control = os.path.join(folder, "DEBIAN/control")
    write(control, read(control).replace(b"\nVersion: ", b"\nVersion: 1:"))
    sh("dpkg-deb", "--root-owner-group", "-b", folder, target, stdout=subprocess.DEVNULL)
    return target


def installed(m, tally):
    tally.equal("it is installed", m.state(), "ii")
    tally.check("the service is enabled", m.has(WANTED))
    tally.equal("and started, and nothing else", m.asked(), ["restart passthroughd.service"])
    said = m.run("passthroughctl", "--version")
    tally.check("the program runs", said.startswith("passthroughctl "), said)
    tally.equal("the spec's folder is there and empty", os.listdir(m.root.at("etc/passthroughd")), [])
    m.run("systemd-analyze", "verify", "--recursive-errors=no", "--man=no", "passthroughd.service",
          "passthroughd-worker.socket")


def upgraded(m, deb, tally):
    write(m.root.at(SPEC), WISH)
    m.run("dpkg", "-i", deb)
    tally.equal("no worker is disturbed: the half that listens is restarted, and nothing else",
                m.asked(), ["restart passthroughd.service"])
    tally.equal("the spec is as it was", read(m.root.at(SPEC)).decode(), WISH)
    m.run("systemctl", "--root=/", "disable", "passthroughd.service")
    m.run("dpkg", "-i", deb)
    tally.check("who disabled it finds it disabled after an upgrade", not m.has(WANTED))
    m.run("systemctl", "--root=/", "enable", "passthroughd.service")
    m.asked()


def removed_as_it_is(m, deb, tally):
    """Without a request what was configured stays, and the record of it."""
    m.apply()
    said = m.run("dpkg", "-r", "passthroughd")
    tally.equal("the service, its socket and its workers are stopped", m.asked(),
                ["stop passthroughd.service", "stop passthroughd-worker.socket",
                 "stop passthroughd-worker@*.service"])
    tally.check("one line says that it stays", said.count("what it configured on this host stays") == 1, said)
    tally.check("it stays", m.has(MODPROBE) and m.has(STATE + "/ledger.json") and m.has(SPEC))
    said = m.run("dpkg", "-P", "passthroughd")
    tally.check("the purge says so too", said.count("what it configured on this host stays") == 1, said)
    tally.check("and keeps the spec, what was configured and the ledger",
                m.has(MODPROBE) and m.has(STATE + "/ledger.json") and m.has(SPEC))
    tally.check("no unit is enabled any more", not m.has(WANTED))
    m.run("dpkg", "-i", deb)
    m.asked()


def purged_on_request(m, before, tally):
    write(m.root.at(MARK), "")
    said = m.run("dpkg", "-P", "passthroughd")
    tally.check("it was taken back", not m.has(MODPROBE) and "what it configured" not in said, said)
    tally.check("the state is gone, and the mark", not m.has(STATE) and not m.has(MARK))
    tally.equal("the spec is the administrator's", read(m.root.at(SPEC)).decode(), WISH)
    os.unlink(m.root.at(SPEC))
    os.rmdir(m.root.at("etc/passthroughd"))
    tally.check("nothing else is left of it", m.everything() == before, differences(before, m.everything()))


def refused(m, deb, tally):
    """A request that cannot be met ends the removal, and all is as before."""
    m.run("dpkg", "-i", deb)
    write(m.root.at(SPEC), WISH)
    m.apply()
    write(m.root.at(MARK), "")
    builder = m.root.at("usr/sbin/update-initramfs")
    kept = read(builder)
    write(builder, "#!/bin/sh\nexit 1\n")
    said = m.run("dpkg", "-r", "passthroughd", good=False)
    write(builder, kept)
    tally.check("it says why", "not all could be taken back" in said, said)
    tally.check("it is still installed", m.state().endswith("i"), m.state())
    m.run("dpkg", "-P", "passthroughd")
    tally.check("then it goes", not m.has(MODPROBE) and not m.has(STATE))


def real_processes(root):
    """/proc as dpkg's children need it to know what they run below; what the tree says of its kernel stays on top."""
    texts = {name: read(root.at("proc", name)) for name in ("cmdline", "cpuinfo")}
    sh("mount", "-t", "proc", "proc", root.at("proc"))
    for name, text in texts.items():
        write(root.at("run/proc", name), text)
        sh("mount", "--bind", root.at("run/proc", name), root.at("proc", name))


def live(root, deb, work, tally):
    m = Machine(root, tally)
    real_processes(root)
    os.makedirs(root.at("run/systemd/system"))
    write(root.at("usr/sbin/policy-rc.d"), POLICY)
    os.chmod(root.at("usr/sbin/policy-rc.d"), 0o755)
    before = m.everything()
    later, deb = into_tree(root, newer(deb, work)), into_tree(root, deb)
    m.run("dpkg", "-i", deb)
    installed(m, tally)
    upgraded(m, later, tally)
    removed_as_it_is(m, deb, tally)
    purged_on_request(m, before, tally)
    refused(m, deb, tally)
