#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: test-ostree.sh BUILD SOURCE: passthroughctl --root over hosts whose entries are deployments, see ostree.py.
ctl=$(find "$1" -type f -name passthroughctl -perm -u+x | head -n 1)
[ -n "$ctl" ] || exit 77
# Builders are run by chroot.
[ "$(id -u)" -eq 0 ] && command -v busybox >/dev/null || exit 77
exec /usr/bin/python3 -B "$2/tests/cases/ostree.py" "$ctl"
