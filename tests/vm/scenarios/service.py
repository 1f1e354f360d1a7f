# SPDX-License-Identifier: GPL-2.0-or-later
"""The package's units under systemd: reload, drift, kills, restarts, and what they do without their neighbours

Wishes are kernel flags: what they cost is a run of update-grub.
"""

import random

PACKAGE = ("package.sh",)
LONG = True  # it takes more than ten minutes without KVM
MACHINE = {"iommu": "intel", "devices": ()}

SPEC = "/etc/passthroughd/host.yaml"
DROPIN = "/etc/default/grub.d/90-passthroughd.cfg"
BUS = "org.passthroughd.Passthrough1 /org/passthroughd/Passthrough1 org.passthroughd.Passthrough1.Manager"
KILLS = 50

INSTALL = """mkdir -p /var/tmp/debs && cd /var/tmp/debs && tar -xf /dev/disk/by-id/virtio-disk2 &&
DEBIAN_FRONTEND=noninteractive dpkg -i $(ls *.deb | grep -v ^passthroughd) >/run/dpkg.log 2>&1 &&
DEBIAN_FRONTEND=noninteractive dpkg -i passthroughd_*.deb >>/run/dpkg.log 2>&1 || { tail -n 30 /run/dpkg.log; exit 1; }"""

# Where the half that listens could write, below any folder that it sees.
WRITABLE = r"""nsenter -t $(systemctl show -P MainPID passthroughd) -m sh -c '
for d in $(find / -xdev -type d; cut -d " " -f 5 /proc/self/mountinfo); do
[ -d $d ] && { true >$d/.try; } && rm $d/.try && echo $d; done' 2>/dev/null | sort -u"""

# Since the mark, how often a spec was taken over.
MARK = "journalctl --sync; date +%s.%N >/run/mark"
SINCE = "journalctl --sync; journalctl -u 'passthroughd*' --since @$(cat /run/mark) -o cat | grep -c "
ACCEPTED, KILLED = SINCE + "'spec accepted'", SINCE + "SIGKILL"

FULL = """cp /run/passthroughd/status.json /var/tmp/before
cat /dev/zero >/run/fill 2>/dev/null
echo 'kernel-flags: [test.full=1]' >%s
passthroughctl reload >/dev/null 2>&1
echo $? >/var/tmp/lives
passthroughctl wait --timeout 300 >/dev/null 2>&1
systemctl is-active passthroughd >>/var/tmp/lives
cmp /var/tmp/before /run/passthroughd/status.json && echo same >>/var/tmp/lives
rm /run/fill
cat /var/tmp/lives""" % SPEC

DROPS = """for i in $(seq 1000); do echo "kernel-flags: [pcie_aspm=off]" >/etc/passthroughd/$i.yaml; done"""


def wish(machine, *flags):
    machine.put(SPEC, "kernel-flags: [%s]\n" % ", ".join(flags))


def flags(machine):
    """Those of ours that the drop-in has, of the one wish that matters here."""
    text = machine.run("cat " + DROPIN)[1]
    return sorted(word for word in text.replace('"', " ").split() if word.startswith("test."))


def installed(machine, product, tally):
    machine.must(INSTALL, 600)
    tally.equal("it is enabled and runs", machine.must("systemctl is-enabled passthroughd; systemctl is-active passthroughd"),
                "enabled\nactive\n")
    tally.equal("no unit has failed", machine.must("systemctl --failed --no-legend --plain"), "")
    score = machine.must("systemd-analyze security passthroughd.service | tail -n 1", 120)
    tally.check("exposure under 2.0: " + score.strip(), float(score.split(":")[1].split()[0]) < 2.0)
    places = set(machine.run(WRITABLE, 600)[1].split())
    tally.check("the half that listens can write nowhere but in its own folders",
                places == {"/run/passthroughd", "/tmp", "/var/tmp"}, places)


