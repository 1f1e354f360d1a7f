# SPDX-License-Identifier: GPL-2.0-or-later
"""daemon.py CTL DAEMON [CASE...]: passthroughd as a plain process below a small root, asked by passthroughctl."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE]
sys.dont_write_bytecode = True

from roots import GUIDE, MODPROBE, RULES, Host, codes, lasting, states  # noqa: E402
from tally import Tally  # noqa: E402

LIMIT = 60  # seconds that anything may take before it counts as hanging

METRICS = "/var/lib/prometheus/node-exporter/passthroughd.prom"
CASES = []


def case(function):
    CASES.append(function)
    return function


class Workers:
    """with Workers(program, host) as path: a socket at which a worker is started for each connection, as
    passthroughd-worker.socket does it."""

    def __init__(self, program, host):
        self.program, self.host = program, host
        self.started = []

    def __enter__(self):
        self.path = self.host.path + ".worker"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.bind(self.path)
        self.socket.listen(16)
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def serve(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            self.started.append(subprocess.Popen([self.program, "--worker", "--root", self.host.path], stdin=client,
                                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE))
            client.close()

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        os.unlink(self.path)
        self.said = [one.communicate(timeout=LIMIT)[1].decode() for one in self.started]


class Daemon:
    """with Daemon(program, host) as daemon: it has told systemd, which is us, that it is ready."""

    def __init__(self, program, host, *args):
        self.program, self.host, self.args = program, host, args
        self.told = []
        self.news = threading.Condition()

    def __enter__(self):
        path = self.host.path + ".notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        if os.path.exists(path):
            os.unlink(path)
        self.socket.bind(path)
        self.listener = threading.Thread(target=self.listen, daemon=True)
        self.listener.start()
        self.log = open(self.host.path + ".log", "ab")
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stderr=self.log, stdout=self.log,
                                        env=dict(os.environ, NOTIFY_SOCKET=path))
        self.until("READY=1")
        return self

    def command(self):
        return [self.program, "--root", self.host.path, *self.args]

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(LIMIT)
        self.finish()
        self.log.close()

    def listen(self):
        """Always reading, as systemd is: who notifies waits for that."""
        while True:
            packet = self.socket.recv(65536)
            with self.news:
                self.told += packet.decode().splitlines()
                self.news.notify()
            if not packet:
                return

    def finish(self):
        """Everything that it said has been heard."""
        if self.listener.is_alive():
            self.socket.sendto(b"", self.host.path + ".notify")
            self.listener.join(LIMIT)

    def until(self, line):
        """Wait until it said LINE since the last time anybody waited."""
        end = time.monotonic() + LIMIT
        with self.news:
            while not any(told.startswith(line) for told in self.told):
                self.news.wait(1)
                if self.process.poll() is not None or time.monotonic() > end:
                    raise ValueError("never said %s: %r\n%s" % (line, self.told, self.text()))
            told, self.told = self.told, []
        return told

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(LIMIT)
        self.finish()
        return self.process.returncode

    def text(self):
        with open(self.host.path + ".log", encoding="utf-8") as file:
            return file.read()


    def looks(self, seconds):
        """How often it looked at the host until it has not for SECONDS."""
        count = 0
        while True:
            with self.news:
                told, self.told = self.told, []
                if not told and not self.news.wait(seconds):
                    return count
            count += told.count("STATUS=looking at the host")


def until(what):
    """Wait until WHAT() holds; whether it does."""
    end = time.monotonic() + LIMIT
    while not what() and time.monotonic() < end:
        time.sleep(0.05)
    return what()


def statuses(told):
    return [line[len("STATUS="):] for line in told if line.startswith("STATUS=")]


@case
def converges(host, start, tally):
    """it applies at the start, answers, and leaves its status"""
    host.spec("blacklist: [pcspkr]\n")
    with start(host) as daemon:
        code, answer = host.json("wait")
        tally.check("wait: done, exit 0", code == 0 and states(answer) == {"blacklist:pcspkr": "active"}, (code, answer))
        tally.check("the file is there", host.exists(MODPROBE))
        code, answer = host.json("status")
        tally.check("status: exit 0", code == 0 and answer.get("converged") is True, (code, answer))
        code, out, _ = host.ctl("status")
        tally.check("for people", code == 0 and "pcspkr" in out, out)
        tally.check("the status file", '"blacklist:pcspkr"' in host.read("/run/passthroughd/status.json"))
        tally.equal("the status file is root's", os.stat(host.full("/run/passthroughd/status.json")).st_mode & 0o777,
                    0o600)
        tally.equal("the socket is root's", os.stat(host.full("/run/passthroughd/control")).st_mode & 0o777, 0o600)
        tally.check("it ends with 0", daemon.stop() == 0, daemon.text())
        tally.check("it told systemd all of it", "STOPPING=1" in daemon.told
                    and any("converged" in line for line in statuses(daemon.told)), daemon.told)
    tally.check("the socket is gone", not host.exists("/run/passthroughd/control"))


@case
def rejects(host, start, tally):
    """a bad file: reload fails and says why; the last accepted spec stays, also over a restart"""
    host.spec("blacklist: [pcspkr]\n")
    with start(host) as daemon:
        tally.equal("settled", host.json("wait")[0], 0)
        host.spec("blacklst: [x]\nblacklist: 3\n", "/etc/passthroughd/bad.yaml")
        code, answer = host.json("reload")
        tally.check("reload: exit 5 with both errors", code == 5 and {"unknown-key", "type-mismatch"} <= codes(answer),
                    (code, answer))
        code, out, err = host.ctl("reload")
        tally.check("for people, on standard error", code == 5 and out == "" and "bad.yaml:1:1: error" in err, (out, err))
        code, answer = host.json("status")
        tally.check("status: exit 5, errors, and the items in force", code == 5 and "unknown-key" in codes(answer)
                    and states(answer) == {"blacklist:pcspkr": "active"}, (code, answer))
        daemon.until("STATUS=spec rejected")
        tally.check("the journal has the errors", "bad.yaml:1:1: error" in daemon.text(), daemon.text())
        tally.check("it ends with 0", daemon.stop() == 0, daemon.text())
    os.unlink(host.full(MODPROBE))
    with start(host) as daemon:
        host.json("wait")
        tally.check("after a restart the accepted spec is applied", host.exists(MODPROBE))
        tally.equal("and status says that it is another", host.json("status")[0], 5)
        host.remove("/etc/passthroughd/bad.yaml")
        code, answer = host.json("reload")
        tally.check("without the bad file reload succeeds", code == 0 and answer.get("diagnostics") == [], answer)
        tally.equal("and all is well", host.json("wait")[0], 0)


@case
def never_accepted(host, start, tally):
    """a bad spec at the first start: it is up, and does nothing"""
    host.spec("nonsense: 1\n")
    before = host.snapshot()
    with start(host):
        code, answer = host.json("wait")
        tally.check("wait: exit 5 and why", code == 5 and "unknown-key" in codes(answer), (code, answer))
        tally.check("nothing was touched", host.snapshot() == before)
        host.spec("blacklist: [pcspkr]\n")
        tally.equal("a good one is taken", host.json("reload")[0], 0)
        tally.equal("and applied", host.json("wait")[0], 0)


@case
def takes_back(host, start, tally):
    """no file is a wish for nothing: what is ours goes"""
    host.spec(GUIDE)
    before = host.snapshot()
    with start(host):
        code, answer = host.json("wait")
        tally.check("wait: only live steps are left, which a root never sees (note 2)", code == 2
                    and lasting(answer) == [], (code, answer))
        tally.check("it is there", host.exists(MODPROBE))
        host.remove("/etc/passthroughd/host.yaml")
        tally.equal("reload", host.json("reload")[0], 0)
        code, answer = host.json("wait")
        tally.check("wait: nothing is left to do", code == 0, (code, answer))
        tally.check("it is gone", not host.exists(MODPROBE))
    before.pop("/etc/passthroughd/host.yaml")
    after = host.snapshot()
    for name in ("/run/reboot-required", "/run/reboot-required.pkgs"):
        after.pop(name, None)
    tally.equal("all is as before", sorted(set(before.items()) ^ set(after.items())), [])


@case
def while_working(host, start, tally):
    """a builder at work: the loop answers, a reload is answered at once, a stop waits"""
    slow = host.read("/usr/sbin/update-initramfs").replace("set -e\n", "set -e\nwhile [ -e /hold ]; do sleep 0.1; done\n")
    host.write("/usr/sbin/update-initramfs", slow, 0o755)
    host.link("/bin/sleep", "busybox")
    host.write("/hold", "")
    host.spec("blacklist: [pcspkr]\n")
    with start(host) as daemon:
        told = daemon.until("STATUS=applying")
        tally.check("it is ready although a builder is at work", True, told)
        code, answer = host.json("status")
        tally.check("status answers", code == 2 and "blacklist:pcspkr" in states(answer), (code, answer))
        code, answer = host.json("wait", "--timeout", "0")
        tally.check("wait --timeout 0: exit 1, timed-out", code == 1 and "timed-out" in codes(answer), (code, answer))
        host.spec("blacklist: [pcspkr, floppy]\n")
        tally.equal("reload answers", host.json("reload")[0], 0)
        os.unlink(host.full("/hold"))
        code, answer = host.json("wait")
        tally.check("then both are done", code == 0 and len(states(answer)) == 2, (code, answer))
        host.write("/hold", "")
        host.spec("blacklist: [floppy]\n")
        tally.equal("reload", host.json("reload")[0], 0)
        daemon.until("STATUS=applying")
        daemon.process.send_signal(signal.SIGTERM)
        daemon.until("STOPPING=1")
        tally.check("it waits for the builder", daemon.process.poll() is None)
        os.unlink(host.full("/hold"))
        tally.equal("and ends with 0", daemon.process.wait(LIMIT), 0)
    tally.equal("what it was at is whole", host.json("plan")[0], 0)


@case
def held(host, start, tally):
    """a device that is in use: it looks again by itself, ever more rarely, and goes on once it is free"""
    disk = "/sys/devices/pci0000:00/0000:03:00.0"
    host.device("0000:03:00.0", 0x144d, 0xa808, 0x010802, "nvme", 3)
    host.write(disk + "/nvme/nvme0/nvme0n1/dev", "259:0\n")
    host.link("/sys/class/block/nvme0n1", "../../.." + disk[4:] + "/nvme/nvme0/nvme0n1")
    mounts = host.read("/proc/self/mountinfo")
    host.write("/proc/self/mountinfo", mounts + "30 22 259:0 / /srv rw,relatime - ext4 /dev/nvme0n1 rw\n")
    host.spec('devices:\n  disk: {address: "03:00.0"}\nblacklist: [pcspkr]\n')
    with start(host) as daemon:
        code, answer = host.json("wait")
        tally.check("in-use, and the rest is done", code == 2 and lasting(answer) == [] and "in-use" in codes(answer)
                    and states(answer)["blacklist:pcspkr"] == "active", (code, answer))
        first = [line for line in statuses(daemon.until("STATUS=")) if "attempt" in line]
        first = first or [line for line in statuses(daemon.until("STATUS=")) if "attempt" in line]
        tally.check("it says that it will look again", first and first[-1].endswith("in use: disk; next attempt in 5 s"),
                    first)
        logged = daemon.text().count("blocked")
        told = daemon.until("STATUS=looking at the host")
        while not any("attempt" in line for line in told):
            told = daemon.until("STATUS=")
        tally.check("then after twice the time", told[-1].endswith("in use: disk; next attempt in 10 s"), told)
        tally.check("and does not log the same again", daemon.text().count("blocked") == logged > 0, daemon.text())
        host.write("/proc/self/mountinfo", mounts)
        daemon.process.send_signal(signal.SIGHUP)
        told = daemon.until("STATUS=looking at the host")
        code, answer = host.json("wait")
        tally.check("a reload looks at once", code in (2, 3) and "in-use" not in codes(answer)
                    and host.exists(RULES), (code, answer))
        tally.check("and nothing more is said of it", not any("attempt" in line for line in daemon.told), daemon.told)
        host.remove("/etc/passthroughd/host.yaml")
        host.json("reload")
        host.json("wait")
        host.write("/proc/self/mountinfo", mounts + "30 22 259:0 / /srv rw,relatime - ext4 /dev/nvme0n1 rw\n")
        host.spec('devices:\n  disk: {address: "03:00.0"}\n')
        host.json("reload")
        tally.check("in use again", "in-use" in codes(host.json("wait")[1]))
        host.write("/proc/self/mountinfo", mounts)
        end = time.monotonic() + 20
        while not host.exists(RULES) and time.monotonic() < end:
            time.sleep(0.2)
        tally.check("its binding is prepared without anybody's asking", host.exists(RULES))
        host.json("wait")


@case
def fails(host, start, tally):
    """a builder that fails: status and wait say failed, and why"""
    host.write("/fail-initramfs", "")
    host.spec("blacklist: [pcspkr]\n")
    with start(host) as daemon:
        code, answer = host.json("wait")
        tally.check("wait: exit 1 and the code", code == 1 and "builder-failed" in codes(answer), (code, answer))
        tally.equal("status: exit 1", host.json("status")[0], 1)
        tally.check("the journal has its last words", "cannot build" in daemon.text(), daemon.text())
        host.remove("/fail-initramfs")
        daemon.told = []
        daemon.process.send_signal(signal.SIGHUP)
        daemon.until("READY=1")
        tally.equal("after a hangup it is done", host.json("wait")[0], 0)


@case
def one_only(host, start, tally):
    """a second one for the same root refuses; a socket that a killed one left is no hindrance"""
    with start(host) as daemon:
        second = subprocess.run([daemon.program, "--root", host.path], check=False, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=LIMIT)
        tally.check("the second ends with 1 and says why", second.returncode == 1 and b"another" in second.stderr, second)
        tally.equal("the first still answers", host.json("status")[0], 0)
        daemon.process.kill()
    tally.check("a socket was left", host.exists("/run/passthroughd/control"))
    tally.equal("and nobody answers", host.json("reload")[0], 1)
    with start(host):
        tally.equal("a new one does", host.json("status")[0], 0)


@case
def strange_clients(host, start, tally):
    """clients that hang up, say nothing, or talk nonsense"""
    with start(host):
        address = host.full("/run/passthroughd/control")
        folder = os.open(os.path.dirname(address), os.O_PATH)
        name = "/proc/self/fd/%d/control" % folder
        kept = []
        for packet in (b"", b"nonsense", b"status", b"status json", b"status json 0 0", b"status pink 0",
                       b"reload json -1 x", b"x" * 4000, b"status json 0"):
            client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            client.connect(name)
            if packet:
                client.send(packet)
            kept.append(client)
        for client in kept[::2]:
            client.close()
        tally.equal("it still answers", host.json("status")[0], 0)
        for client in kept[1::2]:
            client.close()
        many = []
        for _ in range(100):
            client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            client.setblocking(False)
            try:
                client.connect(name)
            except OSError:
                pass
            many.append(client)
        for client in many:
            client.close()
        tally.equal("also after a crowd", host.json("status")[0], 0)
        os.close(folder)


@case
def notices(host, start, tally):
    """files come, change and go without anybody's asking; drift is healed; what it does itself is no news"""
    os.rmdir(host.full("/etc/passthroughd"))
    with start(host) as daemon:
        tally.equal("nothing to do", host.json("wait")[0], 0)
        host.spec("blacklist: [pcspkr]\n")
        tally.check("a file in a folder that was not there is taken", until(lambda: host.exists(MODPROBE)))
        host.json("wait")
        daemon.looks(2)
        host.remove(MODPROBE)
        tally.check("a file of ours that was removed comes back", until(lambda: host.exists(MODPROBE)))
        host.json("wait")
        tally.equal("its own writes are no news", daemon.looks(2), 1)
        good = host.read(MODPROBE)
        host.write(MODPROBE, "blacklist other\n")
        tally.check("one that was changed is put right", until(lambda: host.read(MODPROBE) == good))
        host.json("wait")
        daemon.looks(2)
        host.write("/etc/modprobe.d/.hidden.tmp", "x")
        host.write("/etc/unrelated", "x")
        tally.equal("files that nobody reads are no news", daemon.looks(2), 0)
        host.write("/etc/passthroughd/host.yaml", "blacklist: 3\n")
        daemon.until("STATUS=spec rejected")
        tally.check("a bad file is rejected", until(lambda: host.json("status")[0] == 5))
        tally.equal("and what was accepted stays", host.read(MODPROBE), good)
        host.remove("/etc/passthroughd/host.yaml")
        tally.check("a removed file is a wish for nothing", until(lambda: not host.exists(MODPROBE)))
        tally.check("it ends with 0", daemon.stop() == 0, daemon.text())


