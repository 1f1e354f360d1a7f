/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's words to the journal: lines on standard error, with a priority where it reads them.
 */
#pragma once

#include "messages.h"

enum log_priority { /* as in sd-daemon(3) */
		    LOG_PRIORITY_ERROR = 3,
		    LOG_PRIORITY_WARNING = 4,
		    LOG_PRIORITY_NOTICE = 5,
		    LOG_PRIORITY_INFO = 6,
};

void log_line(enum log_priority priority, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* What the journal keeps beside the words; NULL: none of it. */
struct log_fields {
	const char *item, *device, *state, *code;
};

/* A line of one of the kinds that operators wait for. */
void log_event(enum message message, enum log_priority priority, struct log_fields fields,
	       const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Each line of text as a line of its own; empty ones are left out. */
void log_lines(enum log_priority priority, const char *text);

/*
 * In a worker: lines go to the daemon's socket, so that all of it stands under the service; when
 * the daemon has gone they go to the worker's own standard error.
 */
void log_to_daemon(int fd);

/* In the daemon: what a worker's line was on the way. */
void log_relayed(const char *text);
