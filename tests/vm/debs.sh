#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: debs.sh PACKAGE...
# Fetch what installing those packages takes in the tree that the guest is made of, once, and print the path of an
# archive that holds it: that has whole sectors, so that it can be a disk.
set -eu

cache=${PTHRU_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/passthroughd}
tree=$(sh "$(dirname "$0")/../sysroot/tree.sh")
debs=$cache/debs-$(echo "$*" | tr ' ' +)

fetch() {
	apt-get -q -y -o Dir::State::status="$tree/var/lib/dpkg/status" -o Dir::Cache::archives="$debs" \
		-o Debug::NoLocking=1 --download-only --no-install-recommends install "$@" >&2
}

mkdir -p "$debs/partial"
if [ -z "$(find "$debs" -maxdepth 1 -name '*.deb')" ]; then
	# Lists may be old, or not there.
	fetch "$@" || { apt-get -q update >&2 && fetch "$@"; }
fi
(cd "$debs" && tar -cf packages.new -- *.deb && mv packages.new packages.tar)
echo "$debs/packages.tar"