@case
def rebuilt_by_hand(host, start, tally):
    """an image rebuilt and entries written by others, without ours: seen, and put right in one build"""
    host.spec("blacklist: [pcspkr]\nkernel-flags: [pcie_aspm=off]\n")
    with start(host) as daemon:
        tally.equal("first, only a reboot is outstanding", host.json("wait")[0], 3)
        daemon.looks(2)
        for what, change, wanted in (("an image", host.image, ["update-initramfs -u -k 6.1.0-18-amd64"]),
                                     ("grub.cfg", lambda: host.grub_cfg("quiet"), ["update-grub"])):
            before = len(host.log())
            change()
            tally.check("%s: it is put right" % what, until(lambda: len(host.log()) > before))
            code, answer = host.json("wait")
            daemon.looks(2)
            tally.equal("%s: by what builds it, and once" % what, host.log()[before:], wanted)
            tally.check("%s: both are proven again" % what, code == 3 and all(item["boot"] == "right" for item in
                        answer["items"]), answer)


SAMPLE = re.compile(r'passthroughd_[a-z_]+(\{[a-z]+="[a-z-]+"\})? [0-9]+(\.[0-9]+)?$')


def samples(host):
    """What the metrics file says; every line must be of the format's."""
    found = {}
    for line in host.read(METRICS).splitlines():
        if line.startswith("# HELP ") or line.startswith("# TYPE "):
            continue
        if not SAMPLE.match(line):
            raise ValueError("no sample: " + line)
        name, value = line.split()
        found[name[len("passthroughd_"):]] = float(value)
    return found


