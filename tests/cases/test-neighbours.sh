#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: test-neighbours.sh BUILD SOURCE: passthroughd beside neighbours that are not at their best, see neighbours.py.
[ -x "$1/daemon/passthroughd" ] || exit 77
# Builders are run by chroot.
[ "$(id -u)" -eq 0 ] && command -v busybox >/dev/null || exit 77
exec /usr/bin/python3 -B "$2/tests/cases/neighbours.py" "$1/daemon/passthroughctl" "$1/daemon/passthroughd"
