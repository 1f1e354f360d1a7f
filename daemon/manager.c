/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "manager.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "contest.h"
#include "log.h"
#include "macro.h"
#include "retry.h"
#include "text.h"
#include "watch.h"
#include "worker.h"

#define STATUS_MAX 512 /* bytes of the line that systemd shows */

/* One worker answers one request; or nobody's, when only the status file is wanted. */
struct asked {
	struct request *request; /* NULL: nobody's, or forgotten */
	bool keeps;
	struct asked *next;
};

struct manager {
	struct workers workers;
	struct watch *watch;
	bool rejected; /* the files are not what is in force */
	bool checking, reconciling;
	bool check_again, reconcile_again; /* asked for while one was under way */
	bool changed;			   /* the host, since it was last looked at */
	bool healing;			   /* what it reconciles nobody asked for */
	bool ready, stopping;
	char summary[STATUS_MAX], failure[STATUS_MAX];
	char held[STATUS_MAX];	       /* devices that are only in use, "" when there are none */
	char attempt[STATUS_MAX + 64]; /* what is done about them */
	char before[STATUS_MAX];       /* the summary of the time before */
	struct retry retry;
	struct contest contest;
	struct request *reloaders; /* wait for the check that is under way */
	struct request *later;	   /* for the one after it */
	struct request *waiters;   /* until everything is done */
	struct asked *asked;
	int nothing; /* an empty file, for answers without one of the texts */
};

static void start_check(struct manager *m);
static void start_reconcile(struct manager *m);
static void settle(struct manager *m);
static void look_again(struct manager *m);

/* --- what systemd shows ----------------------------------------------------------------------- */

/* more follows the text, "" without. */
static void show(const struct manager *m, const char *text, const char *more)
{
	sd_notifyf(0, "STATUS=%s%s%s",
		   m->rejected ? "spec rejected, see passthroughctl status; " : "", text, more);
}

static void show_summary(const struct manager *m)
{
	if (m->stopping)
		show(m, "stopping when the work under way is done", "");
	else
		show(m, m->summary, m->attempt);
}

