#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: test-goldens.sh BUILD SOURCE: every captured host under every spec, see goldens.py.
ctl=$(find "$1" -type f -name passthroughctl -perm -u+x | head -n 1)
[ -n "$ctl" ] || exit 77
exec /usr/bin/python3 -B "$2/tests/cases/goldens.py" "$ctl"
