#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The Ansible role against three unlike hosts at once: run.py --build FOLDER --product FOLDER --work FOLDER

BUILD is a release build, PRODUCT what `DESTDIR=FOLDER cmake --install` laid out. Real ansible-core, real ssh and sshd,
the real .deb and daemon; the hosts are namespaces (fleet.py says what in them is played). Needs root: all of it is in
mount, network and pid namespaces of its own, and nothing of this machine's network, packages or units is touched.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(SOURCE, "tests/sysroot")]
sys.dont_write_bytecode = True

from fleet import Controller, Host, network  # noqa: E402
from ground import PACKAGES, layers  # noqa: E402
from root import differences, packages, read, sh, write  # noqa: E402
from tally import Tally  # noqa: E402

CONFIG = """[defaults]
inventory = inventory.yml
roles_path = /root/ansible/roles
host_key_checking = False
gathering = explicit
forks = 5
[ssh_connection]
pipelining = True
"""
PLAY = """- hosts: gpu_hosts
  gather_facts: false
  serial: "{{ at_once | default('100%') }}"
  roles:
    - passthroughd
"""
ALL = """blacklist: [nouveau]
kernel-flags: [pcie_aspm=off]
"""
# One file for unlike hosts: it counts where it says so.
GPU = """match: {hostname: "*-gpu"}
devices:
  gpu: {id: "10de:1b80", accept: [boot-display]}
"""
BAD = "blacklist: [nouveau]\nblacklst: [radeon]\n"
EVERYWHERE = "devices:\n  gpu: {id: \"10de:1b80\", accept: [boot-display]}\n"