/* Under Type=notify the reload protocol is harmless, under notify-reload needed (10.2). */
static void show_reloading(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		   (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

/* --- requests --------------------------------------------------------------------------------- */

static void queue(struct request **list, struct request *request)
{
	while (*list)
		list = &(*list)->next;
	request->next = NULL;
	*list = request;
}

static void unqueue(struct request **list, const struct request *request)
{
	for (; *list; list = &(*list)->next) {
		if (*list == request) {
			*list = request->next;
			return;
		}
	}
}

static struct request *next(struct request **list)
{
	struct request *one = *list;

	if (one)
		*list = one->next;
	return one;
}

/* An answer that needs no child. */
static void answer_line(struct manager *m, struct request *request, int code, const char *line)
{
	_cleanup_close_ int err = memfd_create("diagnostics", MFD_CLOEXEC);

	if (err >= 0)
		(void)text_write(err, line, strlen(line));
	request->answer(request, code, m->nothing, err >= 0 ? err : m->nothing);
}

/* --- status ----------------------------------------------------------------------------------- */

static void drop_asked(struct manager *m, struct asked *one)
{
	for (struct asked **at = &m->asked; *at; at = &(*at)->next) {
		if (*at == one) {
			*at = one->next;
			break;
		}
	}
	free(one);
}

/* What the daemon is to watch from now on; a worker that failed leaves nothing. */
static void take_watches(struct manager *m, const struct worker *worker)
{
	_cleanup_free_ char *paths = NULL;

	if (worker_out(worker) >= 0 && text_read(worker_out(worker), &paths) == 0 && *paths)
		(void)watch_paths(m->watch, paths);
}

static int file_or(const struct manager *m, int fd)
{
	return fd < 0 ? m->nothing : fd;
}

static void status_ended(void *owner, struct worker *worker, int code)
{
	struct asked *one = worker_argument(worker);
	struct manager *m = owner;

	if (one->request)
		one->request->answer(one->request, code, file_or(m, worker_out(worker)),
				     file_or(m, worker_err(worker)));
	else if (one->keeps)
		take_watches(m, worker);
	drop_asked(m, one);
}

/* request NULL: only the status file. */
static void start_status(struct manager *m, struct request *request)
{
	static const struct worker_kind kind = {.name = "status", .ended = status_ended};
	struct asked *one = calloc(1, sizeof(*one));
	struct job job = {.verb = request ? JOB_STATUS : JOB_KEEP,
			  .form = request ? request->what.form : PTHRU_JSON,
			  .width = request ? request->what.width : 0};
	int err = one ? 0 : -ENOMEM;

	snprintf(job.failure, sizeof(job.failure), "%s", m->failure);
	contest_paths(&m->contest, job.contested, sizeof(job.contested));
	if (one) {
		one->request = request;
		one->keeps = !request;
		one->next = m->asked;
		m->asked = one;
		err = worker_start(&m->workers, &job, &kind, m, one);
	}
	if (err == 0)
		return;
	log_line(LOG_PRIORITY_ERROR, "status: %s", strerror(-err));
	if (request)
		answer_line(m, request, PTHRU_EXIT_FAILED, "error: no worker could be started\n");
	if (one)
		drop_asked(m, one);
}

/* --- reload ----------------------------------------------------------------------------------- */

static void become_ready(struct manager *m)
{
	m->ready = true;
	sd_notify(0, "READY=1");
	show_summary(m);
}

static void log_diagnostics(int fd, enum log_priority priority)
{
	_cleanup_free_ char *text = NULL;

	if (text_read(fd, &text) == 0)
		log_lines(priority, text);
}

static void answer_reloaders(struct manager *m, int code, int out, int err)
{
	struct request *one;

	while ((one = next(&m->reloaders)))
		one->answer(one, code, one->what.form == PTHRU_JSON ? out : m->nothing, err);
}

static void check_ended(void *owner, struct worker *worker, int code)
{
	struct manager *m = owner;
	bool first = !m->ready;

	m->checking = false;
	m->rejected = code != PTHRU_EXIT_DONE;
	if (worker_err(worker) >= 0)
		log_diagnostics(worker_err(worker),
				code ? LOG_PRIORITY_ERROR : LOG_PRIORITY_NOTICE);
	if (m->rejected)
		log_line(LOG_PRIORITY_ERROR, "spec rejected; the last accepted one stays in force");
	become_ready(m);
	answer_reloaders(m, code, file_or(m, worker_out(worker)), file_or(m, worker_err(worker)));
	if (!m->stopping && (!m->rejected || first)) {
		m->healing = false;
		start_reconcile(m);
	} else {
		start_status(m, NULL);
	}
	if (m->check_again && !m->stopping)
		start_check(m);
	settle(m);
}

static void start_check(struct manager *m)
{
	static const struct worker_kind kind = {.name = "check of the spec", .ended = check_ended};
	const struct job job = {.verb = JOB_CHECK, .form = PTHRU_JSON};
	int err;

	m->check_again = false;
	m->reloaders = TAKE(m->later);
	err = worker_start(&m->workers, &job, &kind, m, NULL);
	m->checking = err == 0;
	if (err == 0)
		return;
	log_line(LOG_PRIORITY_ERROR, "reload: %s", strerror(-err));
	answer_reloaders(m, PTHRU_EXIT_FAILED, m->nothing, m->nothing);
	if (!m->ready) /* whoever started us shall know */
		sd_event_exit(m->workers.event, err);
}

void manager_reload(struct manager *m, struct request *request)
{
	if (request)
		queue(&m->later, request);
	retry_reset(&m->retry);
	contest_reset(&m->contest);
	if (m->ready)
		show_reloading();
	if (m->checking)
		m->check_again = true;
	else
		start_check(m);
}

/* --- reconcile -------------------------------------------------------------------------------- */

/* What follows the word, or NULL when text begins otherwise. */
static const char *after(const char *text, const char *word)
{
	size_t n = strlen(word);

	return strncmp(text, word, n) == 0 ? text + n : NULL;
}

static int on_peace(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata)
{
	struct manager *m = userdata;

	contest_retry(&m->contest);
	look_again(m);
	return 0;
}

static void note_written(struct manager *m, const char *path)
{
	if (m->healing && contest_healed(&m->contest, path, m->workers.event, on_peace, m) > 0)
		log_line(LOG_PRIORITY_WARNING,
			 "%s was changed by something else again and again: it is left alone for "
			 "%u minutes, or until a reload",
			 path, m->contest.pause);
}

static void reconcile_heard(void *owner, const char *text)
{
	struct manager *m = owner;
	const char *rest;

	if (after(text, JOB_SAYS_LOOKING)) {
		watch_forget(m->watch);
		m->changed = false;
	} else if ((rest = after(text, JOB_SAYS_PROGRESS)))
		show(m, rest, "");
	else if ((rest = after(text, JOB_SAYS_WROTE)))
		note_written(m, rest);
	else if ((rest = after(text, JOB_SAYS_SUMMARY)))
		snprintf(m->summary, sizeof(m->summary), "%s", rest);
	else if ((rest = after(text, JOB_SAYS_FAILURE)))
		snprintf(m->failure, sizeof(m->failure), "%s", rest);
	else if ((rest = after(text, JOB_SAYS_HELD)))
		snprintf(m->held, sizeof(m->held), "%s", rest);
}

/* Nobody asked: that it ends as the time before is not worth a line. */
static void look_again(struct manager *m)
{
	/* A build is full of news, and is followed by a look of its own. */
	m->changed = m->reconciling;
	if (m->stopping || m->reconciling)
		return;
	snprintf(m->before, sizeof(m->before), "%s", m->summary);
	m->healing = true;
	start_reconcile(m);
}

static int on_retry(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata)
{
	struct manager *m = userdata;

	if (!m->reconciling)
		look_again(m);
	return 0;
}

static void on_change(void *owner, bool spec)
{
	struct manager *m = owner;

	if (spec && !m->stopping)
		manager_reload(m, NULL);
	else
		look_again(m);
}

/* Whoever holds a device tells nobody when it lets go. */
static void try_again_later(struct manager *m)
{
	int err;

	if (!*m->held) {
		retry_reset(&m->retry);
		return;
	}
	err = retry_later(&m->retry, m->workers.event, on_retry, m);
	if (err < 0)
		log_line(LOG_PRIORITY_ERROR, "no new attempt: %s", strerror(-err));
	else
		snprintf(m->attempt, sizeof(m->attempt), "; in use: %s; next attempt in %u s",
			 m->held, m->retry.pause);
}

static void reconcile_ended(void *owner, struct worker *worker, int code _unused_)
{
	struct manager *m = owner;

	m->reconciling = false;
	take_watches(m, worker);
	if (m->stopping) {
		sd_event_exit(m->workers.event, 0);
		return;
	}
	m->reconcile_again |= m->changed;
	if (!m->reconcile_again)
		try_again_later(m);
	show_summary(m);
	if (m->reconcile_again)
		start_reconcile(m);
	settle(m);
}

static void start_reconcile(struct manager *m)
{
	static const struct worker_kind kind = {
		.name = "reconcile", .heard = reconcile_heard, .ended = reconcile_ended};
	struct job job = {.verb = JOB_RECONCILE, .form = PTHRU_JSON};
	int err;

	m->reconcile_again = m->reconciling;
	if (m->reconciling)
		return;
	m->changed = false;
	retry_stop(&m->retry);
	/* What stands when the child dies without a word. */
	snprintf(m->summary, sizeof(m->summary), "failed, see the journal");
	*m->failure = *m->held = *m->attempt = '\0';
	snprintf(job.before, sizeof(job.before), "%s", m->before);
	contest_paths(&m->contest, job.contested, sizeof(job.contested));
	err = worker_start(&m->workers, &job, &kind, m, NULL);
	*m->before = '\0';
	m->reconciling = err == 0;
	if (err < 0)
		log_line(LOG_PRIORITY_ERROR, "reconcile: %s", strerror(-err));
	else
		show(m, "looking at the host", "");
}

/* --- all of it -------------------------------------------------------------------------------- */

/* When nothing is under way, those who wait for that get the status of now. */
static void settle(struct manager *m)
{
	struct request *one;

	if (m->checking || m->reconciling)
		return;
	while ((one = next(&m->waiters)))
		start_status(m, one);
}

void manager_ask(struct manager *m, struct request *request)
{
	switch (request->what.verb) {
	case WIRE_RELOAD:
		manager_reload(m, request);
		break;
	case WIRE_STATUS:
		start_status(m, request);
		break;
	case WIRE_WAIT:
		queue(&m->waiters, request);
		settle(m);
		break;
	case _WIRE_VERB_MAX:
		break;
	}
}

void manager_forget(struct manager *m, struct request *request)
{
	unqueue(&m->reloaders, request);
	unqueue(&m->later, request);
	unqueue(&m->waiters, request);
	for (struct asked *one = m->asked; one; one = one->next)
		if (one->request == request)
			one->request = NULL;
}

void manager_stop(struct manager *m)
{
	m->stopping = true;
	sd_notify(0, "STOPPING=1");
	show_summary(m);
	if (!m->reconciling || workers_outlive(&m->workers))
		sd_event_exit(m->workers.event, 0);
}

int manager_new(sd_event *event, struct pthru_ctx *ctx, const struct sockaddr_un *workers,
		struct manager **ret)
{
	struct manager *m = calloc(1, sizeof(*m));
	int err;

	if (!m)
		return -ENOMEM;
	m->workers = (struct workers){.event = event, .ctx = ctx};
	if (workers)
		m->workers.address = *workers;
	snprintf(m->summary, sizeof(m->summary), "looking at the host");
	m->nothing = memfd_create("nothing", MFD_CLOEXEC);
	err = m->nothing < 0 ? -errno : 0;
	if (err == 0)
		err = watch_new(event, ctx, &(struct watch_owner){m, on_change}, &m->watch);
	if (err < 0) {
		manager_free(m);
		return err;
	}
	*ret = m;
	return 0;
}

struct manager *manager_free(struct manager *m)
{
	if (!m)
		return NULL;
	workers_drop(&m->workers);
	while (m->asked)
		drop_asked(m, m->asked);
	retry_stop(&m->retry);
	watch_free(m->watch);
	closep(&m->nothing);
	free(m);
	return NULL;
}
