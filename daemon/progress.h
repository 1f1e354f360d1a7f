/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line on the terminal, redrawn: which step, which kernel, for how long. Nothing when piped. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "passthrough.h"

struct progress {
	bool drawn;
	size_t index, count;
	char what[160];
};

/* Has the context tell progress, if standard error is a terminal. */
void progress_begin(struct progress *progress, struct pthru_ctx *ctx);

/* Clears the line. */
void progress_end(struct progress *progress);
