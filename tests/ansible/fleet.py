# SPDX-License-Identifier: GPL-2.0-or-later
"""Hosts as namespaces, each a captured host laid out over a Debian tree, and the controller that reaches them by ssh.

Builders of images and boot entries are the stand-ins of tests/fake/machine: the real ones are the sysroot tier's. A
host that is told to reboot loses all its processes and namespaces, reboot.sh plays what its boot entry, its udev rules
and module lists say, and it begins anew with another boot id. Live steps cannot be real on a kernel that is not the
host's: the captures are given the modules of VFIO and cards that show the console, so that none is planned.
"""

import glob
import hashlib
import os
import re
import shutil
import stat
import subprocess
import threading
import time

from ground import SOURCE, devices, overlay
from root import read, sh, write

HERE = os.path.dirname(os.path.abspath(__file__))
MACHINE = os.path.join(SOURCE, "tests/fake/machine")
LIMIT = 300
ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root"}
# What a host writes by itself, or because somebody logged in.
ITS_OWN = re.compile(r"(proc|dev|tmp|root/\.ansible|root/\.cache|var/log|var/cache/apt|run/(utmp|sshd.*|text|real-proc|passthroughd.*))(/|$)")
VFIO = "".join("%s 16384 0 - Live 0x0000000000000000\n" % name for name in ("vfio_pci", "vfio_iommu_type1", "vfio_virqfd"))


class Host:
    """with systemd's files and a daemon if SYSTEMD, without both else."""

    def __init__(self, name, capture, address, systemd, events):
        self.name, self.capture, self.address, self.systemd, self.events = name, capture, address, systemd, events
        self.stopping = False

    def at(self, *names):
        return os.path.join(self.path, *names)

    def lay(self, layers, lay_out, work):
        self.path, self.upper = os.path.join(work, self.name, "root"), os.path.join(work, self.name, "upper")
        overlay(layers, self.upper, self.path)
        for name in ("boot", "lib/modules", "etc/default/grub", "etc/default/grub.d", "etc/modprobe.d", "etc/modules",
                     "etc/modules-load.d", "etc/initramfs-tools", "etc/machine-id", "sbin/init", "sbin/shutdown",
                     "bin/systemctl"):
            sh("rm", "-rf", self.at(name))
        laid = os.path.join(work, self.name, "laid")
        sh(lay_out, os.path.join(SOURCE, "tests/hosts", self.capture + ".host"), laid)
        sh("rm", "-rf", os.path.join(laid, "proc/self"))
        sh("sh", "-c", 'tar -C "$1" -c . | tar -C "$2" -x --keep-directory-symlink', "sh", laid, self.path)
        for name in ("etc/modprobe.d", "etc/modules-load.d", "etc/initramfs-tools/hooks", "etc/passthroughd",
                     "etc/initramfs-tools/scripts/init-top", "etc/udev/rules.d", "run/sshd"):
            os.makedirs(self.at(name), exist_ok=True)
        os.rmdir(self.at("etc/passthroughd"))
        for name in ("update-initramfs", "update-grub"):
            shutil.copy(os.path.join(MACHINE, name), self.at("usr/sbin", name))
            os.chmod(self.at("usr/sbin", name), 0o755)
        for name in ("init", "shutdown") + (("systemctl",) if self.systemd else ()):
            path = self.at("usr/bin" if name == "systemctl" else "usr/sbin", name)
            shutil.copy(os.path.join(HERE, "machine", name), path)
            os.chmod(path, 0o755)
        if self.systemd:
            os.makedirs(self.at("run/systemd/system"))
        write(self.at("proc/modules"), read(self.at("proc/modules")) + VFIO.encode())
        write(self.at("proc/sys/kernel/hostname"), self.name + "\n")
        for name in glob.glob(self.at("sys/bus/pci/devices/*/boot_vga")):
            write(name, "1\n" if b"0x10de" in read(os.path.join(os.path.dirname(name), "vendor")) else "0\n")
        devices(self.path)

    def start(self):
        with open(self.path + ".log", "ab") as log:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "--propagation", "private", "--net", "--uts", "--pid", "--fork", "--kill-child",
                 "sh", os.path.join(HERE, "machine/start.sh"), self.path, self.name, self.address],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, env=ENV)
        while os.readlink("/proc/%d/ns/net" % self.process.pid) == os.readlink("/proc/self/ns/net"):
            time.sleep(0.02)
        sh("ip", "link", "add", "name", self.name, "type", "veth", "peer", "name", "eth0", "netns", str(self.process.pid))
        sh("ip", "link", "set", "dev", self.name, "master", "fleet", "up")

    def run(self):
        """Live until told otherwise: boot after boot."""
        self.start()
        self.thread = threading.Thread(target=self.boots, daemon=True)
        self.thread.start()

    def boots(self):
        while True:
            self.process.wait()
            if self.stopping:
                return
            if len(self.asked("shutdown")) == len([one for one in self.events if one == "down " + self.name]):
                self.events.append(self.name + " died: see " + self.path + ".log")
                return
            self.events.append("down " + self.name)
            while subprocess.run(["ip", "link", "show", "dev", self.name], check=False, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL).returncode == 0:
                time.sleep(0.05)  # it goes with the namespace that its other end is in
            with open(self.path + ".log", "ab") as log:
                sh("sh", os.path.join(MACHINE, "reboot.sh"), self.path, stderr=log)
            sh("rm", "-rf", self.at("run/passthroughd"), self.at("run/passthroughd.pid"))
            self.start()
            self.events.append("up " + self.name)

    def stop(self):
        self.stopping = True
        self.process.kill()
        self.process.wait()

    def asked(self, name):
        """The lines that a stand-in left in /var/log."""
        path = self.at("var/log", name)
        return read(path).decode().splitlines() if os.path.exists(path) else []

    def manifest(self):
        """Everything on this host that is not the tree's: mode, owner and contents."""
        seen = {}
        for where, folders, names in os.walk(self.upper):
            for name in folders + names:
                path = os.path.join(where, name)
                below = os.path.relpath(path, self.upper)
                if ITS_OWN.match(below):
                    continue
                status = os.lstat(path)
                what = (os.readlink(path) if stat.S_ISLNK(status.st_mode) else status.st_rdev
                        if not stat.S_ISREG(status.st_mode) else hashlib.sha256(read(path)).hexdigest())
                seen[below] = (oct(status.st_mode), status.st_uid, status.st_gid, what)
        return seen


