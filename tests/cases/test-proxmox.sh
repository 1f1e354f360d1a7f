#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: test-proxmox.sh BUILD SOURCE: passthroughctl --root over hosts of proxmox-boot-tool, see proxmox.py.
ctl=$(find "$1" -type f -name passthroughctl -perm -u+x | head -n 1)
[ -n "$ctl" ] || exit 77
# Builders are run by chroot.
[ "$(id -u)" -eq 0 ] && command -v busybox >/dev/null && command -v mcopy >/dev/null || exit 77
exec /usr/bin/python3 -B "$2/tests/cases/proxmox.py" "$ctl"