def reloads(machine, product, tally):
    wish(machine, "test.one=1")
    code, output = machine.run("systemctl reload passthroughd", 120)
    tally.check("a good spec: reload succeeds", code == 0, output)
    product.settle()
    tally.equal("and it is applied", flags(machine), ["test.one=1"])
    machine.put(SPEC, "kernel-flags: 3\n")
    code, output = machine.run("systemctl reload passthroughd", 120)
    said = machine.must("journalctl -u passthroughd -n 20 -o cat")
    tally.check("a bad one: reload fails, and the journal has file, line and code", code != 0 and
                SPEC + ":1:15" in said and "type-mismatch" in said, (output, said))
    tally.equal("what was accepted stays", flags(machine), ["test.one=1"])
    wish(machine, "test.one=1")
    machine.must("systemctl reload passthroughd", 120)
    product.settle()


def drift(machine, product, tally):
    took = machine.must("rm %s; s=$(date +%%s%%N); while [ ! -e %s ]; do sleep 0.05; done; "
                        "echo $((($(date +%%s%%N) - s) / 1000000))" % (DROPIN, DROPIN), 120)
    tally.check("drift is healed without anyone asking, here after %s ms" % took.strip(), flags(machine) == ["test.one=1"])
    product.settle()
    machine.must(MARK)
    machine.must(DROPS, 300)
    machine.must("sleep 5")
    product.settle()
    count = int(machine.run(ACCEPTED)[1])
    tally.check("a thousand files in quick succession are one or two changes: %d" % count, 1 <= count <= 2)
    machine.must("rm /etc/passthroughd/[0-9]*.yaml")
    product.settle()


def killed(machine, product, tally):
    """The daemon or a worker, at any moment, while the spec changes."""
    dice = random.Random(1)
    for i in range(KILLS):
        wish(machine, "test.run=%d" % i)
        machine.run("sleep %.2f; systemctl kill -s KILL %s" % (dice.uniform(0, 4), dice.choice(
            ("passthroughd.service", "'passthroughd-worker@*.service'"))), 60)
        machine.must("systemctl reset-failed 'passthroughd*'; systemctl start passthroughd", 120)
    wish(machine, "test.last=1")
    machine.must("systemctl reload passthroughd", 300)
    code, _ = product.settle()
    tally.equal("after %d kills the last wish stands, and a reboot is outstanding" % KILLS,
                (flags(machine), code), (["test.last=1"], 3))
    entries = machine.must("grep -c 'test.last=1' /boot/grub/grub.cfg; grep -c 'test.run' /boot/grub/grub.cfg || true")
    tally.check("in grub.cfg too, and nothing of the others", entries.split()[1] == "0" and entries.split()[0] != "0", entries)
    tally.equal("nothing half is left", machine.run("find /etc /boot -name '*.new' -o -name '.*.tmp*' -o -name "
                                                    "'*.passthroughd'")[1], "")


def restarted(machine, product, tally):
    wish(machine, "test.restart=1")
    machine.must("systemctl reload passthroughd", 120)
    machine.must("for i in $(seq 200); do pgrep grub-mkconfig >/dev/null && break; sleep 0.1; done; "
                 "pgrep grub-mkconfig >/run/builder; systemctl restart passthroughd", 120)
    tally.check("a build outlives a restart of the daemon", machine.run("kill -0 $(head -n 1 /run/builder)")[0] == 0)
    tally.equal("and comes to its end", (product.settle()[0], flags(machine)), (3, ["test.restart=1"]))
    machine.must("mkdir -p /run/systemd/system/passthroughd-worker@.service.d && printf '[Service]\\nTimeoutStopSec=3\\n' "
                 ">/run/systemd/system/passthroughd-worker@.service.d/hurry.conf && systemctl daemon-reload")
    wish(machine, "test.patient=1")
    machine.must("systemctl reload passthroughd", 120)
    machine.must("for i in $(seq 200); do pgrep grub-mkconfig >/dev/null && break; sleep 0.1; done; sleep 2; " + MARK)
    took = machine.must("s=$(date +%s); systemctl stop 'passthroughd-worker@*'; echo $(($(date +%s) - s))", 600)
    tally.check("a worker that is told to stop is given the time that its builder takes, here %s s for 3" % took.strip(),
                machine.run(KILLED)[1].strip() == "0" and
                machine.run("grep -c test.patient=1 /boot/grub/grub.cfg")[1].strip() != "0", took)
    machine.must("rm -r /run/systemd/system/passthroughd-worker@.service.d; systemctl daemon-reload; "
                 "systemctl reload passthroughd", 120)
    tally.equal("and the next one finds it done", (product.settle()[0], flags(machine)), (3, ["test.patient=1"]))