@case
def metrics(host, start, tally):
    """the text file for node_exporter, where its folder is: items, the last apply, what was healed"""
    host.spec("blacklist: [pcspkr]\nkernel-flags: [pcie_aspm=off]\ndevices: {gpu: {id: '1234:5678'}}\n")
    with start(host):
        host.json("wait")
        tally.check("none where nobody collects them", not host.exists(METRICS))
    host.mkdir(os.path.dirname(METRICS))
    began = int(time.time())
    with start(host) as daemon:
        host.json("wait")
        found = samples(host)
        shown = [state for state in states(host.json("status")[1]).values()]
        tally.check("items by state, as the status has them", len(set(shown)) > 2 and all(
                    found['items{state="%s"}' % state] == shown.count(state) for state in set(shown)), (found, shown))
        tally.check("refusals by code", found['devices_refused{code="no-such-device"}'] == 1, found)
        tally.check("no success yet, nothing healed", (found["exit_code"], found["last_success_timestamp_seconds"],
                    found["heals_total"], found["reboot_required"]) == (4, 0, 0, 1), found)
        host.spec("blacklist: [pcspkr]\nkernel-flags: [pcie_aspm=off]\n")
        tally.equal("reload", host.json("reload")[0], 0)
        host.json("wait")
        found = samples(host)
        tally.check("a success, and when", found["exit_code"] == 3 and
                    found["last_success_timestamp_seconds"] >= began, found)
        daemon.looks(2)
        host.remove(MODPROBE)
        tally.check("what is healed is counted", until(lambda: samples(host)["heals_total"] == 1), samples(host))
        tally.equal("everybody may read it", os.stat(host.full(METRICS)).st_mode & 0o777, 0o644)


