# SPDX-License-Identifier: GPL-2.0-or-later
"""cli.py CTL [CASE...]: what passthroughctl answers to its words, in which form, with which exit code."""

import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE]
sys.dont_write_bytecode = True

from roots import GUIDE, KVER, Host, codes, states, untouched  # noqa: E402
from tally import Tally  # noqa: E402

VERBS = ("plan", "apply", "status", "check", "devices", "explain", "revert", "capture", "reload", "wait")
OPTIONS = ("--root", "--host", "--spec", "--json", "--color", "--plan", "--explain-merge", "--dry-run", "--timeout", "--help", "--version")

# Words that are wrong, and what the answer must contain. Exit code 5 each, code usage but where another is named.
WRONG = (
    (["bogus"], "bogus", "usage"),
    (["aply"], "did you mean apply", "usage"),
    (["plan", "more"], "--host", "usage"),
    (["devices", "01:00.0"], "01:00.0", "usage"),
    (["check"], "FILE", "usage"),
    (["explain"], "NAME", "usage"),
    (["explain", "a", "b"], "'b'", "usage"),
    (["plan", "--dry-run"], "--dry-run", "usage"),
    (["plan", "--plan", "x"], "--plan", "usage"),
    (["status", "--timeout", "1"], "--timeout", "usage"),
    (["apply", "--host", "/dev/null"], "--host", "usage"),
    (["revert", "--host", "/dev/null"], "--host", "usage"),
    (["reload", "--host", "/dev/null"], "--host", "usage"),
    (["reload", "--spec", "x"], "--spec", "usage"),
    (["wait", "--spec", "x"], "--spec", "usage"),
    (["wait", "--timeout", "soon"], "soon", "usage"),
    (["wait", "--timeout", "-1"], "-1", "usage"),
    (["wait", "--timeout", "99999999999999999999"], "9999", "usage"),
    (["wait", "--timeout", ""], "--timeout", "usage"),
    (["--color=pink"], "pink", "usage"),
    (["--no-such-option"], "--no-such-option", "usage"),
    (["plan", "-x"], "-x", "usage"),
    (["plan", "--json=yes"], "--json=yes", "usage"),
    (["plan", "--spec"], "--spec", "usage"),
    (["plan", "--root", "/nowhere/at/all"], "/nowhere/at/all", "bad-file"),
    (["plan", "--host", "/nowhere/at/all"], "/nowhere/at/all", "bad-file"),
    (["plan", "--spec", "/nowhere/at/all"], "/nowhere/at/all", "bad-file"),
    (["check", "/nowhere/at/all"], "/nowhere/at/all", "bad-file"),
)

CASES = []


def case(function):
    CASES.append(function)
    return function


def run(host, *words, **options):
    """Without --root: exit code, standard output, standard error."""
    done = subprocess.run([host.command, *words], check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=120, **options)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def document(text):
    try:
        return json.loads(text)
    except ValueError:
        return {"not-json": text}


@case
def wrong_words(host, tally):
    """wrong usage: exit 5, one line for people, one document for programs"""
    for words, needle, code in WRONG:
        what = " ".join(words)
        seen, out, err = run(host, *words)
        tally.check("%s: exit 5 and why" % what, seen == 5 and needle in err and out == "", (seen, out, err))
        for more in (["--json", *words], [*words, "--json"]):
            if words[-1] == "--spec" and more[-1] == "--json":
                continue
            seen, out, err = run(host, *more)
            tally.check("%s: the same in JSON" % " ".join(more), seen == 5 and code in codes(document(out))
                        and needle in err, (seen, out, err))
    seen, out, _ = run(host, "--json", "bogus", "--no-such-option", "--color=pink")
    tally.equal("all that is wrong is told, not only the first", len(document(out).get("diagnostics", [])), 3)


