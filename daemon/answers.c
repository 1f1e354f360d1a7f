/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "answers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "log.h"
#include "macro.h"
#include "text.h"

struct asked {
	struct request *request; /* NULL: forgotten */
	struct asked *next;
};

int answers_init(struct answers *a, struct workers *workers)
{
	*a = (struct answers){.workers = workers, .nothing = memfd_create("nothing", MFD_CLOEXEC)};
	return a->nothing < 0 ? -errno : 0;
}

static void drop(struct answers *a, struct asked *one)
{
	for (struct asked **at = &a->first; *at; at = &(*at)->next) {
		if (*at == one) {
			*at = one->next;
			break;
		}
	}
	free(one);
}

void answers_done(struct answers *a)
{
	while (a->first)
		drop(a, a->first);
	closep(&a->nothing);
}

int answers_file(const struct answers *a, int fd)
{
	return fd < 0 ? a->nothing : fd;
}

static void ended(void *owner, struct worker *worker, int code)
{
	struct asked *one = worker_argument(worker);
	struct answers *a = owner;

	if (one->request)
		one->request->answer(one->request, code, answers_file(a, worker_out(worker)),
				     answers_file(a, worker_err(worker)));
	drop(a, one);
}

/* An answer that needs no worker. */
static void answer_line(struct answers *a, struct request *request, const char *line)
{
	_cleanup_close_ int err = memfd_create("diagnostics", MFD_CLOEXEC);

	if (err >= 0)
		(void)text_write(err, line, strlen(line));
	request->answer(request, PTHRU_EXIT_FAILED, a->nothing, answers_file(a, err));
}

void answers_start(struct answers *a, const struct job *job, struct request *request)
{
	static const struct worker_kind kind = {.name = "status", .ended = ended};
	struct asked *one = calloc(1, sizeof(*one));
	int err = one ? 0 : -ENOMEM;

	if (one) {
		*one = (struct asked){.request = request, .next = a->first};
		a->first = one;
		err = worker_start(a->workers, job, &kind, a, one);
	}
	if (err == 0)
		return;
	log_line(LOG_PRIORITY_ERROR, "status: %s", strerror(-err));
	answer_line(a, request, "error: no worker could be started\n");
	if (one)
		drop(a, one);
}

void answers_forget(struct answers *a, const struct request *request)
{
	for (struct asked *one = a->first; one; one = one->next)
		if (one->request == request)
			one->request = NULL;
}
