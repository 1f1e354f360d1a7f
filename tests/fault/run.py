#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""run.py BUILD [--full | --every N] [--case NAME] [--mode NAME] [--at N]

The real program over a tree, and at each single change of it, one after the other, it is killed, or the call fails
(fault.c), or an allocation does (fault-memory.c). Whatever the point: each file is the old or the new one, the run
that failed says so, status claims nothing that a boot would not do, the same command once more arrives where an
undisturbed one does, a second plan is empty, and revert gives back the host as it was.

Points that leave the same state behind are healed once. Builders are the stand-ins of trees.py and run undisturbed.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import trees  # noqa: E402
from roots import GUIDE, Host, lasting  # noqa: E402
from tally import Tally  # noqa: E402

CHANGES, DESCRIPTORS, MEMORY = "changes", "descriptors", "memory"
# What is counted, and which part of the points is tried when not all are.
MODES = {
    "kill-before": (CHANGES, 1), "kill-after": (CHANGES, 1), "kill-within": (CHANGES, 1),
    "ENOSPC": (CHANGES, 2), "EIO": (CHANGES, 2), "EROFS": (CHANGES, 4),
    "ENOSPC-stays": (CHANGES, 4), "EIO-stays": (CHANGES, 8), "EROFS-stays": (CHANGES, 4),
    "EMFILE": (DESCRIPTORS, 16), "EMFILE-stays": (DESCRIPTORS, 64), "ENOMEM": (MEMORY, 32),
}


class Case:
    """A host, what was done to it before, and the command that is disturbed."""

    def __init__(self, name, tree, spec=None, first=None, verb="apply", breaks=None):
        self.name, self.tree, self.spec, self.first, self.verb, self.breaks = name, tree, spec, first, verb, breaks

    def prepare(self, host):
        self.tree(host)
        host.remove(trees.SPEC)
        self.pristine = trees.manifest(host)
        host.write("/etc/passthroughd/host.yaml", self.first or GUIDE)
        if self.first:
            must(host.json("apply"), (0, 3))
        if self.spec is not None:
            host.spec(self.spec)
        self.pristine[trees.SPEC] = trees.entry(host.full(trees.SPEC))
        if self.breaks:
            host.write(self.breaks, "")


CASES = [
    Case("first", trees.shared),
    Case("change", trees.plain, first=GUIDE, spec=trees.OTHER),
    Case("take-back", trees.shared, first=GUIDE, spec="{}\n"),
    Case("revert", trees.plain, first=GUIDE, verb="revert"),
    Case("proxmox", trees.proxmox),
    Case("dracut", trees.dracut),
    Case("counted", trees.counted),
    Case("roll-back", trees.plain, first=trees.OTHER, spec=GUIDE, breaks="/fail-initramfs"),
]


def must(answer, codes):
    if answer[0] not in codes:
        raise RuntimeError("exit code %d where nothing was disturbed: %s" % answer)
    return answer


