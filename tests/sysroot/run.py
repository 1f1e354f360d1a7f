#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The product against real Debian trees: run.py --product FOLDER --work FOLDER [CASE...]

PRODUCT is what `DESTDIR=FOLDER cmake --install` laid out. Needs root: everything happens in a private mount
namespace, so that nothing mounted here is ever seen outside and all of it is gone at the end.
"""

import argparse
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import beside  # noqa: E402,F401
import cases  # noqa: E402
import cuts  # noqa: E402,F401
import dracut  # noqa: E402,F401
import extlinux  # noqa: E402,F401
import kernel_install  # noqa: E402,F401
import lies  # noqa: E402,F401
import ukify  # noqa: E402,F401
from root import Sysroot, make_base  # noqa: E402
from tally import Tally  # noqa: E402


def enter_namespace():
    if os.environ.get("PTHRU_SYSROOT_INSIDE") == "yes":
        return
    os.environ["PTHRU_SYSROOT_INSIDE"] = "yes"
    os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable] + sys.argv)


def tree(suite):
    return subprocess.run(["sh", os.path.join(HERE, "tree.sh"), suite], check=True,
                          stdout=subprocess.PIPE).stdout.decode().strip()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--product", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("names", nargs="*")
    words = parser.parse_args()
    enter_namespace()
    os.umask(0o022)
    work = os.path.abspath(words.work)
    os.makedirs(work, exist_ok=True)
    ctl = os.path.join(os.path.abspath(words.product), "usr/bin/passthroughctl")
    tally = Tally()
    for suite in ("bookworm", "trixie"):
        base = os.path.join(work, suite + ".ext4")
        for case in cases.CASES:
            if suite not in case.suites or (words.names and case.__name__ not in words.names):
                continue
            if not os.path.exists(base):
                make_base(tree(suite), base)
            tally.heading("sysroot, %s: %s" % (suite, case.__doc__.splitlines()[0]))
            try:
                with Sysroot(base, os.path.join(work, suite, case.__name__), ctl, case.modules) as root:
                    case(root, tally)
            except (RuntimeError, subprocess.SubprocessError, OSError) as error:
                tally.check("the case came to its end", False, repr(error))
        if os.path.exists(base):
            os.unlink(base)
    tally.close()


if __name__ == "__main__":
    main()
