/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests that are answered with what a worker says, one worker for each. */
#pragma once

#include "request.h"
#include "worker.h"

struct asked;

struct answers {
	struct workers *workers; /* borrowed */
	int nothing;		 /* an empty file, for answers without one of the texts */
	struct asked *first;
};

/* 0 or errno. */
int answers_init(struct answers *a, struct workers *workers);
/* After the workers were dropped: nobody is answered any more. */
void answers_done(struct answers *a);

/* Has the job done and the request answered, at once when no worker can be started. */
void answers_start(struct answers *a, const struct job *job, struct request *request);

/* The request will not be touched any more. */
void answers_forget(struct answers *a, const struct request *request);

/* The descriptor, or the empty file's where there is none. */
int answers_file(const struct answers *a, int fd);