@case
def half_written(host, start, tally):
    """a file that is still being written is not read"""
    with start(host) as daemon:
        host.json("wait")
        daemon.looks(1)
        with open(host.full("/etc/passthroughd/slow.yaml"), "w", encoding="utf-8") as file:
            file.write("blacklist: [pcspkr]\nblack")
            file.flush()
            told = []
            end = time.monotonic() + 3
            while time.monotonic() < end:
                with daemon.news:
                    daemon.news.wait(0.2)
                    told += daemon.told
            tally.check("nothing happens while it is open", told == [] and "error" not in daemon.text(), told)
            file.write("list: [floppy]\n")
        tally.check("once it is closed it is read, and rejected as a whole", until(lambda: "duplicate-key" in daemon.text()),
                    daemon.text())
        with open(host.full("/etc/passthroughd/slow.yaml"), "w", encoding="utf-8") as file:
            file.write("blacklist: [pcspkr")
            file.flush()
            time.sleep(1)
            file.write(", floppy]\n")
        tally.check("a whole one is taken as a whole", until(lambda: host.exists(MODPROBE)))
        host.json("wait")
        tally.check("with both", "floppy" in host.read(MODPROBE) and "pcspkr" in host.read(MODPROBE))
        tally.check("half of it was never looked at", "syntax" not in daemon.text(), daemon.text())


