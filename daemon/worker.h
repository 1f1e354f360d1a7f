/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work that may take long or hang is done in a forked child, so that the loop stays responsive.
 * The child starts with all that the daemon knows, says short things while it works, leaves two
 * texts in memory files, and ends with an exit code.
 */
#pragma once

#include <systemd/sd-event.h>

struct worker;

/* The child's side. */
struct worker_ends {
	int out; /* memory file: the answer */
	int err; /* memory file: diagnostics for people */
	int talk;
};

struct worker_kind {
	const char *name;
	/* In the child; what it returns is its exit code. */
	int (*work)(void *owner, void *argument, const struct worker_ends *ends);
	/* In the daemon: the child said something. NULL: nobody listens. */
	void (*heard)(void *owner, const char *text);
	/* In the daemon: code is the exit code, 1 for a child that was killed. The worker's files
	 * can be read until this returns; then it is freed. */
	void (*ended)(void *owner, struct worker *worker, int code);
};

/* All that are under way. */
struct workers {
	sd_event *event; /* borrowed */
	struct worker *first;
};

/* 0 or errno. owner and argument are handed on. */
int worker_start(struct workers *all, const struct worker_kind *kind, void *owner, void *argument);

/* Stops listening to those under way: their children go on, and nobody hears how they end. */
void workers_drop(struct workers *all);

void *worker_argument(const struct worker *worker);
int worker_out(const struct worker *worker);
int worker_err(const struct worker *worker);

/* In the child: one short message; lost when the daemon is behind. */
void worker_tell(const struct worker_ends *ends, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
