#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Run VM scenarios: run.py --product FOLDER --work FOLDER [--jobs N] [--long] [NAME...]

PRODUCT is what `DESTDIR=FOLDER cmake --install` laid out. A scenario is a file in scenarios/ with a dict MACHINE
(words for Machine) and a function run(machine, product, tally). Where there is a LINE besides, the guest starts
without a boot loader, from the kernel and the image of the tree that its disk was made of, with these words on
the kernel's line. Where there is a PACKAGE, words for sh, the guest's third disk is the file whose path that prints.
Without names all of them run, those that have LONG = True with --long only, N at a time (as many as there are
processors), and what each of them says is shown once it has ended.
"""

import argparse
import importlib.util
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../sysroot")]
sys.dont_write_bytecode = True

from image import ensure  # noqa: E402
from machine import Machine, MachineError  # noqa: E402
from product import Product  # noqa: E402
from tally import Tally  # noqa: E402


# The longest first, so that those that run side by side end together; others after them.
ORDER = ("power", "kernel", "intel", "early", "flags", "live", "no_remapping")


def load(name):
    path = os.path.join(HERE, "scenarios", name + ".py")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def product_disk(folder, work):
    """A file system that holds the product."""
    disk = os.path.join(work, "product.img")
    with open(disk, "wb") as file:
        file.truncate(64 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-d", folder, disk], check=True)
    return disk


def printed_by(script, *words):
    """The path that a script of the tests prints."""
    return subprocess.run(["sh", os.path.join(HERE, script), *words], check=True,
                          stdout=subprocess.PIPE).stdout.decode().strip()


def direct(words):
    """Kernel, initrd and line of a start without boot loader."""
    tree = printed_by("../sysroot/tree.sh")
    newest = [sorted(entry for entry in os.listdir(os.path.join(tree, "boot")) if entry.startswith(prefix))[-1]
              for prefix in ("vmlinuz-", "initrd.img-")]
    return (*(os.path.join(tree, "boot", name) for name in newest),
            "root=LABEL=root rw quiet console=ttyS0 " + words)


def run_one(name, image, disk, work, tally):
    scenario = load(name)
    tally.heading("vm: " + scenario.__doc__.strip().splitlines()[0])
    folder = os.path.join(work, name)
    os.makedirs(folder, exist_ok=True)
    overlay = os.path.join(folder, "overlay.qcow2")
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", image, "-F", "qcow2", overlay],
                   check=True)
    disks = [(overlay, "qcow2", False), (disk, "raw", True)]
    if hasattr(scenario, "PACKAGE"):
        disks.append((printed_by(*scenario.PACKAGE), "raw", True))
    started = time.monotonic()
    words = dict(scenario.MACHINE)
    if hasattr(scenario, "LINE"):
        words["direct"] = direct(scenario.LINE)
    try:
        with Machine(folder, disks, **words) as machine:
            scenario.run(machine, Product(machine), tally)
    except MachineError as error:
        tally.check("the scenario came to its end", False, "%s\nlogs: %s" % (error, folder))
    os.unlink(overlay)
    print("       (%s: %d s; logs in %s)" % (name, time.monotonic() - started, folder), flush=True)


def run_apart(name, words):
    """One scenario in a process of its own: its output."""
    ended = subprocess.run([sys.executable, "-B", os.path.abspath(__file__), "--product", words.product,
                            "--work", os.path.join(words.work, name), "--jobs", "1", name],
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return ended.stdout.decode(errors="replace")


def run_many(names, words):
    passed = failed = 0
    with ThreadPoolExecutor(words.jobs) as pool:
        for ended in as_completed([pool.submit(run_apart, name, words) for name in names]):
            text = ended.result()
            print(text, end="", flush=True)
            counts = re.findall(r"^(\d+) passed, (\d+) failed$", text, re.MULTILINE)
            passed += int(counts[-1][0]) if counts else 0
            failed += int(counts[-1][1]) if counts else 1
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(1 if failed else 0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--product", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--long", action="store_true")
    parser.add_argument("names", nargs="*")
    words = parser.parse_args()
    found = [entry[:-3] for entry in os.listdir(os.path.join(HERE, "scenarios")) if entry.endswith(".py")]
    names = words.names or sorted(found, key=lambda name: ((*ORDER, name).index(name), name))
    if not words.names and not words.long:
        names = [name for name in names if not getattr(load(name), "LONG", False)]
    os.makedirs(words.work, exist_ok=True)
    image = ensure()
    if len(names) > 1:
        run_many(names, words)
    tally = Tally()
    disk = product_disk(words.product, words.work)
    run_one(names[0], image, disk, words.work, tally)
    tally.close()


if __name__ == "__main__":
    main()
