# SPDX-License-Identifier: GPL-2.0-or-later
"""Counting checks: one line each, a closing line, and an exit code that tells."""

import sys
import time


class Tally:
    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.started = time.monotonic()

    def heading(self, text):
        print("--- %s (%d s)" % (text, time.monotonic() - self.started), flush=True)

    def check(self, what, right, seen=""):
        """One check: WHAT is claimed, whether it is RIGHT, and what was SEEN where it is not."""
        if right:
            self.passed += 1
            print("ok   - " + what, flush=True)
        else:
            self.failed += 1
            print("FAIL - " + what, flush=True)
            for line in str(seen).splitlines()[-40:]:
                print("       | " + line, flush=True)
        return bool(right)

    def equal(self, what, seen, wanted):
        return self.check(what, seen == wanted, "seen:   %r\nwanted: %r" % (seen, wanted))

    def close(self):
        print("%d passed, %d failed" % (self.passed, self.failed), flush=True)
        sys.exit(1 if self.failed else 0)