class Course:
    """A case's undisturbed way, and the disturbed ones."""

    def __init__(self, case, tools, work):
        self.case, self.tools, self.work = case, tools, work
        self.ctl = tools["ctl"]
        self.template = Host(self.ctl, os.path.join(work, "template"))
        case.prepare(self.template)
        self.before = trees.manifest(self.template)
        self.healed, self.lock, self.counted = {}, threading.Lock(), {}
        quiet = self.copy("quiet")
        if case.breaks:
            quiet.remove(case.breaks)
        self.code, _ = must(quiet.json(case.verb), (0, 3))
        self.after, self.ledger = trees.manifest(quiet), trees.ledger(quiet)
        self.wished = self.after if case.verb == "apply" else self.before
        self.plan_code, _ = must(quiet.json("plan"), (0, 2, 3))

    def copy(self, name):
        path = os.path.join(self.work, name)
        shutil.rmtree(path, ignore_errors=True)
        subprocess.run(["cp", "-a", self.template.path, path], check=True)
        host = Host.__new__(Host)
        host.path, host.command = path, self.ctl
        return host

    # --- a disturbed run ----------------------------------------------------------------------------------------------

    def strike(self, host, mode, at):
        """Exit code, both outputs, and the report's lines."""
        report = host.path + ".report"
        environment = dict(os.environ, **self.tools["environment"])
        words = [self.ctl, self.case.verb, "--json", "--root", host.path]
        if mode == MEMORY or MODES.get(mode, [None])[0] == MEMORY:
            environment.update(LD_PRELOAD=self.tools["memory"], FAULT_AT=str(at), FAULT_REPORT=report)
        else:
            words = [self.tools["fault"], host.path, report, mode, str(at)] + words
        # A mask that takes much away: modes must not depend on it.
        done = subprocess.run(words, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=120, env=environment, umask=0o077)
        lines = []
        if os.path.exists(report):
            with open(report, encoding="utf-8") as file:
                lines = file.read().splitlines()
            os.unlink(report)
        return done.returncode, done.stdout.decode(), done.stderr.decode(), lines

    def points(self, mode):
        """The numbers of all points."""
        kind = MODES[mode][0]
        if kind not in self.counted:
            count = {CHANGES: "count", DESCRIPTORS: "count-descriptors", MEMORY: MEMORY}[kind]
            self.counted[kind] = self.strike(self.copy("count"), count, 0)[3]
        lines = self.counted[kind]
        if kind == MEMORY:
            return range(1, int(lines[-1]) + 1)
        # All but a write is done whole or not at all.
        return [int(line.split()[0]) for line in lines if mode != "kill-within" or " write " in line]

    def run(self, mode, at, name):
        """What is wrong, as words; the point's own."""
        host = self.copy(name)
        code, out, errors, lines = self.strike(host, mode, at)
        if MODES[mode][0] == MEMORY and lines[:1] and lines[0].isdigit():
            lines = []  # nobody was named to whom it was refused
        now, point = trees.manifest(host), lines[0] if lines else "%d, which was not reached" % at
        if not lines:
            # How often the cache of images is written depends on the clock.
            ended = (1, self.before) if self.case.breaks else (self.code, self.after)
            return [] if (code, now) == ended else ["not reached, exit code %d" % code], point
        wrong = self.whole(now, host, mode)
        if mode.startswith("kill") or (code == -11 and "libjson-c" in point):
            # json-c does not look whether it got what it asked for: that is a cut like any.
            if mode.startswith("kill") and code != 128 + 9:
                wrong.append("exit code %d instead of a kill: %s%s" % (code, out[-300:], errors[-300:]))
        else:
            wrong += self.honest(now, mode, code, out, errors)
        return wrong + self.heal(host), point

    def whole(self, now, host, mode):
        """Old or new, never a third."""
        wrong = []
        for name in sorted(set(self.before) | set(self.after) | set(now)):
            if name in now and name not in self.before and name not in self.after:
                if not os.path.basename(name).endswith(".pthru-new"):
                    wrong.append("%s came from nowhere" % name)
            elif now.get(name) not in (self.before.get(name), self.after.get(name)):
                wrong.append("%s is neither old nor new: %s" % (name, trees.short(now.get(name))))
        left = trees.leftovers(host)
        if left and not mode.startswith("kill") and not mode.endswith("-stays"):
            wrong.append("left behind by a run that ended by itself: %s" % " ".join(left))
        return wrong

    def honest(self, now, mode, code, out, errors):
        """It says that it failed, or it did not."""
        try:
            document = json.loads(out)
        except ValueError:
            return ["exit code %d and no JSON document: %s%s" % (code, out[-300:], errors[-300:])]
        told = [one["message"] for one in document.get("diagnostics", []) if one["severity"] == "error"]
        if code not in (1, 4):
            if code == self.code and now == self.after:
                return []
            return ["exit code %d, but: %s %s" % (code, told, trees.differences(now, self.after))]
        wrong = [] if told else ["exit code %d without a word why" % code]
        files = [name for name, what in self.after.items() if name.startswith("/etc/") and len(what) == 5]
        files += [name for name in self.before if name.startswith("/etc/") and name not in self.after]
        changed = [name for name in files if self.before.get(name) != self.after.get(name)]
        new = [name for name in changed if now.get(name) == self.after.get(name)]
        if new and len(new) < len(changed) and not any("put back" in text for text in told):
            wrong.append("some files are new, others old: %s; %s" % (new, told))
        return wrong

    # --- afterwards ---------------------------------------------------------------------------------------------------

    def heal(self, host):
        """Status, the command again, a plan, revert; once for each state."""
        state = trees.manifest(host, state=True)
        key = hashlib.sha256(repr(sorted(state.items())).encode()).digest()
        with self.lock:
            if key in self.healed:
                return []
            self.healed[key] = True
        wrong = self.status(host)
        if self.case.breaks:
            host.remove(self.case.breaks)
        return wrong + self.again(host) + self.back(host)

    def status(self, host):
        code, document = host.json("status")
        wrong = trees.claims(host, document)
        now = trees.manifest(host)
        if (code in (0, 3) or document.get("converged")) and now != self.wished:
            wrong.append("status exits %d, but: %s" % (code, trees.differences(now, self.wished)))
        return wrong

    def again(self, host):
        verb, wrong = self.case.verb, []
        code, document = host.json(verb)
        if code != self.code:
            wrong.append("%s again exits %d: %s" % (verb, code, document.get("diagnostics", document)))
        now = trees.manifest(host)
        if now != self.after:
            wrong.append("%s again: %s" % (verb, trees.differences(now, self.after)))
        if trees.leftovers(host):
            wrong.append("%s again leaves %s" % (verb, " ".join(trees.leftovers(host))))
        if trees.twins(host):
            wrong.append("%s again leaves two of %s" % (verb, " ".join(trees.twins(host))))
        if trees.ledger(host) != self.ledger:
            wrong.append("%s again: the ledger is %s, wanted %s" % (verb, trees.ledger(host), self.ledger))
        if " ends: " not in host.read(trees.STATE + "/journal").splitlines()[-1]:
            wrong.append("%s again: the journal has no end" % verb)
        code, document = host.json(*(["plan"] if verb == "apply" else ["revert", "--dry-run"]))
        if lasting(document) or (verb == "apply" and code != self.plan_code):
            wrong.append("a second plan exits %d and has %s" % (code, lasting(document)))
        return wrong

    def back(self, host):
        code, document = host.json("revert")
        wrong = [] if code in (0, 3) else ["revert exits %d: %s" % (code, document.get("diagnostics", document))]
        now = trees.manifest(host)
        if now != self.case.pristine:
            wrong.append("revert: %s" % trees.differences(now, self.case.pristine))
        return wrong