class Controller:
    def __init__(self, layers, work):
        self.path = os.path.join(work, "controller/root")
        overlay(layers, os.path.join(work, "controller/upper"), self.path)
        devices(self.path)
        sh("mount", "-t", "proc", "proc", os.path.join(self.path, "proc"))
        self.log = os.path.join(work, "ansible.log")
        self.chroot("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/root/.ssh/id_ed25519")
        self.key = read(os.path.join(self.path, "root/.ssh/id_ed25519.pub"))

    def chroot(self, *words):
        """A command there: exit code and everything that it said."""
        done = subprocess.run(["chroot", self.path, "sh", "-c", 'cd /root/play && exec "$@"', "sh"] + list(words)
                              if os.path.isdir(self.path + "/root/play") else ["chroot", self.path] + list(words),
                              check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=LIMIT, env=ENV)
        said = done.stdout.decode(errors="replace")
        with open(self.log, "a", encoding="utf-8") as log:
            log.write("$ %s\n%s[%d]\n" % (" ".join(words), said, done.returncode))
        return done.returncode, said

    def write(self, name, text):
        write(os.path.join(self.path, "root/play", name), text)


def network():
    """A bridge in this process's own network namespace."""
    sh("ip", "link", "set", "lo", "up")
    sh("ip", "link", "add", "name", "fleet", "type", "bridge")
    sh("ip", "addr", "add", "10.77.0.254/24", "dev", "fleet")
    sh("ip", "link", "set", "fleet", "up")
