#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: test-bus.sh BUILD SOURCE: passthroughd on a bus of its own, see bus.py.
[ -x "$1/daemon/passthroughd" ] || exit 77
# Builders are run by chroot, and callers are several users.
[ "$(id -u)" -eq 0 ] && command -v busybox >/dev/null || exit 77
command -v dbus-daemon >/dev/null && command -v busctl >/dev/null || exit 77
exec /usr/bin/python3 -B "$2/tests/cases/bus.py" "$1/daemon/passthroughctl" "$1/daemon/passthroughd" "$2"
