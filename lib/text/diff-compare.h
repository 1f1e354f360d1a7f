/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which lines of two texts differ, for this folder's own use. Pure. */
#pragma once

#include <stdbool.h>

#include "arena.h"

struct diff_line {
	const char *at;
	size_t len;	/* newline included */
	size_t same_as; /* equal for equal lines of both texts */
	bool changed;	/* only in this text */
};

struct diff_text {
	struct diff_line *lines;
	size_t n;
};

/*
 * Cuts both texts into lines and marks those that are not common to both. Memory is linear in the
 * number of lines; so is time, times the number of differences, of which there is a bound. Beyond
 * it the marks are right but no longer the fewest. 0 or -ENOMEM.
 */
int diff_compare(struct arena *a, const char *const bytes[2], const size_t size[2],
		 struct diff_text ret[2]);
