#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# clang-tidy for the analyze preset, whose compiler words hold gcc's -fanalyzer, which clang refuses.
for word; do
	shift
	[ "$word" = -fanalyzer ] || set -- "$@" "$word"
done
exec clang-tidy "$@"