@case
def help_and_version(host, tally):
    """help names every verb, option and exit code"""
    code, out, err = run(host, "--help")
    tally.check("help: exit 0", code == 0 and err == "", (code, err))
    tally.equal("help: nothing is missing", [word for word in VERBS + OPTIONS if "  " + word not in out], [])
    tally.equal("help: every exit code", [n for n in range(6) if "\n  %d  " % n not in out], [])
    tally.equal("help: fits a terminal", [line for line in out.splitlines() if len(line) > 80], [])
    for verb in VERBS:
        code, one, _ = run(host, verb, "--help")
        tally.check("help of %s" % verb, code == 0 and "passthroughctl [OPTION...] " + verb in one
                    and len(max(one.splitlines(), key=len)) <= 90, one)
    tally.equal("-h is help too", run(host, "-h")[1], out)
    tally.check("help in JSON", document(run(host, "--help", "--json")[1]).get("help") == out)
    code, out, _ = run(host, "--version")
    tally.check("version", code == 0 and out.startswith("passthroughctl ") and out.count("\n") == 1, out)
    tally.check("version in JSON", document(run(host, "--version", "--json")[1]).get("version") == out)


@case
def no_spec(host, tally):
    """no spec folder is a wish for nothing; plan is the default verb"""
    os.rmdir(host.full("/etc/passthroughd"))
    before = host.everything()
    for words in ([], ["plan"], ["status"], ["apply"], ["revert"], ["revert", "--dry-run"]):
        code, answer = host.json(*words)
        tally.check("%s: exit 0, converged" % words, code == 0 and answer.get("converged") is True, (code, answer))
        if words not in (["apply"], ["revert"]):
            untouched(tally, words, before, host.everything())
        before = host.everything()


@case
def spec_errors(host, tally):
    """every error of every file, with its place"""
    host.spec("blacklst: [x]\nblacklist: 3\n", "/etc/passthroughd/a.yaml")
    host.spec("kernel-flags: ['init=/bin/sh']\n", "/etc/passthroughd/b.yaml")
    before = host.everything()
    for verb in ("plan", "apply", "status"):
        code, answer = host.json(verb)
        found = {(d["file"], d["line"], d["code"]) for d in answer.get("diagnostics", []) if d["severity"] == "error"}
        tally.check("%s: exit 5 and all three places" % verb, code == 5 and {
            ("/etc/passthroughd/a.yaml", 1, "unknown-key"), ("/etc/passthroughd/a.yaml", 2, "type-mismatch"),
            ("/etc/passthroughd/b.yaml", 1, "unsafe-value")} <= found, (code, answer))
    code, out, err = host.ctl("plan")
    tally.check("for people: file, line, column, caret, on standard error", code == 5 and out == ""
                and "/etc/passthroughd/a.yaml:1:1: error: " in err and "\n  | ^\n" in err, (code, out, err))
    untouched(tally, "a bad spec", before, host.everything())
    code, answer = host.json("explain", "01:00.0")
    tally.check("a device can be explained all the same", code == 5 and "unknown-key" in codes(answer), answer)


@case
def folders(host, tally):
    """three folders: a file hides its namesakes, the rest merge by name"""
    host.spec("blacklist: [one]\n", "/etc/passthroughd/10.yaml")
    host.spec("blacklist: [hidden]\n", "/run/passthroughd/10.yaml")
    host.spec("blacklist: [two]\nmode: enforce\n", "/usr/lib/passthroughd/20.yaml")
    host.spec("blacklist: [masked]\n", "/usr/lib/passthroughd/30.yaml")
    host.link("/etc/passthroughd/30.yaml", "/dev/null")
    host.spec("not: yaml: at all\n", "/etc/passthroughd/notes.txt")
    host.spec("not: yaml: at all\n", "/etc/passthroughd/.hidden.yaml")
    code, plan = host.json("plan")
    tally.equal("what counts", sorted(states(plan)), ["blacklist:one", "blacklist:two"])
    tally.equal("changes pending", code, 2)


