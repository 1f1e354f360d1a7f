#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Run VM scenarios: run.py --product FOLDER --work FOLDER [NAME...]

PRODUCT is what `DESTDIR=FOLDER cmake --install` laid out. A scenario is a file in scenarios/ with a dict MACHINE
(words for Machine) and a function run(machine, product, tally). Without names all of them run.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../sysroot")]
sys.dont_write_bytecode = True

from image import ensure  # noqa: E402
from machine import Machine, MachineError  # noqa: E402
from product import Product  # noqa: E402
from tally import Tally  # noqa: E402


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


def run_one(name, image, disk, work, tally):
    scenario = load(name)
    tally.heading("vm: " + scenario.__doc__.strip().splitlines()[0])
    folder = os.path.join(work, name)
    os.makedirs(folder, exist_ok=True)
    overlay = os.path.join(folder, "overlay.qcow2")
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", image, "-F", "qcow2", overlay],
                   check=True)
    disks = [(overlay, "qcow2", False), (disk, "raw", True)]
    started = time.monotonic()
    try:
        with Machine(folder, disks, **scenario.MACHINE) as machine:
            scenario.run(machine, Product(machine), tally)
    except MachineError as error:
        tally.check("the scenario came to its end", False, "%s\nlogs: %s" % (error, folder))
    os.unlink(overlay)
    print("       (%s: %d s; logs in %s)" % (name, time.monotonic() - started, folder), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--product", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("names", nargs="*")
    words = parser.parse_args()
    names = words.names or sorted(entry[:-3] for entry in os.listdir(os.path.join(HERE, "scenarios"))
                                  if entry.endswith(".py"))
    os.makedirs(words.work, exist_ok=True)
    tally = Tally()
    disk = product_disk(words.product, words.work)
    image = ensure()
    for name in names:
        run_one(name, image, disk, words.work, tally)
    tally.close()


if __name__ == "__main__":
    main()
