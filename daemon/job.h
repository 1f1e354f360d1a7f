/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon asks of a worker, as the text of one packet. A worker finds the rest on the disk:
 * whoever talks to it can have the administrator's spec applied, and no other.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "passthrough.h"

enum job_verb {
	JOB_CHECK,     /* do the files hold on this host? then they are kept as accepted */
	JOB_RECONCILE, /* apply the spec in force, leave the status file; `out` lists paths to
			  watch, `err` the state */
	JOB_PLAN,      /* what an apply of the spec in force would do */
	JOB_STATUS,    /* the same, and how the last one ended */
	JOB_KEEP,      /* the state of now into the status file; `out` and `err` as JOB_RECONCILE */
	_JOB_VERB_MAX
};

#define JOB_TEXT_SIZE 768  /* of one text, with its end */
#define JOB_SIZE      4096 /* of a packet */

struct job {
	enum job_verb verb;
	enum pthru_form form;
	unsigned width;
	bool open;		       /* everybody will read the answer */
	bool healing;		       /* nobody asked: what is changed was changed by others */
	unsigned heals;		       /* so far; for the metrics */
	int64_t succeeded;	       /* when an apply last did, seconds since 1970; 0 */
	char failure[JOB_TEXT_SIZE];   /* of the last apply: "CODE TEXT", "" when it went well */
	char before[JOB_TEXT_SIZE];    /* trying again: the summary of the last time; "" */
	char contested[JOB_TEXT_SIZE]; /* what is left alone, a blank between; "" */
};

/* Writes the packet's text; returns its length. */
size_t job_format(const struct job *job, char ret[static JOB_SIZE]);

/* 0, or -EBADMSG for what is no job. */
int job_parse(const char *text, struct job *ret);

/* What a worker says while it works begins with one of these. */
#define JOB_SAYS_LOG	  "log "    /* and priority, message, state, a line; blanks between */
#define JOB_SAYS_LOOKING  "looking" /* what changes from now on may not have been seen */
#define JOB_SAYS_PROGRESS "progress "
#define JOB_SAYS_WROTE	  "wrote " /* and the path of a file that was written or removed */
#define JOB_SAYS_SUMMARY  "summary "
#define JOB_SAYS_FAILURE  "failure " /* and the code, and a blank */
#define JOB_SAYS_HELD	  "held "    /* and the devices that somebody holds, and nothing else */

/*
 * The worker's side: takes one job from the socket, does it, and answers as wire_reply_send does.
 * ctx has the root and the spec's path. Returns the exit code.
 */
int job_serve(struct pthru_ctx *ctx, int fd);