@case
def permissions(host, tally):
    """who can write a spec file can make root do anything"""
    host.spec("blacklist: [nouveau]\n")
    spec, folder = host.full("/etc/passthroughd/host.yaml"), host.full("/etc/passthroughd")
    rows = [(spec, 0o664, 5), (spec, 0o646, 5), (spec, 0o600, 2), (folder, 0o775, 5), (folder, 0o757, 5),
            (folder, 0o1777, 2), (folder, 0o700, 2)]
    for path, mode, wanted in rows:
        kept = os.stat(path).st_mode & 0o7777
        os.chmod(path, mode)
        for words in ([], ["--spec", path]):
            code, answer = host.json("plan", *words)
            tally.check("%o %s: exit %d %s" % (mode, os.path.basename(path), wanted, words[:1]), code == wanted and
                        ("unsafe-permissions" in codes(answer)) == (wanted == 5), (code, answer))
        code, _, _ = host.ctl("check", spec)
        tally.equal("check does not mind", code, 0)
        os.chmod(path, kept)
    os.chmod(folder, 0o777)
    code, answer = host.json("plan", "--spec", spec)
    tally.check("--spec FILE: its folder counts too", code == 5 and "unsafe-permissions" in codes(answer), answer)
    os.chmod(folder, 0o755)
    if os.geteuid() == 0:
        for path in (spec, folder):
            os.chown(path, 12345, 12345)
            code, answer = host.json("plan")
            tally.check("owned by another: exit 5", code == 5 and "unsafe-permissions" in codes(answer), answer)
            os.chown(path, 0, 0)


