/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work that may take long, hang or write to the host is done by a worker, so that the loop stays
 * responsive. A worker gets one job, says short things while it works, and ends with an exit code
 * and two texts. It is a forked child, or, where systemd listens for us, a unit of its own with the
 * privileges that builders need (10.7), which outlives the daemon.
 */
#pragma once

#include <sys/un.h>
#include <systemd/sd-event.h>

#include "job.h"

struct worker;

struct worker_kind {
	const char *name;
	/* It said something. NULL: nobody listens. */
	void (*heard)(void *owner, const char *text);
	/* code is the exit code, 1 for a worker that died. The worker's files can be read until
	 * this returns; then it is freed. */
	void (*ended)(void *owner, struct worker *worker, int code);
};

/* All that are under way. */
struct workers {
	sd_event *event;	    /* borrowed */
	struct pthru_ctx *ctx;	    /* borrowed: what a forked child works with */
	struct sockaddr_un address; /* where workers are started for us; sun_path "": forked */
	struct worker *first;
};

/* 0 or errno. owner and argument are handed on. */
int worker_start(struct workers *all, const struct job *job, const struct worker_kind *kind,
		 void *owner, void *argument);

/* Whether they go on by themselves when the daemon ends. */
bool workers_outlive(const struct workers *all);

/* Stops listening to those under way: they go on, and nobody hears how they end. */
void workers_drop(struct workers *all);

void *worker_argument(const struct worker *worker);

/* Files with the answer and with diagnostics for people; -1 when it died. */
int worker_out(const struct worker *worker);
int worker_err(const struct worker *worker);
