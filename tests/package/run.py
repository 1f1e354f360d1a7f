#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The .deb: what it holds, and its life in a real Debian tree: run.py --build FOLDER --work FOLDER

BUILD is a release build. Needs root: everything happens in a private mount namespace and below WORK, with the tree of
the sysroot tier. Nothing of this machine's packages or units is touched.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(SOURCE, "tests/sysroot")]
sys.dont_write_bytecode = True

import life  # noqa: E402
import metrics  # noqa: E402
from root import Sysroot, make_base, read, sh  # noqa: E402
from tally import Tally  # noqa: E402

FILES = """etc/passthroughd/
usr/bin/passthroughctl
usr/sbin/passthroughd
usr/libexec/passthroughd/pci-serial
usr/lib/systemd/catalog/passthroughd.catalog
usr/lib/systemd/system/passthroughd.service
usr/lib/systemd/system/passthroughd-worker.socket
usr/lib/systemd/system/passthroughd-worker@.service
usr/share/bash-completion/completions/passthroughctl
usr/share/bash-completion/completions/passthroughd
usr/share/dbus-1/system.d/org.passthroughd.Passthrough1.conf
usr/share/doc/passthroughd/changelog.gz
usr/share/doc/passthroughd/copyright
usr/share/doc/passthroughd/examples/10-three-lines.yaml
usr/share/doc/passthroughd/examples/notify-reload.conf
usr/share/man/man1/passthroughctl.1.gz
usr/share/man/man5/passthroughd.yaml.5.gz
usr/share/man/man8/passthroughd.8.gz
usr/share/passthroughd/ansible/facts.d/passthroughd.fact
usr/share/passthroughd/ansible/roles/passthroughd/tasks/main.yml
usr/share/passthroughd/passthroughd.schema.json
usr/share/polkit-1/actions/org.passthroughd.Passthrough1.policy
usr/share/zsh/vendor-completions/_passthroughctl
usr/share/zsh/vendor-completions/_passthroughd""".split("\n")
# What nothing but dlopen asks for.
OPENED = ("libarchive13", "libkmod2")


def output(*words, **options):
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, **options).stdout.decode()


def pack(build, target):
    """cpack in BUILD; the one package that it makes in TARGET."""
    shutil.rmtree(target, ignore_errors=True)
    sh("cpack", "-G", "DEB", "-B", target, cwd=build, stdout=subprocess.DEVNULL)
    found = [name for name in os.listdir(target) if name.endswith(".deb")]
    if len(found) != 1:
        raise RuntimeError("cpack made %r" % found)
    return os.path.join(target, found[0])


def build_elsewhere(work):
    """The same sources in another folder, built as the release is: its build folder."""
    folder = os.path.join(work, "a-copy-at-another-place")
    shutil.rmtree(folder, ignore_errors=True)
    names = output("git", "-C", SOURCE, "ls-files", "-z", "-co", "--exclude-standard").split("\0")
    for name in names:
        if name and not name.startswith(("tests/hosts/", "tests/cases/")) and os.path.exists(os.path.join(SOURCE, name)):
            os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
            shutil.copy2(os.path.join(SOURCE, name), os.path.join(folder, name), follow_symlinks=False)
    sh("cmake", "--preset", "release", cwd=folder, stdout=subprocess.DEVNULL)
    build = os.path.join(folder, "build/release")
    sh("cmake", "--build", build, "--target", "passthroughctl", "passthroughd", "pci-serial", "generated",
       stdout=subprocess.DEVNULL)
    return build


def contents(deb, tally):
    listed = output("dpkg-deb", "-c", deb).splitlines()
    names = [line.split(None, 5)[5].removeprefix("./") for line in listed]
    for name in FILES:
        tally.check("it holds /" + name, name in names, "\n".join(names))
    tally.equal("in the order of their names", names, sorted(names))
    tally.equal("all of it is root's", [line for line in listed if line.split()[1] != "root/root"], [])
    tally.equal("nobody else may write", [line for line in listed if "w" in (line[5], line[8])], [])
    tally.equal("/etc holds nothing but the empty folder",
                [name for name in names if name.startswith("etc/")], ["etc/", "etc/passthroughd/"])
    depends = output("dpkg-deb", "-f", deb, "Depends")
    for name in OPENED + ("libc6", "libsystemd0", "libyaml-0-2", "libjson-c5", "libmd0", "libexpat1"):
        tally.check("it depends on " + name, re.search(r"\b%s\b" % re.escape(name), depends), depends)


def lint(deb, tally):
    done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error", deb], check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    said = done.stdout.decode()
    print(said, end="")
    tally.check("lintian finds no error", done.returncode == 0 and "E: " not in said, said)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--work", required=True)
    words = parser.parse_args()
    if os.environ.get("PTHRU_PACKAGE_INSIDE") != "yes":
        os.environ["PTHRU_PACKAGE_INSIDE"] = "yes"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable] + sys.argv)
    os.umask(0o022)
    work = os.path.abspath(words.work)
    os.makedirs(work, exist_ok=True)
    build = os.path.abspath(words.build)
    epoch = output("git", "-C", SOURCE, "log", "-1", "--format=%ct").strip()
    tally = Tally()

    tally.heading("package: what it holds")
    deb = pack(build, os.path.join(work, "here"))
    contents(deb, tally)
    lint(deb, tally)

    tally.heading("package: the same bytes from another folder, at another time")
    os.environ["SOURCE_DATE_EPOCH"] = epoch  # the copy has no history to take it from
    other = pack(build_elsewhere(work), os.path.join(work, "there"))
    tally.check("both packages are the same", read(deb) == read(other), "%s %s" % (deb, other))

    tally.heading("package: the metrics, judged by Prometheus' promtool")
    metrics.check(build, work, tally)

    tally.heading("package: its life in a Debian tree")
    tree = output("sh", os.path.join(SOURCE, "tests/sysroot/tree.sh")).strip()
    base = os.path.join(work, "base.ext4")
    make_base(tree, base)
    try:
        with Sysroot(base, os.path.join(work, "life"), os.path.join(build, "daemon/passthroughctl")) as root:
            life.live(root, deb, work, tally)
    except (RuntimeError, subprocess.SubprocessError, OSError) as error:
        tally.check("it came to its end", False, repr(error))
    os.unlink(base)
    tally.close()


if __name__ == "__main__":
    main()