def alone(machine, product, tally):
    """Without D-Bus, without journald, without room for the status."""
    machine.must("systemctl stop dbus.socket dbus.service; systemctl restart passthroughd", 120)
    tally.equal("D-Bus down: it starts", machine.must("systemctl is-active passthroughd"), "active\n")
    machine.must("systemctl start dbus.socket dbus.service polkit.service", 120)
    code, output = machine.run("for i in $(seq 100); do busctl call %s Status >/run/answer 2>&1 && break; sleep 0.3; done; "
                               "head -c 60 /run/answer" % BUS, 120)
    tally.check("once it is there, the interface is", output.startswith('si "{'), output)
    machine.must("systemctl stop systemd-journald.socket systemd-journald-dev-log.socket systemd-journald-audit.socket "
                 "systemd-journald.service", 120)
    wish(machine, "test.mute=1")
    code, output = machine.run("systemctl reload passthroughd", 120)
    tally.check("journald down: a reload works", code == 0, output)
    tally.equal("and is applied", (product.settle()[0], flags(machine)), (3, ["test.mute=1"]))
    machine.must("systemctl start systemd-journald.socket systemd-journald-dev-log.socket systemd-journald.service", 120)
    # The shell of the test has its own files there: one command for all of it.
    output = machine.must(FULL, 600)
    tally.equal("/run full: a reload works, it lives, and the last status is whole", output, "0\nactive\nsame\n")
    machine.must("systemctl reload passthroughd", 300)
    tally.equal("and goes on once there is room", (product.settle()[0], flags(machine)), (3, ["test.full=1"]))
    tally.check("the status file is whole", machine.run("python3 --version >/dev/null 2>&1; tail -c 2 "
                                                        "/run/passthroughd/status.json")[1].strip() == "}")


def others(machine, product, tally):
    """Who is not root reads, and changes nothing."""
    before = machine.must("cat %s /etc/passthroughd/*.yaml | sha256sum" % DROPIN)
    code, output = machine.run("setpriv --reuid 65534 --clear-groups busctl call %s Status | head -c 60" % BUS, 120)
    tally.check("Status on the bus is answered", output.startswith('si "{'), output)
    for method in ("Apply", "Reload"):
        code, output = machine.run("setpriv --reuid 65534 --clear-groups busctl call %s %s" % (BUS, method), 120)
        tally.check("%s is refused" % method, code != 0 and "denied" in output.lower(), output)
    for what, words in (("a malformed call", "Reload s x"), ("one of no method", "Explode"),
                        ("an oversized one", "Reload s $(head -c 100000 /dev/zero | tr '\\0' x)")):
        code, output = machine.run("setpriv --reuid 65534 --clear-groups busctl call %s %s 2>&1 | tail -c 300; "
                                   "systemctl is-active passthroughd" % (BUS, words), 120)
        tally.check("%s is refused, and it lives" % what, output.endswith("\nactive\n") and
                    not output.startswith("si "), output)
    code, output = machine.run("setpriv --reuid 65534 --clear-groups passthroughctl reload", 120)
    tally.check("the control socket is closed to them", code != 0, output)
    tally.equal("nothing has changed", machine.must("cat %s /etc/passthroughd/*.yaml | sha256sum" % DROPIN), before)


def taken_back(machine, product, tally):
    machine.must("touch /etc/passthroughd/revert-on-remove")
    code, output = machine.run("DEBIAN_FRONTEND=noninteractive dpkg --purge passthroughd", 900)
    tally.check("purged on request: all is taken back", code == 0 and not product.exists(DROPIN), output)
    tally.equal("no unit is left", machine.run("systemctl list-units --all --no-legend 'passthroughd*'")[1].strip(), "")


def run(machine, product, tally):
    for step in (installed, reloads, drift, killed, restarted, alone, others, taken_back):
        step(machine, product, tally)