@case
def crowd(host, start, tally):
    """a thousand files in quick succession are one or two changes"""
    with start(host) as daemon:
        host.json("wait")
        daemon.looks(1)
        for i in range(1000):
            host.write("/etc/passthroughd/.new", "blacklist: [module_%d]\n" % (i % 7))
            os.rename(host.full("/etc/passthroughd/.new"), host.full("/etc/passthroughd/%03d.yaml" % i))
        tally.check("they are taken", until(lambda: host.exists(MODPROBE)))
        host.json("wait")
        looks = daemon.looks(2)
        tally.check("by one or two looks", 1 <= looks <= 2, looks)
        tally.equal("all of them", len(states(host.json("status")[1])), 7)


@case
def keeps_failing(host, start, tally):
    """a builder that fails: putting the files back is no news either"""
    host.write("/fail-initramfs", "")
    host.spec("blacklist: [pcspkr]\n")
    with start(host) as daemon:
        tally.equal("it failed", host.json("wait")[0], 1)
        daemon.looks(1)
        tally.equal("and is not tried again and again", daemon.looks(3), 0)


@case
def lies_on(host, start, tally):
    """a builder that reports success and leaves our file out: not run again and again by its own news"""
    lying = host.read("/usr/sbin/update-initramfs") + "\n"
    host.write("/usr/sbin/update-initramfs", lying.replace("cp -r /etc/modprobe.d $w/etc/", "mkdir $w/etc/modprobe.d")
               .replace("mv /boot", "sleep 1\nmv /boot"), 0o755)
    host.link("/bin/sleep", "busybox")
    host.spec("blacklist: [pcspkr]\n")
    with start(host) as daemon:
        tally.equal("it failed", host.json("wait")[0], 1)
        daemon.looks(1)
        runs = len(host.log())
        tally.equal("and is not tried again and again", (daemon.looks(3), len(host.log())), (0, runs))
        host.remove(MODPROBE)
        tally.check("drift: it is tried once more", until(lambda: len(host.log()) > runs))
        daemon.looks(3)
        tally.equal("and not again and again", len(host.log()), runs + 1)


