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

#include "jobs.h"
#include "log.h"
#include "macro.h"
#include "retry.h"
#include "text.h"

#define STATUS_MAX 512 /* bytes of the line that systemd shows */

/* One child answers one request; or nobody's, when only the status file is wanted. */
struct asked {
	struct job job;
	struct request *request; /* NULL: nobody's, or forgotten */
	struct asked *next;
};

struct manager {
	struct workers workers;
	struct pthru_ctx *ctx;
	struct pthru_spec *in_force;  /* NULL: none was ever accepted */
	struct pthru_spec *candidate; /* being checked */
	struct pthru_diags *found;    /* when the files were read last */
	bool rejected;		      /* they are not what is in force */
	struct job check, work;	      /* what the children of that name are at */
	bool checking, reconciling;
	bool check_again, reconcile_again; /* asked for while one was under way */
	bool ready, stopping;
	char summary[STATUS_MAX], failure[STATUS_MAX];
	char held[STATUS_MAX];	       /* devices that are only in use, "" when there are none */
	char attempt[STATUS_MAX + 64]; /* what is done about them */
	char before[STATUS_MAX];       /* the summary of the time before */
	struct retry retry;
	struct request *reloaders; /* wait for the check that is under way */
	struct request *later;	   /* for the one after it */
	struct request *waiters;   /* until everything is done */
	struct asked *asked;
	int nothing; /* an empty file, for answers without one of the texts */
};

static void start_check(struct manager *m);
static void start_reconcile(struct manager *m);
static void settle(struct manager *m);

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
	else if (!m->in_force)
		show(m, "no spec is in force", "");
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

static int work_status(void *owner _unused_, void *argument, const struct worker_ends *ends)
{
	const struct asked *one = argument;

	return job_status(&one->job, ends);
}

static void status_ended(void *owner, struct worker *worker, int code)
{
	struct asked *one = worker_argument(worker);

	if (one->request)
		one->request->answer(one->request, code, worker_out(worker), worker_err(worker));
	drop_asked(owner, one);
}

