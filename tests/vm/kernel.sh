#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Fetch the package of another kernel for the guest, once, and print the path of an archive that holds it: that has
# whole sectors, so that it can be a disk. The cloud flavour's kernel is the smallest.
# It lives in the cache folder under a key made of this recipe, and comes under its name when it is whole.
set -eu

cache=${PTHRU_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/passthroughd}
package=$cache/kernel-$(sha256sum <"$0" | cut -c 1-16).tar
mkdir -p "$cache"

# One at a time.
if [ "${PTHRU_KERNEL_INSIDE-}" != yes ]; then
	export PTHRU_KERNEL_INSIDE=yes
	exec flock "$cache/kernel.lock" sh "$0"
fi
if [ -f "$package" ]; then
	echo "$package"
	exit 0
fi

kernel() {
	apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)$/\1/p' | head -n 1
}

work=$cache/kernel-work
rm -rf --one-file-system "$work" "$cache"/kernel-????????????????.tar
mkdir "$work"
cd "$work"
[ -n "$(kernel)" ] || apt-get -q update >&2
apt-get -q download "$(kernel)" >&2
tar -cf new.tar -- *.deb
mv new.tar "$package"
rm -r "$work"
echo "$package"
