# SPDX-License-Identifier: GPL-2.0-or-later
"""The metrics, as the released daemon writes them, read by Prometheus' own promtool."""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../cases")]

from daemon import METRICS, Daemon, until  # noqa: E402
from roots import GUIDE, MODPROBE, Host  # noqa: E402

BLOCKED = "kernel-flags: [pcie_aspm=off]\nblacklist: [pcspkr]\ndevices: {gpu: {id: '1234:5678'}}\n"


def judged(promtool, host):
    """What promtool says of the file: it is silent when all is well."""
    with open(host.full(METRICS), "rb") as file:
        done = subprocess.run([promtool, "check", "metrics"], check=False, stdin=file, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode()


def check(build, work, tally):
    promtool = subprocess.run(["sh", os.path.join(HERE, "promtool.sh")], check=True,
                              stdout=subprocess.PIPE).stdout.decode().strip()
    host = Host(os.path.join(build, "daemon/passthroughctl"), os.path.join(work, "metrics"))
    host.mkdir(os.path.dirname(METRICS))
    host.spec(GUIDE)
    with Daemon(os.path.join(build, "daemon/passthroughd"), host) as daemon:
        host.json("wait")
        tally.equal("of a host that waits for its reboot", judged(promtool, host), (0, ""))
        host.spec(BLOCKED)
        host.json("reload")
        host.json("wait")
        text = host.read(METRICS)
        tally.check("of one with a device that is refused", 'devices_refused{code="no-such-device"} 1' in text and
                    judged(promtool, host) == (0, ""), (text, judged(promtool, host)))
        daemon.looks(2)
        host.remove(MODPROBE)
        tally.check("of one that was healed", until(lambda: "passthroughd_heals_total 1" in host.read(METRICS)) and
                    judged(promtool, host) == (0, ""), judged(promtool, host))
        host.write(METRICS, text + "Not a line\n")
        tally.check("it does read it: a line that is none is found", judged(promtool, host)[0] != 0)
        daemon.stop()
