/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the shell files that a builder sources can be read: it would end in the midst of them. */
#pragma once

/*
 * The words of a command that says what is wrong, and where, and ends with another code than 0
 * then. Where there is no such shell it cannot be run, which proves nothing.
 */
#define SOURCES_SOUND(shell, patterns)                                                             \
	shell, "-c",                                                                               \
		"for f in " patterns "; do case $f in *.dpkg-*) continue ;; esac; "                \
		"[ ! -f \"$f\" ] || \"$0\" -n \"$f\" || exit; done",                               \
		shell
