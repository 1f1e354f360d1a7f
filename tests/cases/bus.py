# SPDX-License-Identifier: GPL-2.0-or-later
"""bus.py CTL DAEMON SOURCE [CASE...]: passthroughd below a small root, on a bus of its own with the policy that is
installed, asked with busctl and by clients that do not keep to the rules."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE]
sys.dont_write_bytecode = True

from daemon import LIMIT, Daemon, Workers, until  # noqa: E402
from dbus_wire import CALL, DESTINATION, INTERACTIVE, INTERFACE, MEMBER, NO_REPLY, PATH, SIGNAL, Client, Polkit  # noqa: E402
from roots import GUIDE, MODPROBE, Host, codes, states  # noqa: E402
from tally import Tally  # noqa: E402

NAME = "org.passthroughd.Passthrough1"
TOP = "/org/passthroughd/Passthrough1"
MANAGER, DEVICE = NAME + ".Manager", NAME + ".Device"
PROPERTIES, OBJECTS = "org.freedesktop.DBus.Properties", "org.freedesktop.DBus.ObjectManager"
NOBODY = 65534
FUZZ = 400  # messages

# What Debian's system bus allows, and the policy that we install.
CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
<type>system</type>
<listen>unix:path=%s</listen>
<auth>EXTERNAL</auth>
<policy context="default">
<allow user="*"/><deny own="*"/><deny send_type="method_call"/><allow send_type="signal"/>
<allow send_requested_reply="true" send_type="method_return"/><allow send_requested_reply="true" send_type="error"/>
<allow receive_type="method_call"/><allow receive_type="method_return"/><allow receive_type="error"/>
<allow receive_type="signal"/><allow send_destination="org.freedesktop.DBus"/>
</policy>
<policy user="root"><allow own="org.freedesktop.PolicyKit1"/><allow send_destination="org.freedesktop.PolicyKit1"/></policy>
<include>%s</include>
</busconfig>
"""

CASES = []


def case(function):
    CASES.append(function)
    return function


