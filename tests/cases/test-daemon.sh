#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: test-daemon.sh BUILD SOURCE: passthroughd as a plain process below small roots, see daemon.py.
[ -x "$1/daemon/passthroughd" ] || exit 77
# Builders are run by chroot.
[ "$(id -u)" -eq 0 ] && command -v busybox >/dev/null || exit 77
exec /usr/bin/python3 -B "$2/tests/cases/daemon.py" "$1/daemon/passthroughctl" "$1/daemon/passthroughd"
