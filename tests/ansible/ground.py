# SPDX-License-Identifier: GPL-2.0-or-later
"""The Debian tree of the sysroot tier with Debian's ansible-core, openssh-server and python3 on top, made once.

What is on top is the upper half of an overlay, kept in the cache folder beside the tree, under a key made of the
tree's key and the packages' names. The packages are fetched once by this machine's apt, and nothing is installed here.
"""

import fcntl
import glob
import hashlib
import os
import stat
import subprocess

from root import cache_folder, packages, sh, write

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACKAGES = ("ansible-core", "openssh-server", "openssh-client", "python3", "python3-apt", "cpio")
RECIPE = "1"


def overlay(lower, upper, target):
    """UPPER over the folders LOWER, the first of which is the uppermost, seen at TARGET."""
    for path in (upper, upper + ".work", target):
        os.makedirs(path, exist_ok=True)
    os.chmod(upper, 0o755)
    sh("mount", "-t", "overlay", "overlay", "-o",
       "lowerdir=%s,upperdir=%s,workdir=%s" % (":".join(lower), upper, upper + ".work"), target)


def devices(root):
    """A /dev that shows nothing of this machine; with terminals, which ssh may ask for."""
    dev = os.path.join(root, "dev")
    sh("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", dev)
    for name, major, minor in (("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9),
                               ("tty", 5, 0)):
        os.mknod(os.path.join(dev, name), 0o666 | stat.S_IFCHR, os.makedev(major, minor))
        os.chmod(os.path.join(dev, name), 0o666)
    for name in ("pts", "shm"):
        os.mkdir(os.path.join(dev, name))
    sh("mount", "-t", "devpts", "-o", "newinstance,ptmxmode=0666,mode=620", "devpts", os.path.join(dev, "pts"))
    sh("mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", os.path.join(dev, "shm"))
    os.symlink("pts/ptmx", os.path.join(dev, "ptmx"))
    os.symlink("/proc/self/fd", os.path.join(dev, "fd"))


def lower_tree():
    return subprocess.run(["sh", os.path.join(SOURCE, "tests/sysroot/tree.sh")], check=True,
                          stdout=subprocess.PIPE).stdout.decode().strip()


def install(tree, upper, root):
    """By dpkg inside, which starts no service."""
    overlay([tree], upper, root)
    try:
        devices(root)
        sh("mount", "-t", "proc", "proc", root + "/proc")
        write(root + "/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n")
        os.chmod(root + "/usr/sbin/policy-rc.d", 0o755)
        os.makedirs(root + "/tmp/debs")
        for path in packages(*PACKAGES):
            sh("cp", path, root + "/tmp/debs/")
        # Three times: what others depend on before they are unpacked is only configured at the end of a run.
        dpkg = "for n in 1 2 3; do dpkg --force-unsafe-io -i /tmp/debs/*.deb && exit; done; exit 1"
        done = subprocess.run(["chroot", root, "sh", "-c", dpkg], check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                                   "DEBIAN_FRONTEND": "noninteractive"})
        if done.returncode:
            raise RuntimeError("dpkg: " + done.stdout.decode(errors="replace")[-3000:])
        sh("rm", "-rf", root + "/tmp/debs", root + "/usr/sbin/policy-rc.d")
    finally:
        subprocess.run(["umount", "-R", root], check=False)


def layers():
    """The folders that a host or the controller lies on, the uppermost first. To be called in a mount namespace."""
    tree = lower_tree()
    key = hashlib.sha256("\n".join((RECIPE, os.path.basename(tree)) + PACKAGES).encode()).hexdigest()[:16]
    made, new = (os.path.join(cache_folder(), "layer-ansible-" + name) for name in (key, "new"))
    with open(os.path.join(cache_folder(), "layer.lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(made):
            sh("rm", "-rf", "--one-file-system", new, *glob.glob(os.path.join(cache_folder(), "layer-ansible-*")))
            os.makedirs(new)
            install(tree, new + "/upper", new + "/root")
            os.rename(new + "/upper", made)
            sh("rm", "-rf", "--one-file-system", new)
    return [made, tree]