@case
def own_paths(host, tally):
    """--spec is the caller's path: a file, a folder, a pipe"""
    folder = host.path + ".specs"
    os.mkdir(folder, 0o755)
    for name, text in (("a.yaml", "blacklist: [one]\n"), ("b.yaml", "blacklist: [two]\n"), ("c.txt", "no\n")):
        with open(os.path.join(folder, name), "w", encoding="ascii") as file:
            file.write(text)
    host.spec("blacklist: [default]\n")
    _, plan = host.json("plan", "--spec", folder)
    tally.equal("a folder", sorted(states(plan)), ["blacklist:one", "blacklist:two"])
    _, plan = host.json("plan", "--spec", os.path.join(folder, "b.yaml"))
    tally.equal("a file", sorted(states(plan)), ["blacklist:two"])
    code, out, _ = run(host, "check", folder)
    tally.check("check takes a folder too", code == 0 and "2 files" in out, out)
    done = subprocess.run([host.command, "check", "/dev/stdin"], check=False, input=b"blacklist: [x]\n",
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    tally.equal("check takes a pipe", done.returncode, 0)
    code, answer = host.json("check", os.path.join(folder, "a.yaml"))
    tally.check("check in JSON", code == 0 and answer.get("diagnostics") == [], answer)
    os.mkfifo(os.path.join(folder, "d.yaml"))
    code, answer = host.json("plan", "--spec", folder)
    tally.check("a fifo in a folder is no spec file, and nobody waits for it", code == 5
                and "bad-file" in codes(answer), answer)


@case
def captures(host, tally):
    """capture writes, --host reads"""
    host.spec(GUIDE)
    code, text, _ = host.ctl("capture")
    tally.check("capture: exit 0, whole", code == 0 and text.startswith("# passthroughd capture 1\n")
                and text.endswith("# end\n"), text[-200:])
    code, answer = host.json("capture")
    tally.check("capture in JSON is the same text", code == 0 and answer.get("capture") == text, str(answer)[:200])
    path, cut = host.path + ".capture", host.path + ".cut"
    for name, content in ((path, text), (cut, text[:-6])):
        with open(name, "w", encoding="utf-8") as file:
            file.write(content)
    spec = host.full("/etc/passthroughd/host.yaml")
    before = host.everything()
    _, here = host.json("plan")
    code, out, err = run(host, "plan", "--json", "--host", path, "--spec", spec)
    there = document(out)
    tally.check("the plan for the capture is the plan for the host", code == 2
                and states(there) == states(here) and there.get("diffs") == here.get("diffs"), (code, out, err))
    code, out, _ = run(host, "plan", "--json", "--host", cut, "--spec", spec)
    tally.check("a cut capture is refused", code == 5 and document(out).get("items") in ([], None), out)
    code, out, _ = run(host, "devices", "--json", "--host", path)
    tally.check("devices of a capture", code == 0 and len(document(out).get("devices", [])) == 4, out)
    other = os.path.join(HERE, "..", "hosts", "ssh-second-nic.host")
    code, out, _ = run(host, "devices", "--host", other)
    ends = [line.split(" xhci_hcd ")[1].strip() for line in out.splitlines() if " xhci_hcd " in line]
    tally.equal("devices warns of the only keyboard", (code, ends), (0, ["yes, but mind: last-keyboard", "yes"]))
    untouched(tally, "all that", before, host.everything())


@case
def explain_merge(host, tally):
    """plan --explain-merge: which file each value comes from, which files do not count here, and why"""
    host.spec("devices:\n  gpu:\n    id: 10de:1b81\nblacklist: [nouveau]\n", "/etc/passthroughd/20-gpu.yaml")
    host.spec("blacklist: [x]\n", "/usr/lib/passthroughd/20-gpu.yaml")
    host.spec("kernel-flags: [pcie_aspm=off]\nblacklist:\n  - radeon\n  - nouveau\n", "/usr/lib/passthroughd/10-base.yaml")
    host.spec("match: {cpu-vendor: amd}\nmode: observe\n", "/run/passthroughd/30-amd.yaml")
    host.spec("match: {has-device: 10de:2204}\n", "/run/passthroughd/31-card.yaml")
    host.spec("match: {kernel: '5.*'}\n", "/run/passthroughd/32-old.yaml")
    before = host.everything()
    code, text, errors = host.ctl("plan", "--explain-merge")
    rows = [line.split() for line in text.splitlines()]
    tally.check("for people: a row each", code == 2 and errors == "" and
                ["blacklist:", "radeon", "/usr/lib/passthroughd/10-base.yaml:3"] in rows and
                ["devices.gpu.id:", "10de:1b81", "/etc/passthroughd/20-gpu.yaml:3"] in rows, (code, text, errors))
    code, found = host.json("plan", "--explain-merge")
    tally.equal("the files, in merge order, and why some do not count",
                [(row["file"], row["counts"], row["reason"]) for row in found["files"]], [
                    ("/usr/lib/passthroughd/10-base.yaml", True, None),
                    ("/etc/passthroughd/20-gpu.yaml", True, None),
                    ("/run/passthroughd/30-amd.yaml", False, "the CPU is of another cpu-vendor"),
                    ("/run/passthroughd/31-card.yaml", False, "no device is 10de:2204"),
                    ("/run/passthroughd/32-old.yaml", False, 'kernel is "%s", which 5.* does not fit' % KVER),
                    ("/usr/lib/passthroughd/20-gpu.yaml", False, "hidden by /etc/passthroughd/20-gpu.yaml")])
    tally.equal("each value with its place", [tuple(row.values()) for row in found["values"]], [
        ("blacklist", "radeon", "/usr/lib/passthroughd/10-base.yaml", 3),
        ("blacklist", "nouveau", "/usr/lib/passthroughd/10-base.yaml", 4),
        ("devices.gpu.id", "10de:1b81", "/etc/passthroughd/20-gpu.yaml", 3),
        ("kernel-flags", "pcie_aspm=off", "/usr/lib/passthroughd/10-base.yaml", 1)])
    untouched(tally, "all that", before, host.everything())


@case
def fleet(host, tally):
    """plan for several captures and folders of them, in one process: a row each, the worst exit code counts"""
    hosts, folder = os.path.join(HERE, "..", "hosts"), host.path + ".captures"
    spec = os.path.join(HERE, "specs", "guide.yaml")
    os.makedirs(folder)
    for name in ("guide-by-hand.host", "no-acs-consumer.host", ".hidden.host"):
        shutil.copy(os.path.join(hosts, name.replace(".hidden", "amd-gtx1080")), os.path.join(folder, name))
    shutil.copy(os.path.join(hosts, "README.md"), folder)
    words = ("plan", "--spec", spec, "--host", folder, os.path.join(hosts, "amd-gtx1080.host"))
    code, out, err = run(host, *words)
    lines = [line.split(maxsplit=2) for line in out.splitlines()]
    tally.check("a row each, hidden files and others are none", code == 2 and err == "" and lines[1:4] == [
        ["0", "guide-by-hand", "nothing to do"],
        ["2", "no-acs-consumer", "9 changes, then a reboot; blocked: device:gpu (shared-group)"],
        ["2", "amd-gtx1080", "15 changes, then a reboot"]], (code, out, err))
    tally.equal("and a last line", out.splitlines()[-1], "3 hosts: 1 with nothing to do, 2 with changes pending.")
    code, out, _ = run(host, *words, "--json")
    many = document(out)
    tally.check("in JSON the plan of each, without diffs", code == many.get("exit_code") == 2 and
                [(os.path.basename(one["host"]), one["exit_code"], one["plan"]["diffs"]) for one in many["hosts"]] ==
                [("guide-by-hand.host", 0, []), ("no-acs-consumer.host", 2, []), ("amd-gtx1080.host", 2, [])], out[:300])
    one = document(run(host, "plan", "--json", "--spec", spec, "--host", os.path.join(hosts, "amd-gtx1080.host"))[1])
    tally.equal("the same plan as alone", many["hosts"][2]["plan"]["plan_id"], one["plan_id"])
    with open(os.path.join(folder, "zz.host"), "w", encoding="utf-8") as file:
        file.write("junk\n")
    code, out, err = run(host, *words)
    tally.check("one that is no capture is a row, and said; the others go on", code == 5 and "zz.host:1:1" in err and
                ["5", "zz", "not read"] in [line.split(maxsplit=2) for line in out.splitlines()] and
                "amd-gtx1080" in out, (code, out, err))
    code, out, _ = run(host, *words, "--json")
    bad = {os.path.basename(one["host"]): one for one in document(out)["hosts"]}["zz.host"]
    tally.check("in JSON too, with its diagnostics", code == 5 and bad["exit_code"] == 5 and
                "syntax" in codes(bad["plan"]), bad)
    code, out, err = run(host, "plan", "--spec", spec, "--host", "/nowhere/at/all", folder)
    tally.check("one that is not there neither", code == 5 and "/nowhere/at/all" in err and "guide-by-hand" in out, err)
    code, out, err = run(host, "plan", folder)
    tally.check("captures stand after --host", code == 5 and "--host" in err, err)


@case
def devices_and_explain(host, tally):
    """devices lists, explain tells"""
    code, answer = host.json("devices")
    tally.equal("devices: exit 0", code, 0)
    tally.equal("devices: all of them", [device["address"] for device in answer.get("devices", [])],
                ["0000:00:00.0", "0000:01:00.0", "0000:01:00.1", "0000:02:00.0"])
    host.spec(GUIDE)
    for name in ("gpu", "01:00.0", "0000:01:00.0"):
        code, out, err = host.ctl("explain", name)
        tally.check("explain %s" % name, code == 0 and "0000:01:00.0" in out, (code, out, err))
    code, answer = host.json("explain", "gpu")
    tally.check("explain in JSON", code == 0 and "not-json" not in answer, answer)
    for name in ("nothing", "0000:ff:00.0", "1:2:3"):
        code, answer = host.json("explain", name)
        tally.check("explain %s: exit 5, no-such-device" % name, code == 5 and "no-such-device" in codes(answer),
                    (code, answer))


@case
def last_accepted(host, tally):
    """while the spec is bad, status tells of the last accepted one, and says so"""
    host.spec("blacklist: [nouveau]\n")
    if os.geteuid() == 0:
        host.json("apply")
    else:
        host.write("/var/lib/passthroughd/accepted.yaml", "blacklist: [nouveau]\n")
    host.spec("nonsense: 1\n", "/etc/passthroughd/bad.yaml")
    code, answer = host.json("status")
    tally.check("status: exit 5, the errors and the items", code == 5 and "unknown-key" in codes(answer)
                and "blacklist:nouveau" in states(answer), (code, answer))
    code, out, err = host.ctl("status")
    tally.check("for people too", code == 5 and "nouveau" in out and "last accepted" in err, (code, out, err))
    code, answer = host.json("plan")
    tally.check("plan has nothing to show", code == 5 and not answer.get("items"), answer)


@case
def no_daemon(host, tally):
    """reload and wait need the daemon, status does not"""
    for words in (["reload"], ["wait"], ["wait", "--timeout", "1"]):
        code, answer = host.json(*words)
        tally.check("%s: exit 1, no-daemon" % words, code == 1 and "no-daemon" in codes(answer), (code, answer))
    host.mkdir("/run/passthroughd")
    tally.check("also with a run-time folder", "no-daemon" in codes(host.json("reload")[1]))
    host.write("/run/passthroughd/control", "")
    tally.check("also with a file in the socket's place", host.json("status")[0] == 0)


@case
def forms(host, tally):
    """colours only when asked for, none in JSON; nothing is redrawn in a pipe"""
    host.spec(GUIDE)
    tally.equal("a pipe gets no colours", (host.ctl("plan")[0], "\033" in host.ctl("plan")[1]), (2, False))
    tally.check("--color=always does", "\033" in host.ctl("plan", "--color=always")[1])
    tally.check("--color alone too", "\033" in host.ctl("plan", "--color")[1])
    tally.check("--color=never does not", "\033" not in host.ctl("plan", "--color=never")[1])
    tally.check("JSON has none", "not-json" not in document(host.ctl("plan", "--json", "--color=always")[1]))
    code, out, err = host.ctl("apply")
    tally.check("apply in a pipe redraws nothing", "\r" not in out + err and "\033" not in out + err, (code, out, err))


@case
def hard_ends(host, tally):
    """a reader that has seen enough is no failure, a full disk is"""
    host.spec(GUIDE)
    command = [host.command, "plan", "--root", host.path]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(command, check=False, stdout=writer, stderr=subprocess.PIPE, timeout=60)
    os.close(writer)
    tally.check("EPIPE: the exit code of the plan, no word", done.returncode == 2 and done.stderr == b"", done)
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, check=False, stdout=full, stderr=subprocess.PIPE, timeout=60)
    tally.equal("a full disk: exit 1", done.returncode, 1)
    done = subprocess.run(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *command], check=False, timeout=60)
    tally.check("closed descriptors: no crash", done.returncode in (1, 2), done)


def main():
    ctl = os.path.abspath(sys.argv[1])
    tally = Tally()
    os.umask(0o022)
    for function in CASES:
        if sys.argv[2:] and function.__name__ not in sys.argv[2:]:
            continue
        tally.heading("cli: " + function.__doc__)
        with tempfile.TemporaryDirectory(prefix="pthru-cli-") as folder:
            os.chmod(folder, 0o755)
            try:
                function(Host(ctl, os.path.join(folder, "root")), tally)
            except (OSError, KeyError, IndexError, ValueError, subprocess.SubprocessError) as error:
                tally.check("the case came to its end", False, repr(error))
    tally.close()


if __name__ == "__main__":
    main()
