#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The half that listens stays in its sandbox: an exposure under 2.0, as systemd reckons it (10.8).
# usage: test-exposure.sh BUILD SOURCE
command -v systemd-analyze >/dev/null || { echo "no systemd-analyze"; exit 77; }
said=$(systemd-analyze security --offline=true --no-pager --threshold=19 "$1/systemd/passthroughd.service" 2>&1) && exit 0
echo "$said"
exit 1
