#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# usage: test-catalog.sh BUILD SOURCE: the journal's catalog explains each message of the table and no other.
set -u
catalog=$2/conf/journal/passthroughd.catalog
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
sed -n 's/.*= "\([0-9a-f]\{32\}\)",/\1/p' "$2/daemon/messages.c" | sort >"$work/table"
sed -n 's/^-- \([0-9a-f]\{32\}\)$/\1/p' "$catalog" | sort >"$work/catalog"
sed -n 's/^\.It Li \([0-9a-f]\{32\}\).*/\1/p' "$2/daemon/passthroughd.8" | sort >"$work/manual"
[ -s "$work/table" ] || { echo "no message in the table"; exit 1; }
[ "$(sort -u "$work/table" | wc -l)" = "$(wc -l <"$work/table")" ] || { echo "an identity stands twice"; exit 1; }
diff "$work/table" "$work/catalog" || { echo "table (<) and catalog (>) differ"; exit 1; }
diff "$work/table" "$work/manual" || { echo "table (<) and manual (>) differ"; exit 1; }
command -v journalctl >/dev/null || exit 0
mkdir -p "$work/root/usr/lib/systemd/catalog" "$work/root/var/lib/systemd/catalog"
cp "$catalog" "$work/root/usr/lib/systemd/catalog/"
journalctl --root="$work/root" --update-catalog || exit 1
journalctl --root="$work/root" --list-catalog >"$work/list" || exit 1
[ "$(grep -c passthroughd "$work/list")" = "$(wc -l <"$work/table")" ] || { cat "$work/list"; exit 1; }
