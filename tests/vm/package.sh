#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Make our package, fetch D-Bus and polkit for the guest, and print the path of an archive that holds them all: that
# has whole sectors, so that it can be a disk. From build/release, as tests/run.sh leaves it.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${PTHRU_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/passthroughd}
tree=$(sh "$here/../sysroot/tree.sh")
debs=$cache/debs-polkitd
build=$here/../../build/release
made=$build/package-vm

if [ -z "$(ls "$debs"/*.deb 2>/dev/null)" ]; then
	mkdir -p "$debs/partial"
	apt-get -q -y -o Dir::State::status="$tree/var/lib/dpkg/status" -o Dir::Cache::archives="$debs" \
		-o Debug::NoLocking=1 --download-only --no-install-recommends install dbus polkitd >&2
fi
rm -rf "$made"
(cd "$build" && cpack -G DEB -B "$made" >&2)
cp "$debs"/*.deb "$made"
(cd "$made" && tar -cf package.tar -- *.deb)
echo "$made/package.tar"
