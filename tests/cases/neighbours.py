# SPDX-License-Identifier: GPL-2.0-or-later
"""neighbours.py CTL DAEMON [CASE...]: passthroughd beside a systemd, a journal and a file system that are not at
their best."""

import os
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE]
sys.dont_write_bytecode = True

from daemon import LIMIT, Confined, Daemon, Journal, Packets, Workers, main, until  # noqa: E402
from roots import GUIDE, MODPROBE, codes, states  # noqa: E402

HEALED = "0128d5ee506d469eac98e390e574d833"
CUT = "4ad893e114e4428493202f46d26ddf47"
CASES = []


def case(function):
    CASES.append(function)
    return function


def slow(host):
    """A builder that waits while /hold is there."""
    text = host.read("/usr/sbin/update-initramfs").replace("set -e\n", "set -e\nwhile [ -e /hold ]; do sleep 0.1; done\n")
    host.write("/usr/sbin/update-initramfs", text, 0o755)
    host.link("/bin/sleep", "busybox")


@case
def patience(host, start, tally):
    """a worker that is told to stop lets its builder finish, and asks systemd for the time (10.3)"""
    slow(host)
    host.spec("blacklist: [pcspkr]\n")
    host.write("/hold", "")
    with Packets(host.path + ".patience") as told:
        os.environ["NOTIFY_SOCKET"] = told.path
        try:
            with Workers(start.program, host) as workers:
                with Daemon(start.program, host, "--workers", workers.path) as daemon:
                    daemon.until("STATUS=applying: build-initramfs")
                    tally.check("it asks while a builder runs, and says how long", until(lambda: any(
                        packet[0].startswith("EXTEND_TIMEOUT_USEC=") and packet[1].startswith("STATUS=applying: build-initramfs")
                        and packet[1].endswith(" s") for packet in told.packets)), told.packets)
                    for worker in workers.started:
                        if worker.poll() is None:
                            worker.send_signal(signal.SIGTERM)
                    count = len(told.packets)
                    tally.check("and goes on asking when it was told to stop",
                                until(lambda: len(told.packets) > count + 1), told.packets)
                    os.unlink(host.full("/hold"))
                    code, answer = host.json("wait")
                    tally.check("what it was at is done", code == 0 and states(answer) == {"blacklist:pcspkr": "active"},
                                (code, answer))
                    tally.equal("it stops", daemon.stop(), 0)
            tally.check("of no longer than half a minute at a time", all(
                int(packet[0].split("=")[1]) <= 30000000 for packet in told.packets), told.packets)
        finally:
            del os.environ["NOTIFY_SOCKET"]


@case
def notify_reload(host, start, tally):
    """SIGHUP, as Type=notify-reload sends it: the answer is the protocol's (10.2), for a bad spec too"""
    host.spec("blacklist: [pcspkr]\n")
    with start(host) as daemon:
        host.json("wait")
        for what, text in (("a good spec", "blacklist: [pcspkr, floppy]\n"), ("a bad one", "nonsense: 1\n")):
            host.spec(text)
            with daemon.news:
                daemon.told.clear()
            before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            daemon.process.send_signal(signal.SIGHUP)
            told = daemon.until("READY=1")
            at = told.index("RELOADING=1") if "RELOADING=1" in told else -1
            tally.check("%s: RELOADING=1 with a time after the signal's, then READY=1" % what, at >= 0 and
                        int(told[at + 1].split("MONOTONIC_USEC=")[1]) >= before and at < told.index("READY=1"), told)
        tally.equal("it stops", daemon.stop(), 0)


@case
def journal_hangs(host, start, tally):
    """a journal that takes nothing any more: nothing waits for it, and what is said goes to standard error"""
    folder = host.path + ".journal"
    os.makedirs(folder)
    hung = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    hung.bind(folder + "/socket")
    filler = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    filler.setblocking(False)
    count = 0
    try:
        while True:
            filler.sendto(b"MESSAGE=x\n", folder + "/socket")
            count += 1
    except BlockingIOError:
        pass
    os.environ["JOURNAL_STREAM"] = "1:1"
    host.spec(GUIDE)
    try:
        with Confined(start.program, host, folder) as daemon:
            code, answer = host.json("wait")
            tally.check("all is done behind %d messages" % count, count > 1 and
                        set(states(answer).values()) == {"armed", "active"}, (code, answer))
            tally.check("and said", "<6>spec accepted" in daemon.text() and "device:gpu is armed" in daemon.text(),
                        daemon.text())
            tally.equal("it stops", daemon.stop(), 0)
    finally:
        del os.environ["JOURNAL_STREAM"]
        hung.close()
        filler.close()