class Bus:
    """with Bus(host, policy) as bus: a bus at bus.path."""

    def __init__(self, host, policy):
        self.path = host.path + ".bus"
        self.config = host.path + ".conf"
        self.process = None
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(CONFIG % (self.path, policy))
        os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=" + self.path

    def start(self):
        self.process = subprocess.Popen(["dbus-daemon", "--nofork", "--nopidfile", "--config-file=" + self.config,
                                         "--print-address"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)
        if not self.process.stdout.readline():
            raise ValueError("no bus")
        return self

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait(LIMIT)
            self.process.stdout.close()
        self.process = None

    __enter__ = start

    def __exit__(self, *_):
        self.stop()
        del os.environ["DBUS_SYSTEM_BUS_ADDRESS"]

    def named(self):
        """Wait until somebody has the name; whether anybody has."""
        def owned():
            try:
                client = Client(self.path)
                found = client.bus("NameHasOwner", "s", NAME).body[0]
                client.close()
                return found
            except (OSError, EOFError):
                return False
        return until(owned)

    def ctl(self, *words, uid=0):
        """busctl: exit code, standard output, standard error."""
        user = ["setpriv", "--reuid=%d" % uid, "--regid=%d" % uid, "--clear-groups"] if uid else []
        done = subprocess.run([*user, "busctl", "--address=unix:path=" + self.path, *words], check=False, timeout=LIMIT,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=dict(os.environ, SYSTEMD_COLORS="0", SYSTEMD_PAGER="", LC_ALL="C"))
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def ask(self, member, *words, uid=0):
        """The exit code and the document that a method answers with, by busctl; None and what it said of an error."""
        code, out, err = self.ctl("--json=short", *words, "call", NAME, TOP, MANAGER, member, uid=uid)
        if code:
            return None, err
        document, answer = json.loads(out)["data"]
        return answer, json.loads(document)


def begin(client, member, **options):
    return client.begin(NAME, TOP, MANAGER, member, **options)


def ask(client, member, **options):
    """The error's name, or None and the answer."""
    reply = client.answer(begin(client, member, **options))
    return (reply.error.rsplit(".")[-1], None) if reply.error else (None, reply.body)


def properties(client, path=TOP, interface=MANAGER):
    return client.call(NAME, path, PROPERTIES, "GetAll", "s", [interface]).body[0]


def objects(client):
    return client.call(NAME, TOP, OBJECTS, "GetManagedObjects").body[0]


def held(host):
    """A builder that waits while /hold is there."""
    slow = host.read("/usr/sbin/update-initramfs").replace("set -e\n", "set -e\nwhile [ -e /hold ]; do sleep 0.1; done\n")
    host.write("/usr/sbin/update-initramfs", slow, 0o755)
    host.link("/bin/sleep", "busybox")
    host.write("/hold", "")


@case
def reading(host, bus, start, tally):
    """everybody may read: status, plan, properties, devices"""
    host.spec(GUIDE + "mode: observe\n")
    with bus, start(host):
        tally.check("the name is there", bus.named())
        host.json("wait")
        code, status = bus.ask("Status", uid=NOBODY)
        tally.check("Status by nobody: exit code 2 and the items", code == 2 and states(status)["device:gpu"] == "wanted",
                    (code, status))
        wanted = host.json("status")[1]
        wanted["diffs"] = []
        tally.equal("it is what passthroughctl status says, but for the diffs", status, wanted)
        code, plan = bus.ask("Plan", uid=NOBODY)
        tally.check("Plan by nobody: the steps, and no file is quoted", code == 2 and plan["steps"] and plan["diffs"] == [],
                    (code, plan))
        code, plan = bus.ask("Plan")
        tally.check("Plan by root: the diffs too", code == 2 and MODPROBE in [diff["path"] for diff in plan["diffs"]],
                    (code, plan))
        client = Client(bus.path, NOBODY)
        tally.equal("properties of the whole", {key: value for key, value in properties(client).items() if key != "Version"},
                    {"State": "pending", "ExitCode": 2, "RebootRequired": plan["reboot"]["required"], "Working": False,
                     "Summary": properties(client)["Summary"]})
        tally.check("the summary is that of systemd", "pending" in properties(client)["Summary"], properties(client))
        device = plan["devices"][0]
        tally.equal("and of the device", properties(client, TOP + "/device/gpu", DEVICE),
                    {"Name": "gpu", "State": device["state"], "Method": device["method"], "Addresses": device["addresses"]})
        tally.equal("the objects", sorted(objects(client)), [TOP + "/device/gpu"])
        code, out, _ = bus.ctl("tree", "--list", NAME, uid=NOBODY)
        tally.check("busctl tree shows it", code == 0 and TOP + "/device/gpu" in out, out)
        for path in (TOP + "/device/gp", TOP + "/device/gpu/x", TOP + "/device", "/"):
            reply = client.call(NAME, path, PROPERTIES, "Get", "ss", [DEVICE, "State"])
            tally.check("no such device: " + path, reply.error, reply.body)
        reply = client.call(NAME, TOP, PROPERTIES, "Set", "ssv", [MANAGER, "State", ("s", "fine")])
        tally.check("nothing can be set", reply.error, reply.body)
        reply = client.bus("RequestName", "su", NAME, 3)
        tally.check("nobody can be the service", reply.error.endswith("AccessDenied"), reply.error)
        client.close()


@case
def interface(host, bus, start, tally):
    """the interface is what is documented"""
    host.spec(GUIDE + "mode: observe\n")
    documented = ElementTree.parse(os.path.join(start.source, "conf/dbus", NAME + ".xml")).getroot()
    with open(os.path.join(start.source, "daemon/passthroughd.8"), encoding="utf-8") as file:
        page = file.read()
    with bus, start(host):
        bus.named()
        host.json("wait")
        client = Client(bus.path, NOBODY)
        for path, name in ((TOP, MANAGER), (TOP + "/device/gpu", DEVICE)):
            text = client.call(NAME, path, "org.freedesktop.DBus.Introspectable", "Introspect").body[0]
            shown, wanted = describe(ElementTree.fromstring(text), name), describe(documented, name)
            tally.equal(name, shown, wanted)
            words = [".It Fn " + word for word in re.findall(r"^method (\w+)", shown, re.MULTILINE)]
            words += [".It Va " + word for word in re.findall(r"^property (\w+)", shown, re.MULTILINE)]
            tally.equal("the manual has all of it", [word for word in [name, *words] if word not in page], [])
            code, out, err = bus.ctl("introspect", NAME, path, name, uid=NOBODY)
            tally.check("busctl introspects it", code == 0 and ".State" in out, out + err)
        client.close()


def describe(node, name):
    """One line a member: its kind, name and types."""
    out = ""
    for member in node.find("interface[@name='%s']" % name):
        arguments = " ".join("%s %s %s" % (arg.get("direction"), arg.get("type"), arg.get("name"))
                             for arg in member.findall("arg"))
        notes = ["%s=%s" % (note.get("name").rsplit(".")[-1], note.get("value")) for note in member.findall("annotation")]
        words = [member.tag, member.get("name"), member.get("type"), member.get("access"), arguments, *notes]
        out += " ".join(word for word in words if word) + "\n"
    return out


@case
def changing(host, bus, start, tally):
    """who may change: root, and whom polkit lets; and what polkit is asked"""
    host.spec("blacklist: [pcspkr]\nmode: observe\n")
    with bus, start(host) as daemon:
        bus.named()
        host.json("wait")
        host.spec("blacklist: [pcspkr]\n", "/elsewhere.yaml")
        client = Client(bus.path, NOBODY)
        logged = daemon.text()
        for member in ("Apply", "Reload"):
            tally.equal(member + " without polkit", ask(client, member)[0], "AccessDenied")
        with Polkit(bus.path) as polkit:
            for verdict, flags, error in (("no", 0, "AccessDenied"), ("no", INTERACTIVE, "AccessDenied"),
                                          ("challenge", 0, "InteractiveAuthorizationRequired"),
                                          ("challenge", INTERACTIVE, "AccessDenied")):
                polkit.verdict = verdict
                for member in ("Apply", "Reload"):
                    polkit.asked.clear()
                    tally.equal("%s, %s, flags %d" % (member, verdict, flags), ask(client, member, flags=flags)[0], error)
                    tally.equal("polkit was asked for the caller", polkit.asked,
                                [(client.name, "%s.%s" % (NAME, member.lower()), 1 if flags else 0)])
            tally.equal("busctl says so", bus.ask("Apply", uid=NOBODY), (None, "Call failed: Access denied\n"))
            tally.equal("nothing was looked at, and nothing done", (daemon.text(), host.exists(MODPROBE)), (logged, False))
            polkit.verdict = "yes"
            host.spec("blacklist: [pcspkr]\n")
            code, document = bus.ask("Reload", uid=NOBODY)
            tally.check("Reload, granted: the spec is taken", code == 0 and document["diagnostics"] == [], (code, document))
            code, document = bus.ask("Apply", uid=NOBODY)
            tally.check("Apply, granted: it answers when all is done", code == 0 and host.exists(MODPROBE)
                        and states(document) == {"blacklist:pcspkr": "active"} and document["diffs"] == [], (code, document))
            tally.check("the journal says who asked", "user %d asks for Apply" % NOBODY in daemon.text(), daemon.text())
            host.spec("blacklst: 3\n")
            code, document = bus.ask("Reload", uid=NOBODY)
            tally.check("a bad spec: exit code 5 and why", code == 5 and "unknown-key" in codes(document), (code, document))
            tally.check("the state says so", properties(client)["State"] == "invalid", properties(client))
            polkit.asked.clear()
            host.spec("blacklist: [pcspkr, floppy]\n")
            tally.equal("root may reload", bus.ask("Reload")[0], 0)
            tally.equal("and apply", bus.ask("Apply")[0], 0)
            tally.equal("and polkit is not asked", polkit.asked, [])
            actions = policy(os.path.join(start.source, "conf/dbus", NAME + ".policy"))
            tally.equal("the actions of the policy file", actions,
                        {NAME + ".apply": {"auth_admin_keep"}, NAME + ".reload": {"auth_admin_keep"}})
        tally.equal("polkit has gone: only root may", (ask(client, "Apply")[0], bus.ask("Apply")[0]), ("AccessDenied", 0))
        client.close()


def policy(path):
    return {action.get("id"): {default.text for default in action.find("defaults")}
            for action in ElementTree.parse(path).getroot().findall("action")}


@case
def signals(host, bus, start, tally):
    """what changes is told: devices that come, change and go, and the whole"""
    host.spec("blacklist: [pcspkr]\n")
    gpu = TOP + "/device/gpu"
    with bus, start(host):
        bus.named()
        host.json("wait")
        client = Client(bus.path, NOBODY)
        client.bus("AddMatch", "s", "type='signal',sender='%s'" % NAME)
        host.spec('devices:\n  gpu: {id: "10de:1b81"}\nmode: observe\n')
        message = client.signal(lambda one: one.member == "InterfacesAdded")
        tally.check("a device has come", message.path == TOP and message.body[0] == gpu
                    and message.body[1][DEVICE]["State"] == "wanted", message.body)
        message = client.signal(lambda one: one.member == "PropertiesChanged" and "ExitCode" in one.body[1])
        tally.check("the whole has changed", message.path == TOP and message.body[:2]
                    == [MANAGER, dict(message.body[1], State="pending", ExitCode=2)], message.body)
        host.json("wait")
        tally.check("it has come to rest", until(lambda: not properties(client)["Working"]))
        host.spec('devices:\n  gpu: {id: "10de:1b81", functions: [0]}\n')
        message = client.signal(lambda one: one.member == "PropertiesChanged" and one.path == gpu)
        tally.check("the device has changed", message.body[0] == DEVICE
                    and message.body[1]["Addresses"] == ["0000:01:00.0"], message.body)
        tally.check("what has not changed is not told", "Name" not in message.body[1], message.body)
        host.remove("/etc/passthroughd/host.yaml")
        message = client.signal(lambda one: one.member == "InterfacesRemoved")
        tally.check("the device has gone", message.body == [gpu, message.body[1]] and DEVICE in message.body[1],
                    message.body)
        host.json("wait")
        tally.equal("no object is left", objects(client), {})
        client.close()


@case
def together(host, bus, start, tally):
    """those who ask while a worker is at work are answered by the next one, all of them"""
    host.write("/worker", "#!/bin/sh\nwhile [ -e %s ]; do sleep 0.1; done\nexec %s \"$@\"\n"
               % (host.full("/wait"), start.program), 0o755)
    with bus, Workers(host.full("/worker"), host) as workers, start(host, "--workers", workers.path):
        bus.named()
        host.json("wait")
        host.write("/wait", "")
        before = len(workers.started)
        crowd = [Client(bus.path, NOBODY) for _ in range(5)]
        serials = []
        for client in crowd:
            serials.append(begin(client, "Status"))
            time.sleep(0.3)
        os.unlink(host.full("/wait"))
        answers = [client.answer(serial) for client, serial in zip(crowd, serials)]
        tally.equal("all are answered", [answer.error for answer in answers], [None] * len(crowd))
        tally.check("the first by itself, the others together", len(workers.started) - before == 2,
                    len(workers.started) - before)
        for client in crowd:
            client.close()


@case
def crowds(host, bus, start, tally):
    """callers that do not wait, and many at once: one worker reads for all, and nobody is locked out"""
    held(host)
    with bus, Workers(start.program, host) as workers, start(host, "--workers", workers.path) as daemon:
        bus.named()
        host.json("wait")
        before = len(workers.started)
        crowd = [Client(bus.path, NOBODY) for _ in range(40)]
        serials = [(client, begin(client, "Status")) for client in crowd for _ in range(4)]
        tally.equal("root is answered beside them", bus.ask("Status")[0], 0)
        answers = [client.answer(serial) for client, serial in serials]
        good = [answer for answer in answers if not answer.error]
        tally.check("some are answered, the others told", len(good) >= 32 and len(answers) == 160
                    and {answer.error for answer in answers if answer.error} <= {
                        "org.freedesktop.DBus.Error.LimitsExceeded"}, [answer.error for answer in answers])
        tally.check("few workers read for all of them", len(workers.started) - before <= 8, len(workers.started) - before)
        for client in crowd:
            client.close()
        one = Client(bus.path, NOBODY)
        replies = [one.answer(serial) for serial in [begin(one, "Plan") for _ in range(30)]]
        tally.check("one connection has at most 8 calls", [reply.error is None for reply in replies].count(True) >= 8
                    and any(reply.error for reply in replies), [reply.error for reply in replies])
        with Polkit(bus.path, None) as polkit:
            for _ in range(100):
                client = Client(bus.path, NOBODY)
                asked = len(polkit.asked)
                begin(client, "Apply")
                if not polkit.until(asked + 1):
                    break
                client.close()
            tally.equal("callers that leave before polkit answers count no longer", len(polkit.asked), 100)
            tally.check("their questions are taken back", until(lambda: sorted(polkit.dropped) == sorted(polkit.numbers)),
                        polkit.dropped)
            tally.equal("and nothing was applied", "asks for" in daemon.text(), False)
        host.spec("blacklist: [pcspkr]\n")
        daemon.until("STATUS=applying")
        for _ in range(20):
            client = Client(bus.path)
            begin(client, "Apply")
            begin(client, "Reload", flags=NO_REPLY)
            begin(client, "Status")
            client.close()
        tally.check("it answers while a builder is at work", ask(one, "Status")[1][1] == 2)
        os.unlink(host.full("/hold"))
        tally.equal("root's callers that left are no hindrance", bus.ask("Apply")[0], 0)
        one.close()


def random_type(dice, depth=0):
    kind = dice.choice("ybnqiuxtdsogv" if depth > 2 else "ybnqiuxtdsogvaa((")
    if kind == "a":
        return "a" + ("{s%s}" % random_type(dice, depth + 1) if dice.random() < 0.3 else random_type(dice, depth + 1))
    if kind == "(":
        return "(%s)" % "".join(random_type(dice, depth + 1) for _ in range(dice.randint(1, 3)))
    return kind


def random_value(dice, kind):
    if kind[0] == "a":
        return [random_value(dice, kind[1:]) for _ in range(dice.choice((0, 1, 3, 50)))]
    if kind[0] in "({":
        return [random_value(dice, one) for one in inner_types(kind)]
    if kind == "v":
        one = random_type(dice, 2)
        return one, random_value(dice, one)
    if kind == "s":
        return "".join(dice.choice("a%/\n\"'\\é$(){}") for _ in range(dice.choice((0, 1, 20, 3000))))
    if kind == "o":
        return dice.choice(("/", TOP, TOP + "/device/gpu", "/a/_b/C1"))
    if kind == "g":
        return dice.choice(("", "s", "a{sv}", "(ii)ai"))
    if kind == "b":
        return dice.randint(0, 1)
    if kind == "d":
        return dice.random()
    size = {"y": 8, "n": 15, "q": 16, "i": 31, "u": 32, "x": 63, "t": 64}[kind]
    return dice.choice((0, 1, (1 << size) - 1, dice.getrandbits(size)))


def inner_types(kind):
    from dbus_wire import types
    return list(types(kind[1:-1]))


def random_call(dice):
    member = dice.choice(("Plan", "Status", "Apply", "Reload", "Get", "GetAll", "Set", "Introspect", "GetManagedObjects",
                          "Ping", "GetMachineId", "Nothing"))
    interface_name = dice.choice((MANAGER, MANAGER, DEVICE, PROPERTIES, OBJECTS, "org.freedesktop.DBus.Introspectable",
                                  "org.freedesktop.DBus.Peer", None, "a.b"))
    path = dice.choice((TOP, TOP, TOP + "/device", TOP + "/device/gpu", TOP + "/device/_00", TOP + "/device/gpu/_", "/"))
    if dice.random() < 0.3 and interface_name == PROPERTIES:
        signature, values = "ss", [dice.choice((MANAGER, DEVICE, "")), dice.choice(("State", "Name", "", "x" * 255))]
    else:
        kinds = [random_type(dice) for _ in range(dice.choice((0, 1, 1, 2, 5)))]
        signature, values = "".join(kinds), [random_value(dice, kind) for kind in kinds]
    return path, interface_name, member, signature, values


@case
def fuzz(host, bus, start, tally):
    """arguments of any type, cut and oversized messages: refused, and the daemon lives on"""
    seed = int(os.environ.get("PTHRU_SEED", "1"))
    dice = random.Random(seed)
    host.spec(GUIDE + "mode: observe\n")
    refused = taken = thrown = 0
    with bus, start(host) as daemon, Polkit(bus.path) as polkit:
        bus.named()
        host.json("wait")
        before = host.snapshot()
        client = Client(bus.path, NOBODY)
        for _ in range(FUZZ):
            path, interface_name, member, signature, values = random_call(dice)
            body = None
            try:
                if dice.random() < 0.1:
                    body = bytes(dice.getrandbits(8) for _ in range(dice.choice((1, 4, 100))))
                if dice.random() < 0.1:
                    client.send(dice.choice((SIGNAL, CALL, 5, 200)), {
                        PATH: path, INTERFACE: interface_name or "a.b", MEMBER: member, DESTINATION: NAME}, signature, values,
                                NO_REPLY)
                reply = client.answer(client.begin(NAME, path, interface_name, member, signature, values, 0, body))
                refused += bool(reply.error)
                taken += not reply.error
                if not reply.error and signature and interface_name == MANAGER:
                    tally.check("%s(%s) is refused" % (member, signature), False, reply.body)
            except (OSError, EOFError):
                thrown += 1  # by the bus
                client = Client(bus.path, NOBODY)
            if daemon.process.poll() is not None:
                break
        tally.check("it is still there (seed %d)" % seed, daemon.process.poll() is None, daemon.text())
        tally.check("most was refused, some was right, some never came through", refused > FUZZ / 2 and taken and thrown,
                    (refused, taken, thrown))
        tally.equal("no argument makes anybody root", [name for name in host.snapshot() if name not in before], [])
        tally.check("polkit was asked for nothing but whole calls", all(
            action in (NAME + ".apply", NAME + ".reload") for _, action, _ in polkit.asked), polkit.asked)
        for size in (1 << 20, 24 << 20):
            reply = client.call(NAME, TOP, MANAGER, "Apply", "s", ["x" * size])
            tally.check("%d bytes too many are refused" % size, reply.error.endswith("InvalidArgs"), reply.error)
        local = {PATH: "/org/freedesktop/DBus/Local", INTERFACE: "org.freedesktop.DBus.Local", MEMBER: "Disconnected",
                 DESTINATION: NAME}
        try:
            client.send(SIGNAL, local, flags=NO_REPLY)
            client.bus("ListNames")
        except (OSError, EOFError):
            pass
        tally.equal("it answers", bus.ask("Status", uid=NOBODY)[0], 2)
        tally.check("it ends with 0", daemon.stop() == 0, daemon.text())
        tally.check("no sanitizer has anything to say", "Sanitizer" not in daemon.text()
                    and "runtime error" not in daemon.text(), daemon.text())


@case
def without_bus(host, bus, start, tally):
    """no bus at the start, one that comes, goes, and comes again"""
    host.spec("blacklist: [pcspkr]\n")
    with start(host) as daemon:
        tally.equal("it works without", host.json("wait")[0], 0)
        tally.check("and nothing is said of it", "D-Bus" not in daemon.text(), daemon.text())
        bus.start()
        try:
            tally.check("a bus that comes is found", bus.named(), daemon.text())
            tally.equal("and served", bus.ask("Status", uid=NOBODY)[0], 0)
            bus.stop()
            host.spec("blacklist: [pcspkr, floppy]\n")
            tally.equal("it goes on without", host.json("reload")[0], 0)
            tally.equal("and works", host.json("wait")[0], 0)
            bus.start()
            tally.check("the next one is found", bus.named(), daemon.text())
            code, document = bus.ask("Status", uid=NOBODY)
            tally.check("and served", code == 0 and len(states(document)) == 2, document)
            tally.equal("with what has changed meanwhile", bus.ask("Apply")[0], 0)
            bus.process.send_signal(signal.SIGSTOP)
            host.spec("blacklist: [floppy]\n")
            tally.equal("a bus that hangs holds nothing up", [host.json(*words)[0] for words in (
                ["reload"], ["wait", "--timeout", "20"], ["status"])], [0, 0, 0])
            bus.process.send_signal(signal.SIGCONT)
            tally.equal("and is served when it goes on", len(states(bus.ask("Status", uid=NOBODY)[1])), 1)
            client = Client(bus.path, NOBODY)
            begin(client, "Status")
            bus.stop()
            tally.equal("a bus that goes in the middle of a call", host.json("wait")[0], 0)
            tally.check("it ends with 0", daemon.stop() == 0, daemon.text())
        finally:
            bus.stop()


def main():
    ctl, program, source = [os.path.abspath(path) for path in sys.argv[1:4]]
    tally = Tally()
    os.umask(0o022)

    def start(host, *args):
        return Daemon(program, host, *args)
    start.program, start.source = program, source
    for function in CASES:
        if sys.argv[4:] and function.__name__ not in sys.argv[4:]:
            continue
        tally.heading("bus: " + function.__doc__)
        with tempfile.TemporaryDirectory(prefix="pthru-bus-") as folder:
            os.chmod(folder, 0o755)
            host = Host(ctl, os.path.join(folder, "root"), iommu=False)
            try:
                function(host, Bus(host, os.path.join(source, "conf/dbus", NAME + ".conf")), start, tally)
            except (OSError, EOFError, KeyError, IndexError, TypeError, ValueError, subprocess.SubprocessError) as error:
                tally.check("the case came to its end", False, repr(error))
    tally.close()


if __name__ == "__main__":
    main()
