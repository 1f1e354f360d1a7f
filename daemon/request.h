/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a front-end asks of the manager, and lists of those who wait. */
#pragma once

#include "wire.h"

/* Owned by the front-end; it must stay until it was answered or forgotten. */
struct request {
	struct wire_request what;
	bool open; /* everybody will read the answer: it quotes no file */
	/* The answer: exit code, and files with the two texts, valid during the call only. */
	void (*answer)(struct request *request, int code, int out, int err);
	struct request *next; /* the manager's */
};

/* Adds it at the end. */
void request_queue(struct request **list, struct request *request);

/* Takes it out, if it is there. */
void request_unqueue(struct request **list, const struct request *request);

/* Takes the first one out; NULL when there is none. */
struct request *request_next(struct request **list);
