/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two kinds of child process: one that may be left behind, and a builder. Effects. */
#pragma once

#include <stdint.h>

#include "ops.h"

/*
 * Calls fn(arg) in a disposable child and returns what it returned (0 or a negative errno).
 * -ETIMEDOUT after deadline_ms: the child may be stuck in the kernel where no signal reaches it
 * (fact 7.11), so it is left alone; it is nobody's to wait for and vanishes when it can.
 */
int child_call(int (*fn)(void *arg), void *arg, unsigned deadline_ms);

struct child {
	pid_t pid;
	int log; /* what it says; to be closed */
	int64_t began;
	unsigned deadline_ms; /* from then on */
};

/* Starts a command below the root; see struct ops. 0 or negative errno. */
int child_start(const struct root *root, const struct ops_command *command, struct arena *a,
		struct child *ret);

/*
 * Waits for it, and closes its log. progress may be NULL. After its deadline its process group is
 * asked to end, then killed.
 */
int child_wait(struct child *child, const struct progress *progress, struct arena *a,
	       struct ops_result *ret);

/* Both. */
int child_run(const struct root *root, const struct ops_command *command,
	      const struct progress *progress, struct arena *a, struct ops_result *ret);

/*
 * The last lines of text for people: at most lines lines and max bytes, cut at a line's start where
 * there is one, bytes that are no UTF-8 and control bytes replaced. NULL: out of memory. Pure.
 */
const char *output_tail(struct arena *a, const char *text, size_t size, unsigned lines, size_t max);
