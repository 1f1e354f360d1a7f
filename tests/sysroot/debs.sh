#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: debs.sh [--folder] PACKAGE...
# Fetch what installing those packages takes in the tree of Debian 12 (tree.sh), once, by this machine's apt, and print
# the path of an archive that holds it: that has whole sectors, so that it can be a guest's disk. --folder: print that
# of the folder where the packages lie.
set -eu

print=archive
[ "$1" != --folder ] || {
	print=folder
	shift
}
cache=${PTHRU_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/passthroughd}
tree=$(sh "$(dirname "$0")/tree.sh")
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
if [ $print = folder ]; then
	echo "$debs"
	exit 0
fi
(cd "$debs" && tar -cf packages.new -- *.deb && mv packages.new packages.tar)
echo "$debs/packages.tar"
