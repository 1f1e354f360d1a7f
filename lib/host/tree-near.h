/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The folder below a root that was asked for last, kept open. Walking the path to a file of /sys
 * costs as much as all the rest of reading it, and what stands in one folder is read in a row.
 */
#pragma once

#include <limits.h>

#include "root.h"

struct near {
	char path[PATH_MAX]; /* "" when there is none */
	size_t len;
	int fd; /* -1: not asked for twice yet */
};

void near_init(struct near *near);
void near_done(struct near *near);

/* Makes the folder at the first n bytes of path the last one; fd is taken, -1 to open it later. */
void near_set(struct near *near, const char *path, size_t n, int fd);

/*
 * The open folder (borrowed) of path and what is to be looked for there, which may be a link.
 * Negative when the path is to be walked from the root: the folder is new, or not there.
 */
int near_folder(struct near *near, const struct root *root, const char *path,
		const char **ret_name);

/* As root_openat(). */
int near_open(struct near *near, const struct root *root, const char *path, int flags);