@case
def contested(host, start, tally):
    """a tool that keeps changing a file of ours back: after a few rounds it is named and left alone"""
    host.spec("blacklist: [pcspkr]\nkernel-flags: [pcie_aspm=off]\n")
    with start(host) as daemon:
        host.json("wait")
        for i in range(3):
            host.remove(MODPROBE)
            tally.check("round %d: it comes back" % (i + 1), until(lambda: host.exists(MODPROBE)))
            host.json("wait")
            daemon.looks(1)
        host.remove(MODPROBE)
        daemon.until("STATUS=looking at the host")
        code, answer = host.json("wait")
        tally.check("then it is left alone, and status says so", code == 4 and not host.exists(MODPROBE)
                    and states(answer)["blacklist:pcspkr"] == "blocked" and "foreign-conflict" in codes(answer),
                    (code, answer))
        tally.check("what is not contested is as it was", states(answer)["kernel-flag:pcie_aspm=off"] == "armed", answer)
        tally.check("the journal names it", MODPROBE + " was changed by something else" in daemon.text(), daemon.text())
        tally.equal("a reload tries again", host.json("reload")[0], 0)
        code, answer = host.json("wait")
        tally.check("and all is well", host.exists(MODPROBE) and states(answer)["blacklist:pcspkr"] == "active", answer)


