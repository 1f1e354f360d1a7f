/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unified diffs of short text files, as patch(1) takes them. Pure. */
#pragma once

#include "strbuf.h"

/*
 * Appends the unified diff of two texts, "--- a/PATH" and "+++ b/PATH" with three lines of
 * context; before or after NULL means /dev/null. Nothing is appended for equal texts. Control
 * bytes other than tab and newline are shown escaped. A missing last newline is marked.
 */
void diff_unified(struct strbuf *out, const char *path, const char *before, size_t before_size,
		  const char *after, size_t after_size);
