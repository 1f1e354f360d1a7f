#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Make our package, fetch D-Bus and polkit for the guest, and print the path of an archive that holds them all.
# From build/release, as tests/run.sh leaves it.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=$here/../../build/release
made=$build/package-vm

rm -rf "$made"
(cd "$build" && cpack -G DEB -B "$made" >&2)
tar -xf "$(sh "$here/../sysroot/debs.sh" dbus polkitd)" -C "$made"
(cd "$made" && tar -cf package.tar -- *.deb)
echo "$made/package.tar"
