#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: test-cli.sh BUILD SOURCE: the words, exit codes and forms of passthroughctl, see cli.py.
[ -x "$1/daemon/passthroughctl" ] || exit 77
command -v busybox >/dev/null || exit 77
exec /usr/bin/python3 -B "$2/tests/cases/cli.py" "$1/daemon/passthroughctl"