@case
def told_of_others(host, start, tally):
    """what others changed and is right again, and work that was cut, have identities of their own"""
    folder = host.path + ".journal"
    os.environ["JOURNAL_STREAM"] = "1:1"
    slow(host)
    host.spec("blacklist: [pcspkr]\n")
    try:
        with Journal(folder) as heard, Confined(start.program, host, folder) as daemon:
            host.json("wait")
            daemon.looks(2)
            tally.equal("what was asked for is not healed", heard.of(MESSAGE_ID=HEALED), [])
            host.remove(MODPROBE)
            tally.check("what others removed is", until(lambda: heard.of(MESSAGE_ID=HEALED, PTHRU_ITEM=MODPROBE,
                                                                         PRIORITY="5")), heard.messages)
            host.json("wait")
            host.write("/hold", "")
            host.spec("blacklist: [pcspkr, floppy]\n")
            host.json("reload")
            daemon.until("STATUS=applying: build-initramfs")
            with open("/proc/%d/task/%d/children" % (daemon.process.pid, daemon.process.pid), encoding="ascii") as file:
                for pid in file.read().split():
                    os.kill(int(pid), signal.SIGKILL)
            tally.check("work that was cut is told of", until(lambda: heard.of(MESSAGE_ID=CUT, PTHRU_STATE="cut",
                                                                              PRIORITY="3")), heard.messages)
            os.unlink(host.full("/hold"))
            until(lambda: host.json("reload")[0] == 0)
            code, answer = host.json("wait")
            tally.check("and made good", code == 0 and set(states(answer).values()) == {"active"}, (code, answer))
            tally.equal("it stops", daemon.stop(), 0)
    finally:
        del os.environ["JOURNAL_STREAM"]


class Cramped(Daemon):
    """With a /run below its root that holds next to nothing, in a mount namespace that the command is run in too."""

    def __init__(self, program, host):
        script = "mount -t tmpfs -o size=64k,mode=755 tmpfs \"$1/run\" && exec \"$0\" --root \"$1\""
        super().__init__("unshare", host)
        self.words = ["--mount", "--propagation", "private", "sh", "-c", script, program, host.path]

    def command(self):
        return [self.program, *self.words]

    def shell(self, script):
        return subprocess.run(["nsenter", "-t", str(self.process.pid), "-m", "-r", "sh", "-c", script], check=True,
                              stdout=subprocess.PIPE, timeout=LIMIT).stdout.decode()


@case
def no_room(host, start, tally):
    """no room for the status: the last one stays whole, the work is done, and it goes on once there is room"""
    host.spec("blacklist: [pcspkr]\n")
    host.mkdir("/run")
    with Cramped(start.program, host) as daemon:
        run = host.full("/run")
        wrapper = host.path + ".ctl"
        with open(wrapper, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\nexec nsenter -t %d -m -r -- %s \"$@\"\n" % (daemon.process.pid, host.command))
        os.chmod(wrapper, 0o755)
        host.command = wrapper
        tally.equal("it converges", host.json("wait")[0], 0)
        daemon.shell("cat %s/passthroughd/status.json >%s.before; cat /dev/zero >%s/fill 2>/dev/null || true"
                     % (run, host.path, run))
        host.spec("blacklist: [pcspkr, floppy]\n")
        code, answer = host.json("reload")
        tally.equal("a reload is taken", (code, answer.get("diagnostics")), (0, []))
        code, answer = host.json("wait")
        tally.check("and done", code == 0 and len(states(answer)) == 2 and "floppy" in host.read(MODPROBE), (code, answer))
        tally.check("the journal says what could not be written", "status file could not be written: No space left"
                    in daemon.text(), daemon.text())
        tally.equal("the last one is whole", daemon.shell("cmp %s.before %s/passthroughd/status.json && echo same"
                                                          % (host.path, run)), "same\n")
        daemon.shell("rm %s/fill" % run)
        host.spec("blacklist: [floppy]\n")
        tally.equal("with room", (host.json("reload")[0], host.json("wait")[0]), (0, 0))
        text = daemon.shell("cat %s/passthroughd/status.json" % run)
        tally.check("it is the present one", '"blacklist:floppy"' in text and "pcspkr" not in text and
                    not codes(answer), text)
        tally.equal("it stops", daemon.stop(), 0)


if __name__ == "__main__":
    main("neighbours", CASES)
