#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Fetch promtool, once, out of Debian's package of Prometheus, and print its path: all that the package depends on is
# not needed for it. It lives in the cache folder under a key made of this recipe.
set -eu

cache=${PTHRU_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/passthroughd}
tool=$cache/promtool-$(sha256sum <"$0" | cut -c 1-16)
mkdir -p "$cache"

# One at a time.
if [ "${PTHRU_PROMTOOL_INSIDE-}" != yes ]; then
	export PTHRU_PROMTOOL_INSIDE=yes
	exec flock "$cache/promtool.lock" sh "$0"
fi
if [ ! -f "$tool" ]; then
	work=$cache/promtool-work
	rm -rf --one-file-system "$work" "$cache"/promtool-????????????????
	mkdir "$work"
	(
		cd "$work"
		apt-get -q download prometheus || { apt-get -q update && apt-get -q download prometheus; }
		dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin/promtool
	) >&2
	mv "$work/usr/bin/promtool" "$tool"
	rm -r "$work"
fi
echo "$tool"