def recap(said):
    """changed, failed and the rest of each host."""
    lines = re.findall(r"^(\S+)\s+: (ok=.*)$", said, re.M)
    return {name: {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", line)} for name, line in lines}


def tell(said):
    """What went wrong or changed; all of it is in WORK/ansible.log."""
    for line in said.splitlines():
        if line.startswith(("fatal: ", "failed: ", "changed: ", "ERROR")):
            print("       | " + line, flush=True)


class Fleet:
    def __init__(self, controller, hosts, tally):
        self.controller, self.hosts, self.tally = controller, hosts, tally

    def inventory(self, files, more=None):
        """FILES for all of them; MORE is what single hosts have besides, or a list that they have instead."""
        more = more or {}
        hosts = {host.name: {"ansible_host": host.address, "ansible_python_interpreter": "/usr/bin/python3",
                             "passthroughd_files": more[host.name] if isinstance(more.get(host.name), list)
                             else dict(files, **more.get(host.name, {}))}
                 for host in self.hosts}
        self.controller.write("inventory.yml", json.dumps({"gpu_hosts": {"hosts": hosts}}, indent=1))

    def play(self, *words):
        code, said = self.controller.chroot("ansible-playbook", "site.yml", *words)
        return code, said, recap(said)

    def facts(self):
        """ansible_local.passthroughd of each host, by `setup`."""
        _, said = self.controller.chroot("ansible", "gpu_hosts", "-m", "setup", "-a",
                                         "gather_subset=!all,!min,local filter=ansible_local", "-o")
        found = {}
        for line in said.splitlines():
            name, _, text = line.partition(" | SUCCESS => ")
            if text:
                found[name] = json.loads(text)["ansible_facts"].get("ansible_local", {}).get("passthroughd", {})
        return found

    def everyone(self, value):
        return {host.name: value for host in self.hosts}

    def changed(self, seen):
        return {name: row["changed"] for name, row in seen.items()}

    def failed(self, seen):
        return {name: row["failed"] + row["unreachable"] for name, row in seen.items()}


def package(fleet, deb):
    """before anything: no program, then the package by the role"""
    tally, controller = fleet.tally, fleet.controller
    code, said = controller.chroot("ansible-playbook", "--syntax-check", "site.yml")
    tally.equal("the playbook's syntax", (code, "ERROR" in said), (0, False))
    code, said = controller.chroot("ansible", "gpu_hosts", "-m", "script", "-a",
                                   "/root/ansible/facts.d/passthroughd.fact")
    tally.check("the fact file without the program: one JSON document, exit 0",
                code == 0 and len(re.findall(r'"stdout": "\{.*\\"installed\\": false', said)) == 3, said)
    fleet.inventory({})
    code, said, seen = fleet.play("-e", "passthroughd_package=/root/play/passthroughd.deb")
    tally.equal("the package is installed, and with no files nothing is to do", (code, fleet.failed(seen)),
                (0, fleet.everyone(0))) or tell(said)
    for host in fleet.hosts:
        tally.check("%s: the program is there" % host.name, os.path.exists(host.at("usr/bin/passthroughctl")))
    facts = fleet.facts()
    tally.equal("facts: installed, version, converged, the daemon where there is one",
                {name: (fact.get("installed"), fact.get("version"), fact.get("state"), fact.get("daemon"))
                 for name, fact in facts.items()},
                {host.name: (True, "0.1.0", "converged", host.systemd) for host in fleet.hosts})


def check_mode(fleet, _):
    """--check --diff: everything is shown, and nothing written"""
    tally = fleet.tally
    fleet.inventory({"10-all.yaml": ALL, "20-gpu.yaml": GPU})
    before = {host.name: host.manifest() for host in fleet.hosts}
    code, said, seen = fleet.play("--check", "--diff")
    tally.equal("it succeeds on all, and all would change", (code, fleet.failed(seen), {
        name for name, row in seen.items() if row["changed"]}), (0, fleet.everyone(0), set(fleet.everyone(0)))) or tell(said)
    for host in fleet.hosts:
        now = host.manifest()
        tally.check("%s: not a byte of it is another" % host.name, now == before[host.name],
                    differences(before[host.name], now))
        tally.equal("%s: no folder is left in /tmp" % host.name,
                    [name for name in os.listdir(host.at("tmp")) if name.startswith("passthroughd")], [])
    tally.equal("the plan's diff of every host", said.count("+++ b/etc/default/grub.d/90-passthroughd.cfg"), 3)
    tally.equal("the early binding of the two with the card", said.count("+++ b/etc/udev/rules.d/00-passthroughd.rules"), 2)
    tally.equal("the diff of the pushed file as well", said.count("+blacklist: [nouveau]"), 3)
    tally.equal("why a reboot will be needed", said.count("would need a reboot: kernel-flag:pcie_aspm=off: "), 3)


def converge(fleet, _):
    """the first run converges all, the second changes nothing, nobody reboots"""
    tally, files = fleet.tally, {"10-all.yaml": ALL, "20-gpu.yaml": GPU}
    code, said, seen = fleet.play()
    tally.equal("first run: no failure, all changed", (code, fleet.failed(seen), all(fleet.changed(seen).values())),
                (0, fleet.everyone(0), True)) or tell(said)
    for host in fleet.hosts:
        tally.check("%s: the entry on its disk has the flag" % host.name,
                    b"pcie_aspm=off" in read(host.at("boot/grub/grub.cfg")))
        tally.equal("%s: early binding only where the file counts" % host.name,
                    os.path.exists(host.at("etc/udev/rules.d/00-passthroughd.rules")), host.name.endswith("-gpu"))
    controller, last = fleet.controller, fleet.hosts[2].name
    controller.write("files/10-all.yaml", ALL)
    controller.write("files/20-gpu.yaml", GPU)
    fleet.inventory(files, {last: ["files/10-all.yaml", "files/20-gpu.yaml"]})
    code, said, seen = fleet.play()
    tally.equal("second run, one host by a list of files: changed=0", (code, fleet.failed(seen), fleet.changed(seen)),
                (0, fleet.everyone(0), fleet.everyone(0))) or tell(said)
    facts = fleet.facts()
    tally.equal("facts: only a reboot is outstanding", {name: (fact.get("state"), fact.get("reboot_pending"),
                fact.get("items", {}).get("kernel-flag:pcie_aspm=off")) for name, fact in facts.items()},
                fleet.everyone(("reboot", True, "armed")))
    tally.equal("nobody was told to reboot", [host.asked("shutdown") for host in fleet.hosts], [[], [], []])


def bad_file(fleet, _):
    """one host with a bad file: that one fails with the diagnostic, the others converge"""
    tally = fleet.tally
    bad = fleet.hosts[2]
    good = {"10-all.yaml": ALL.replace("nouveau", "nouveau, radeon"), "20-gpu.yaml": GPU}
    fleet.inventory(good, {bad.name: {"10-all.yaml": BAD}})
    before = bad.manifest()
    code, said, seen = fleet.play()
    tally.equal("only that host fails", (code, fleet.failed(seen)), (2, dict(fleet.everyone(0), **{bad.name: 1}))) or tell(said)
    told = "".join(line for line in said.splitlines() if line.startswith("fatal: [%s]" % bad.name))
    tally.check("with file, line and code", "/etc/passthroughd/10-all.yaml:2:1: error: " in told and "[unknown-key]" in told,
                told)
    tally.check("not a byte of it is another", bad.manifest() == before, differences(before, bad.manifest()))
    for host in fleet.hosts[:2]:
        tally.check("%s: converged" % host.name, b"blacklist radeon" in read(host.at("etc/modprobe.d/00-passthroughd.conf")))
    fleet.inventory(good)


def blocked(fleet, _):
    """a device that is refused: the host fails with the code, and an exclusive run cleans up"""
    tally = fleet.tally
    odd = fleet.hosts[2]
    files = {"10-all.yaml": ALL, "20-gpu.yaml": GPU}
    fleet.inventory(files, {odd.name: {"30-everywhere.yaml": EVERYWHERE}})
    code, said, seen = fleet.play("--limit", odd.name)
    tally.check("it fails with the code and the remedy", code == 2 and "[iommu-absent]" in said and "VT-d" in said, said)
    tally.equal("facts: what is refused", fleet.facts()[odd.name].get("blocked"), {"gpu": ["iommu-absent"]})
    fleet.inventory(files)
    code, said, seen = fleet.play("--limit", odd.name, "-e", "passthroughd_exclusive=false", "--check")
    tally.check("a file that is not listed stays", "[iommu-absent]" in said and code == 2, said)
    code, said, seen = fleet.play("-e", "passthroughd_exclusive=true")
    tally.equal("exclusive: it goes, and the host converges", (code, fleet.failed(seen), os.path.exists(
        odd.at("etc/passthroughd/30-everywhere.yaml"))), (0, fleet.everyone(0), False)) or tell(said)


def reboot(fleet, _):
    """with consent, and serial: 1: one boot after the other, and all is active afterwards"""
    tally = fleet.tally
    tally.equal("until now nobody was told to reboot", [host.asked("shutdown") for host in fleet.hosts], [[], [], []])
    ids = [read(host.at("proc/sys/kernel/random/boot_id")) for host in fleet.hosts]
    code, said, seen = fleet.play("-e", "passthroughd_reboot=true", "-e", "at_once=1")
    tally.equal("no failure", (code, fleet.failed(seen)), (0, fleet.everyone(0))) or tell(said)
    tally.equal("one after the other", fleet.hosts[0].events,
                [event for host in fleet.hosts for event in ("down " + host.name, "up " + host.name)])
    for host, old in zip(fleet.hosts, ids):
        tally.equal("%s: told once" % host.name, len(host.asked("shutdown")), 1)
        tally.check("%s: another boot, with the flag on its line" % host.name,
                    read(host.at("proc/sys/kernel/random/boot_id")) != old
                    and b"pcie_aspm=off" in read(host.at("proc/cmdline")))
    facts = fleet.facts()
    tally.equal("facts: converged, all active", {name: (fact.get("state"), fact.get("reboot_pending"),
                set(fact.get("items", {}).values())) for name, fact in facts.items()},
                fleet.everyone(("converged", False, {"active"})))
    code, said, seen = fleet.play("-e", "passthroughd_reboot=true")
    tally.equal("another run with consent: changed=0, nobody reboots", (code, fleet.changed(seen), [
        len(host.asked("shutdown")) for host in fleet.hosts]), (0, fleet.everyone(0), [1, 1, 1])) or tell(said)


def daemon_down(fleet, _):
    """a daemon that is not there: facts are computed, and the next run starts it"""
    tally, host = fleet.tally, fleet.hosts[0]
    fleet.controller.chroot("ansible", host.name, "-a", "systemctl stop passthroughd.service")
    fact = fleet.facts()[host.name]
    tally.equal("facts: no daemon, and how the host stands", (fact.get("daemon"), fact.get("state"), fact.get("error")),
                (False, "converged", None))
    code, said, seen = fleet.play("--limit", host.name)
    tally.equal("the role starts it", (code, fleet.changed(seen), fleet.facts()[host.name].get("daemon")),
                (0, {host.name: 1}, True)) or tell(said)


CASES = (package, check_mode, converge, bad_file, blocked, reboot, daemon_down)


def make_deb(build, work):
    """The package, made now."""
    target = os.path.join(work, "deb")
    sh("cpack", "-G", "DEB", "-B", target, cwd=build, stdout=subprocess.DEVNULL)
    return next(os.path.join(target, name) for name in os.listdir(target) if name.endswith(".deb"))


def until_reachable(fleet):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if fleet.controller.chroot("ansible", "gpu_hosts", "-m", "ping")[0] == 0:
            return
    raise RuntimeError("%r: the hosts cannot be reached by ssh" % fleet.hosts[0].events)


def main():
    parser = argparse.ArgumentParser()
    for name in ("build", "product", "work"):
        parser.add_argument("--" + name, required=True)
    words = parser.parse_args()
    if os.environ.get("PTHRU_ANSIBLE_INSIDE") != "yes":
        packages(*PACKAGES)  # inside there is no network
        os.environ["PTHRU_ANSIBLE_INSIDE"] = "yes"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", "--net", "--pid", "--fork", "--kill-child",
                              "--mount-proc", sys.executable, "-B"] + sys.argv)
    os.umask(0o022)
    work, build = os.path.abspath(words.work), os.path.abspath(words.build)
    os.makedirs(work, exist_ok=True)
    tally = Tally()
    tally.heading("ansible: three hosts and a controller")
    below = layers()
    network()
    controller = Controller(below, work)
    deb = make_deb(build, work)
    share = os.path.join(os.path.abspath(words.product), "usr/share/passthroughd/ansible")
    sh("cp", "-a", share, os.path.join(controller.path, "root/ansible"))
    controller.write("ansible.cfg", CONFIG)
    controller.write("site.yml", PLAY)
    controller.write("passthroughd.deb", read(deb))
    events = []
    hosts = [Host("intel-gpu", "debian12-desktop", "10.77.0.1", True, events),
             Host("amd-gpu", "amd-gtx1080", "10.77.0.2", True, events),
             Host("no-iommu", "i7-4770k-no-vtd", "10.77.0.3", False, events)]
    fleet = Fleet(controller, hosts, tally)
    for host in hosts:
        host.lay(below, os.path.join(build, "tests/lay-out"), work)
        write(host.at("root/.ssh/authorized_keys"), controller.key)
        host.run()
    fleet.inventory({})
    until_reachable(fleet)
    for case in CASES:
        tally.heading("ansible: " + case.__doc__)
        try:
            case(fleet, deb)
        except (RuntimeError, subprocess.SubprocessError, OSError, KeyError, ValueError) as error:
            tally.check("the case came to its end", False, repr(error))
    for host in hosts:
        host.stop()
    tally.close()


if __name__ == "__main__":
    main()