# --- the whole --------------------------------------------------------------------------------------------------------

def find(build, name):
    for folder, _, names in os.walk(build):
        if name in names and os.access(os.path.join(folder, name), os.X_OK):
            return os.path.join(folder, name)
    raise FileNotFoundError(name)


def find_tools(build):
    tools = {"ctl": find(build, "passthroughctl"), "fault": find(build, "fault"),
             "memory": find(build, "libfault-memory.so")}
    with open(tools["ctl"], "rb") as file:
        sanitized = b"__asan_init" in file.read()
    # Neither the leak sanitizer nor another allocator goes together with being traced or preloaded.
    tools["environment"] = {"ASAN_OPTIONS": "detect_leaks=0", "LC_ALL": "C.UTF-8"}
    tools["modes"] = [mode for mode in MODES if MODES[mode][0] != MEMORY or not sanitized]
    return tools


def sample(points, words, mode):
    if words.at:
        return [words.at]
    pace = 1 if words.full else words.every * MODES[mode][1]
    return points[list(MODES).index(mode) % pace::pace]


def run_mode(course, mode, words, tally, pool):
    """All points of one mode side by side."""
    free, lock = ["tree-%d" % slot for slot in range(words.jobs)], threading.Lock()

    def one(at):
        with lock:
            name = free.pop()
        try:
            return (at, *course.run(mode, at, name))
        except (OSError, RuntimeError, ValueError, subprocess.SubprocessError) as error:
            return at, ["the run could not be judged: %r" % error], "?"
        finally:
            with lock:
                free.append(name)

    states, points = len(course.healed), course.points(mode)
    tried = sample(points, words, mode)
    for at, wrong, point in pool.map(one, tried):
        tally.passed += not wrong
        if wrong:
            tally.failed += 1
            print("FAIL - %s, %s at %s\n       | %s\n       | again: %s %s --case %s --mode %s --at %d" % (
                course.case.name, mode, point, "\n       | ".join(wrong), sys.argv[0], words.build,
                course.case.name, mode, at), flush=True)
    print("%s, %s: %d points, %d cut, %d new states healed" % (
        course.case.name, mode, len(points), len(tried), len(course.healed) - states), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--full", action="store_true", help="every point in every mode")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="one point of N of those tried otherwise")
    parser.add_argument("--case", choices=[case.name for case in CASES])
    parser.add_argument("--mode", choices=list(MODES))
    parser.add_argument("--at", type=int)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    words = parser.parse_args()
    os.umask(0o022)
    tally, tools = Tally(), find_tools(words.build)
    os.environ.update(tools["environment"])
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # where fsync costs nothing
    with tempfile.TemporaryDirectory(prefix="pthru-fault-", dir=memory) as work, \
            concurrent.futures.ThreadPoolExecutor(words.jobs) as pool:
        for case in CASES:
            if words.case and case.name != words.case:
                continue
            tally.heading("fault: %s" % case.name)
            folder = os.path.join(work, case.name)
            os.mkdir(folder)
            course = Course(case, tools, folder)
            for mode in tools["modes"]:
                if not words.mode or mode == words.mode:
                    run_mode(course, mode, words, tally, pool)
            shutil.rmtree(folder)
    tally.close()


if __name__ == "__main__":
    main()
