# SPDX-License-Identifier: GPL-2.0-or-later
"""goldens.py CTL [--write] [HOST...]: what `plan` says of every captured host under every spec.

A host is tests/hosts/NAME.host. Its specs are the files of tests/cases/specs that its line "; specs: a b c" names.
The golden of a pair is tests/cases/golden/NAME/SPEC.txt: the command's exit code and its words. --write makes the
goldens anew; review is the diff.
"""

import concurrent.futures
import difflib
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../sysroot"))
sys.dont_write_bytecode = True

from tally import Tally  # noqa: E402

HOSTS = os.path.join(HERE, "../hosts")
KEYS = ["converged", "devices", "diagnostics", "diffs", "items", "plan_id", "reboot", "steps"]


def pairs(names):
    for entry in sorted(os.listdir(HOSTS)):
        name, extension = os.path.splitext(entry)
        if extension != ".host" or (names and name not in names):
            continue
        with open(os.path.join(HOSTS, entry), encoding="utf-8") as file:
            found = re.search(r"^; specs: (.*)$", file.read(), re.MULTILINE)
        for spec in found.group(1).split() if found else []:
            yield name, spec


def run(ctl, name, spec, *words):
    done = subprocess.run([ctl, "plan", "--host", os.path.join(HOSTS, name + ".host"), "--spec",
                           os.path.join(HERE, "specs", spec + ".yaml"), *words], check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def words_of(ctl, name, spec):
    """The golden's text; plan ids are digests of everything and say nothing to a reader."""
    code, text, errors = run(ctl, name, spec)
    text = re.sub(r"[0-9a-f]{64}", "(id)", text + errors)
    return "%s\nexit %d\n" % (text.replace(HERE + os.sep, ""), code)


def check_json(ctl, name, spec):
    """What must hold of every plan, whatever the pair: None, or what does not."""
    code, text, _ = run(ctl, name, spec, "--json")
    plan = json.loads(text)
    again = json.loads(run(ctl, name, spec, "--json")[1])
    ids = {item["id"] for item in plan["items"]}
    wished = {address for device in plan["devices"] for address in device["addresses"]}
    faults = {
        "the documented keys": sorted(plan) == KEYS,
        "the same twice": plan == again,
        "converged exactly when exit 0": plan["converged"] == (code == 0),
        "every reason for a reboot begins with an item": all(why.split(": ")[0].strip() in ids or "kernel-flag:" in why
                                                             for why in plan["reboot"]["why"]),
        "a device not named is in no step": all(step["target"] in wished for step in plan["steps"]
                                                if step["kind"] == "bind"),
        "a blocked device is in no step": not any(
            step["kind"] == "bind" and step["target"] in device["addresses"]
            for device in plan["devices"] if device["state"] == "blocked" for step in plan["steps"]),
        "method null exactly while blocked": all((device["method"] is None) == (device["state"] == "blocked")
                                                 for device in plan["devices"]),
    }
    return [what for what, holds in faults.items() if not holds]


def judge(ctl, name, spec, write):
    path = os.path.join(HERE, "golden", name, spec + ".txt")
    text = words_of(ctl, name, spec)
    if write:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    wanted = ""
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            wanted = file.read()
    difference = "\n".join(difflib.unified_diff(wanted.splitlines(), text.splitlines(), "golden", "now", lineterm=""))
    return name, spec, difference, check_json(ctl, name, spec)


def main():
    ctl = os.path.abspath(sys.argv[1])
    names = [word for word in sys.argv[2:] if word != "--write"]
    tally = Tally()
    todo = list(pairs(names))
    tally.check("there are hosts", todo)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, spec, difference, faults in pool.map(
                lambda pair: judge(ctl, *pair, "--write" in sys.argv), todo):
            tally.check("%s under %s: as its golden" % (name, spec), not difference, difference)
            tally.check("%s under %s: what holds of every plan" % (name, spec), not faults, faults)
    tally.close()


if __name__ == "__main__":
    main()
