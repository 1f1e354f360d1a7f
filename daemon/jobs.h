/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What workers do: each runs in a child of its own, on values that the daemon had when it forked.
 */
#pragma once

#include "wire.h"
#include "worker.h"

struct job {
	struct pthru_ctx *ctx;
	const struct pthru_spec *spec;	 /* NULL: none */
	const struct pthru_diags *found; /* when the files were read last */
	bool rejected;			 /* and they are not what is in force */
	const char *failure;		 /* of the last apply: "CODE TEXT", "" when it went well */
	const char *before;		 /* trying again: the summary of the last time; or NULL */
	bool keep;			 /* status: leave the document in the status file too */
	enum pthru_form form;
	unsigned width;
};

/* What a worker tells begins with one of these. */
#define JOB_SAYS_PROGRESS "progress "
#define JOB_SAYS_SUMMARY  "summary "
#define JOB_SAYS_FAILURE  "failure " /* and the code, and a blank */
#define JOB_SAYS_HELD	  "held "    /* and the devices that somebody holds, and nothing else */

/*
 * Does the spec hold on this host? If so it is kept as the last accepted one. Without a spec it
 * only tells what was found.
 */
int job_accept(const struct job *job, const struct worker_ends *ends);

/*
 * Applies the spec in force, logs what was done, leaves the status file. When it was tried before
 * with the same end, that is not logged again.
 */
int job_reconcile(const struct job *job, const struct worker_ends *ends);

/* The state of now as status, in the form of the job. */
int job_status(const struct job *job, const struct worker_ends *ends);
