/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * modprobe.d as libkmod reads it (facts 6.1 to 6.18). The caller gives the files in libkmod's
 * order (modprobe_order does the ordering); we answer what is in force. Pure.
 */
#pragma once

#include <stdbool.h>

#include "array.h"

struct modprobe_source {
	const char *path;
	const char *text;
};

struct modprobe_line {
	const char *path;
	unsigned line;	     /* the first one, where lines are joined */
	const char *keyword; /* options, blacklist, softdep, install, remove, alias, weakdep */
	const char *module;  /* kernel's spelling, may be a pattern (6.6); alias: the alias */
	const char *rest;    /* remainder, trimmed; "" */
};

struct modprobe {
	ARRAY_OF(struct modprobe_line) lines;
	ARRAY_OF(struct modprobe_line)
	bad; /* ignored by kmod with a warning; keyword is its word */
};

/*
 * Given the directories' contents as full paths, yields those that count, in reading order: only
 * *.conf, higher directory hides equal base name, sorted by base name (6.2). dirs is ordered
 * highest first. The kernel's modules.softdep joins under its own name (6.3) when
 * its path is among paths.
 */
int modprobe_order(struct arena *a, const struct words *paths, const char *const *dirs,
		   size_t n_dirs, struct words *ret);

/* Parses all sources in order. 0 or -ENOMEM. */
int modprobe_parse(struct arena *a, const struct modprobe_source *sources, size_t n,
		   struct modprobe *ret);

/*
 * The value in force for module.param by modprobe.d: last one wins over all options lines
 * (6.7). The lines count whose name is the module's own; libkmod takes no pattern here. A
 * parameter without '=' is "1", as the kernel has it. NULL: not set, or no memory. ret_where may
 * be NULL.
 */
const char *modprobe_option(struct arena *a, const struct modprobe *m, const char *module,
			    const char *param, const struct modprobe_line **ret_where);

/* The first line that blacklists module, no pattern either, or NULL (6.13). */
const struct modprobe_line *modprobe_blacklisted(const struct modprobe *m, const char *module);

/* The first (only effective, 6.9) softdep line whose pattern fits module, or NULL. */
const struct modprobe_line *modprobe_softdep(const struct modprobe *m, const char *module);

/* Whether that softdep line has name among its pre: modules. */
bool modprobe_softdep_pre(const struct modprobe_line *line, const char *name);

/*
 * The first install line whose pattern fits module, or NULL (6.8). It is without effect when
 * modprobe_softdep finds one, too (6.10).
 */
const struct modprobe_line *modprobe_install(const struct modprobe *m, const char *module);