class Packets:
    """with Packets(path) as heard: what is sent to a socket at the path, the lines of each packet."""

    def __init__(self, path):
        self.path, self.packets = path, []

    def __enter__(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()
        return self

    def listen(self):
        while True:
            packet = self.socket.recv(65536)
            if not packet:
                return
            self.packets.append(packet.decode().splitlines())

    def __exit__(self, *_):
        self.socket.sendto(b"", self.path)
        self.thread.join(LIMIT)
        os.unlink(self.path)


class Journal(Packets):
    """with Journal(folder) as journal: what is sent to the journal of a mount namespace whose /run/systemd/journal
    leads to the folder, a dict a message."""

    def __init__(self, folder):
        os.makedirs(folder, exist_ok=True)
        super().__init__(folder + "/socket")

    @property
    def messages(self):
        return [dict(line.split("=", 1) for line in packet) for packet in self.packets]

    def of(self, **fields):
        return [one for one in self.messages if all(one.get(name) == value for name, value in fields.items())]


class Confined(Daemon):
    """As below systemd, with the journal in a folder: its standard error is said to be the journal's."""

    def __init__(self, program, host, folder):
        script = ("mount -t tmpfs tmpfs /run && mkdir -p /run/systemd && ln -s %s /run/systemd/journal && exec \"$0\" \"$@\""
                  % folder)
        super().__init__("unshare", host)
        self.words = ["--mount", "--propagation", "private", "sh", "-c", script, program, "--root", host.path]

    def command(self):
        return [self.program, *self.words]


SPEC_ACCEPTED = "e8b8ec0915184b9c852b30ade856dbb0"
SPEC_REJECTED = "249a9a43ca0547bc9825d7bce29dbcea"
RECONCILED = "f1e6045c0cbb497d957295eb51d2269b"
ITEM = "7d8a56cf4f744e0b8f4950a2ec40d4d1"
DEVICE = "5ea59c857e8b47d5895421ddde010d50"
REBOOT = "64652ae5eb3a4392b2b45e02da7cb7f0"


@case
def journal(host, start, tally):
    """what operators wait for is in the journal with its identity and its fields; without one nothing is lost"""
    folder = host.path + ".journal"
    os.environ["JOURNAL_STREAM"] = "1:1"
    host.spec(GUIDE)
    try:
        with Journal(folder) as heard, Confined(start.program, host, folder) as daemon:
            code, answer = host.json("wait")
            tally.check("wait: all is done that can be below a root", set(states(answer).values()) == {"armed", "active"},
                        (code, answer))
            until(lambda: heard.of(MESSAGE_ID=REBOOT))  # the last of them: who listens may be slower than who answers
            tally.check("a spec was taken over", heard.of(MESSAGE_ID=SPEC_ACCEPTED, PTHRU_STATE="accepted", PRIORITY="6"),
                        heard.messages)
            tally.check("how it ended", heard.of(MESSAGE_ID=RECONCILED, PTHRU_STATE="reboot"), heard.messages)
            tally.equal("each item, once, with what it has become",
                        {one["PTHRU_ITEM"]: one["PTHRU_STATE"] for one in heard.of(MESSAGE_ID=ITEM) + heard.of(MESSAGE_ID=DEVICE)},
                        states(answer))
            tally.check("the device by its name", heard.of(MESSAGE_ID=DEVICE, PTHRU_DEVICE="gpu", PTHRU_STATE="armed"),
                        heard.messages)
            tally.equal("a reboot is outstanding, said once", len(heard.of(MESSAGE_ID=REBOOT, PTHRU_STATE="outstanding")), 1)
            count = len(heard.of(MESSAGE_ID=ITEM))
            host.spec("nonsense: 1\n")
            tally.equal("a bad file: exit 5", host.json("reload")[0], 5)
            tally.check("it was rejected", until(lambda: heard.of(MESSAGE_ID=SPEC_REJECTED, PRIORITY="3")), heard.messages)
            host.spec(GUIDE.replace("10de:1b81", "10de:ffff"))
            host.json("reload")
            host.json("wait")
            tally.check("what blocks a device has its code", until(lambda: heard.of(
                MESSAGE_ID=DEVICE, PTHRU_DEVICE="gpu", PTHRU_STATE="blocked", PTHRU_CODE="no-such-device", PRIORITY="4")),
                heard.messages[-5:])
            tally.check("nothing is said twice of an item that stays", len([one for one in heard.of(
                MESSAGE_ID=ITEM, PTHRU_ITEM="blacklist:radeon")]) == 1 and count > 0, heard.messages)
            tally.equal("it stops", daemon.stop(), 0)
        host.spec(GUIDE)
        with Confined(start.program, host, folder) as daemon:
            code, answer = host.json("wait")
            tally.check("with the journal down it works on", set(states(answer).values()) == {"armed", "active"},
                        (code, answer))
            tally.check("and says it on its standard error", "<6>spec accepted" in daemon.text(), daemon.text())
            tally.equal("it stops", daemon.stop(), 0)
    finally:
        del os.environ["JOURNAL_STREAM"]


@case
def units(host, start, tally):
    """workers that systemd starts: the same answers, the journal in one place, a build outlives the daemon"""
    slow = host.read("/usr/sbin/update-initramfs").replace("set -e\n", "set -e\nwhile [ -e /hold ]; do sleep 0.1; done\n")
    host.write("/usr/sbin/update-initramfs", slow, 0o755)
    host.link("/bin/sleep", "busybox")
    host.spec("blacklist: [pcspkr]\n")
    with Workers(start.program, host) as workers:
        with Daemon(start.program, host, "--workers", workers.path) as daemon:
            code, answer = host.json("wait")
            tally.check("wait: done, exit 0", code == 0 and states(answer) == {"blacklist:pcspkr": "active"}, (code, answer))
            tally.check("what workers say is in its journal", "spec accepted: 1 file" in daemon.text()
                        and "build-initramfs" in daemon.text(), daemon.text())
            host.spec("nonsense: 1\n")
            tally.equal("a bad file: exit 5", host.json("reload")[0], 5)
            host.write("/hold", "")
            host.spec("blacklist: [pcspkr, floppy]\n")
            tally.equal("a good one: exit 0", host.json("reload")[0], 0)
            daemon.until("STATUS=applying")
            tally.check("a stop does not wait for the builder", daemon.stop() == 0, daemon.text())
        tally.check("which goes on", until(lambda: any(one.poll() is None for one in workers.started)))
        with Daemon(start.program, host, "--workers", workers.path) as daemon:
            daemon.until("STATUS=waiting for process")
            tally.equal("status answers meanwhile", host.json("status")[0], 2)
            os.unlink(host.full("/hold"))
            code, answer = host.json("wait")
            tally.check("and the next one finds it done", code == 0 and len(states(answer)) == 2, (code, answer))
            daemon.process.kill()
            daemon.process.wait(LIMIT)
    tally.check("the worker that was left said what it did itself", any("converged" in text for text in workers.said),
                workers.said)
    done = subprocess.run([start.program, "--root", host.path, "--workers", "/nowhere"], check=False, timeout=LIMIT,
                          stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    tally.check("with nobody to start workers it ends with 1 and says why", done.returncode == 1
                and b"No such file" in done.stderr, done)


@case
def words(host, start, tally):
    """help, version, wrong words"""
    for args, code in ((["--help"], 0), (["-h"], 0), (["--version"], 0), (["more"], 5), (["--nonsense"], 5),
                       (["--root"], 5), (["--root", "/nowhere/at/all"], 1)):
        done = subprocess.run([start.program, *args], check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=LIMIT)
        tally.equal("passthroughd %s" % " ".join(args), (done.returncode, bool(done.stdout), bool(done.stderr)),
                    (code, code == 0, code != 0))


def main(name, cases):
    """NAME.py CTL DAEMON [CASE...]"""
    ctl, program = [os.path.abspath(path) for path in sys.argv[1:3]]
    tally = Tally()
    os.umask(0o022)
    os.environ.pop("DBUS_SYSTEM_BUS_ADDRESS", None)  # no bus of this machine

    def start(host):
        return Daemon(program, host)
    start.program = program
    for function in cases:
        if sys.argv[3:] and function.__name__ not in sys.argv[3:]:
            continue
        tally.heading("%s: %s" % (name, function.__doc__))
        with tempfile.TemporaryDirectory(prefix="pthru-%s-" % name) as folder:
            os.chmod(folder, 0o755)
            try:
                function(Host(ctl, os.path.join(folder, "root"), iommu=False), start, tally)
            except (OSError, KeyError, IndexError, ValueError, subprocess.SubprocessError) as error:
                tally.check("the case came to its end", False, repr(error))
    tally.close()


if __name__ == "__main__":
    main("daemon", CASES)