/* request NULL: only the status file. */
static void start_status(struct manager *m, struct request *request)
{
	static const struct worker_kind kind = {
		.name = "status", .work = work_status, .ended = status_ended};
	struct asked *one = calloc(1, sizeof(*one));
	int err = one ? 0 : -ENOMEM;

	if (one) {
		one->request = request;
		one->job = (struct job){
			.ctx = m->ctx,
			.spec = m->in_force,
			.found = m->found,
			.rejected = m->rejected,
			.failure = m->failure,
			.keep = !request,
			.form = request ? request->what.form : PTHRU_JSON,
			.width = request ? request->what.width : 0,
		};
		one->next = m->asked;
		m->asked = one;
		err = worker_start(&m->workers, &kind, m, one);
	}
	if (err == 0)
		return;
	log_line(LOG_PRIORITY_ERROR, "status: %s", strerror(-err));
	if (request)
		answer_line(m, request, PTHRU_EXIT_FAILED, "error: no child could be started\n");
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

static void take_over(struct manager *m)
{
	pthru_spec_free(m->in_force);
	m->in_force = TAKE(m->candidate);
	m->rejected = false;
	log_line(LOG_PRIORITY_INFO, "spec accepted: %zu file%s", pthru_spec_files(m->in_force),
		 pthru_spec_files(m->in_force) == 1 ? "" : "s");
}

/* At the start the last accepted spec is what stays in force. */
static void fall_back(struct manager *m)
{
	struct pthru_diags *diags = NULL;
	int err;

	m->candidate = pthru_spec_free(m->candidate);
	m->rejected = true;
	if (m->ready || m->in_force) {
		log_line(LOG_PRIORITY_ERROR, "spec rejected; the last accepted one stays in force");
		return;
	}
	err = pthru_diags_new(&diags);
	if (err == 0)
		err = pthru_spec_load_accepted(m->ctx, diags, &m->in_force);
	pthru_diags_free(diags);
	log_line(LOG_PRIORITY_ERROR,
		 err == 0 ? "spec rejected; the last accepted one is in force"
			  : "spec rejected, and none was ever accepted: nothing is done");
}

static void check_ended(void *owner, struct worker *worker, int code)
{
	struct manager *m = owner;
	bool first = !m->ready;

	m->checking = false;
	log_diagnostics(worker_err(worker), code ? LOG_PRIORITY_ERROR : LOG_PRIORITY_NOTICE);
	if (code == PTHRU_EXIT_DONE)
		take_over(m);
	else
		fall_back(m);
	become_ready(m);
	answer_reloaders(m, code, worker_out(worker), worker_err(worker));
	if (m->in_force && !m->stopping && (code == PTHRU_EXIT_DONE || first))
		start_reconcile(m);
	else
		start_status(m, NULL);
	if (m->check_again && !m->stopping)
		start_check(m);
	settle(m);
}

static int work_check(void *owner, void *argument _unused_, const struct worker_ends *ends)
{
	return job_accept(&((struct manager *)owner)->check, ends);
}

/* Reads the files here, where the spec is to live; what may take long goes to a child. */
static void start_check(struct manager *m)
{
	static const struct worker_kind kind = {
		.name = "check of the spec", .work = work_check, .ended = check_ended};
	struct pthru_diags *found = NULL;
	int err = pthru_diags_new(&found);

	m->check_again = false;
	m->reloaders = TAKE(m->later);
	if (err == 0) {
		pthru_diags_free(m->found);
		m->found = found;
		m->candidate = pthru_spec_free(m->candidate);
		(void)pthru_spec_load(m->ctx, m->found, &m->candidate);
		m->check = (struct job){
			.ctx = m->ctx, .spec = m->candidate, .found = found, .form = PTHRU_JSON};
		err = worker_start(&m->workers, &kind, m, NULL);
	}
	m->checking = err == 0;
	if (err == 0)
		return;
	log_line(LOG_PRIORITY_ERROR, "reload: %s", strerror(-err));
	answer_reloaders(m, PTHRU_EXIT_FAILED, m->nothing, m->nothing);
}

void manager_reload(struct manager *m, struct request *request)
{
	if (request)
		queue(&m->later, request);
	retry_reset(&m->retry);
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

static void reconcile_heard(void *owner, const char *text)
{
	struct manager *m = owner;
	const char *rest;

	if ((rest = after(text, JOB_SAYS_PROGRESS)))
		show(m, rest, "");
	else if ((rest = after(text, JOB_SAYS_SUMMARY)))
		snprintf(m->summary, sizeof(m->summary), "%s", rest);
	else if ((rest = after(text, JOB_SAYS_FAILURE)))
		snprintf(m->failure, sizeof(m->failure), "%s", rest);
	else if ((rest = after(text, JOB_SAYS_HELD)))
		snprintf(m->held, sizeof(m->held), "%s", rest);
}

static int on_retry(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata)
{
	struct manager *m = userdata;

	if (!m->reconciling && !m->stopping) {
		snprintf(m->before, sizeof(m->before), "%s", m->summary);
		start_reconcile(m);
	}
	return 0;
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

static void reconcile_ended(void *owner, struct worker *worker _unused_, int code _unused_)
{
	struct manager *m = owner;

	m->reconciling = false;
	if (m->stopping) {
		sd_event_exit(m->workers.event, 0);
		return;
	}
	if (!m->reconcile_again)
		try_again_later(m);
	show_summary(m);
	if (m->reconcile_again)
		start_reconcile(m);
	settle(m);
}

static int work_reconcile(void *owner, void *argument _unused_, const struct worker_ends *ends)
{
	return job_reconcile(&((struct manager *)owner)->work, ends);
}

static void start_reconcile(struct manager *m)
{
	static const struct worker_kind kind = {.name = "reconcile",
						.work = work_reconcile,
						.heard = reconcile_heard,
						.ended = reconcile_ended};
	int err;

	m->reconcile_again = m->reconciling;
	if (m->reconciling)
		return;
	retry_stop(&m->retry);
	/* What stands when the child dies without a word. */
	snprintf(m->summary, sizeof(m->summary), "failed, see the journal");
	*m->failure = *m->held = *m->attempt = '\0';
	m->work = (struct job){.ctx = m->ctx,
			       .spec = m->in_force,
			       .found = m->found,
			       .rejected = m->rejected,
			       .before = *m->before ? m->before : NULL,
			       .form = PTHRU_JSON};
	err = worker_start(&m->workers, &kind, m, NULL);
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
	if (!m->reconciling)
		sd_event_exit(m->workers.event, 0);
}

int manager_new(sd_event *event, struct pthru_ctx *ctx, struct manager **ret)
{
	struct manager *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->workers.event = event;
	m->ctx = ctx;
	snprintf(m->summary, sizeof(m->summary), "looking at the host");
	m->nothing = memfd_create("nothing", MFD_CLOEXEC);
	if (m->nothing < 0) {
		free(m);
		return -errno;
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
	pthru_spec_free(m->in_force);
	pthru_spec_free(m->candidate);
	pthru_diags_free(m->found);
	closep(&m->nothing);
	free(m);
	return NULL;
}
