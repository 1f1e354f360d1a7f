/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "manager.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "answers.h"
#include "clock.h"
#include "contest.h"
#include "events.h"
#include "log.h"
#include "macro.h"
#include "retry.h"
#include "state.h"
#include "text.h"
#include "watch.h"
#include "worker.h"

struct manager {
	struct workers workers;
	struct answers answers;
	struct watch *watch;
	struct state state;
	struct state_listener listener;
	bool checking, reconciling;
	bool check_again, reconcile_again; /* asked for while one was under way */
	bool changed;			   /* the host, since it was last looked at */
	bool healing;			   /* what it reconciles nobody asked for */
	unsigned heals;			   /* changes by others that were put right */
	int64_t succeeded;		   /* when an apply last did, seconds since 1970; 0 */
	bool ready;
	char summary[STATE_TEXT]; /* what the work under way ends with, unless it says more */
	char failure[STATE_TEXT];
	char held[STATE_TEXT]; /* devices that are only in use, "" when there are none */
	struct retry retry;
	struct contest contest;
	struct request *reloaders; /* wait for the check that is under way */
	struct request *later;	   /* for the one after it */
	struct request *waiters;   /* until everything is done */
};

static void start_check(struct manager *m);
static void start_reconcile(struct manager *m);
static void settle(struct manager *m);
static void look_again(struct manager *m);

/* --- what is shown ---------------------------------------------------------------------------- */

static void become(struct manager *m, struct state *next)
{
	next->working = m->checking || m->reconciling || m->check_again || m->reconcile_again;
	events_tell(&m->state, next);
	state_become(&m->state, next, &m->listener);
}

/* Only whether anything is under way. */
static void tell_working(struct manager *m)
{
	struct state next = m->state;

	become(m, &next);
}

/* Under Type=notify the reload protocol is harmless, under notify-reload needed (10.2). */
static void show_reloading(void)
{
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_usec());
}

/* --- status ----------------------------------------------------------------------------------- */

/* What to watch and where the host stands from now on; a worker that failed leaves neither. */
static void take_findings(struct manager *m, const struct worker *worker, struct state *next)
{
	_cleanup_free_ char *paths = NULL, *state = NULL;

	if (worker_out(worker) >= 0 && text_read(worker_out(worker), &paths) == 0 && *paths)
		(void)watch_paths(m->watch, paths);
	if (worker_err(worker) >= 0 && text_read(worker_err(worker), &state) == 0 && *state)
		(void)state_read(next, state);
}

static struct job job_of(const struct manager *m, enum job_verb verb)
{
	struct job job = {.verb = verb, .form = PTHRU_JSON};

	contest_names(&m->contest, job.contested, sizeof(job.contested));
	return job;
}

static void start_status(struct manager *m, struct request *request)
{
	struct job job = job_of(m, request->what.verb == WIRE_PLAN ? JOB_PLAN : JOB_STATUS);

	job.form = request->what.form;
	job.width = request->what.width;
	job.open = request->open;
	snprintf(job.failure, sizeof(job.failure), "%s", m->failure);
	answers_start(&m->answers, &job, request);
}

static void keep_ended(void *owner, struct worker *worker, int code)
{
	struct manager *m = owner;
	struct state next = m->state;

	next.code = code;
	take_findings(m, worker, &next);
	become(m, &next);
}

/* Only the status file. */
static void start_keep(struct manager *m)
{
	static const struct worker_kind kind = {.name = "status file", .ended = keep_ended};
	struct job job = job_of(m, JOB_KEEP);
	int err;

	snprintf(job.failure, sizeof(job.failure), "%s", m->failure);
	err = worker_start(&m->workers, &job, &kind, m, NULL);
	if (err < 0)
		log_line(LOG_PRIORITY_ERROR, "status file: %s", strerror(-err));
}

/* --- reload ----------------------------------------------------------------------------------- */

static void become_ready(struct manager *m)
{
	m->ready = true;
	sd_notify(0, "READY=1");
	state_show_summary(&m->state);
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

	while ((one = request_next(&m->reloaders)))
		one->answer(one, code, one->what.form == PTHRU_JSON ? out : m->answers.nothing,
			    err);
}

static void check_ended(void *owner, struct worker *worker, int code)
{
	struct manager *m = owner;
	struct state next = m->state;
	bool first = !m->ready;

	m->checking = false;
	next.rejected = code != PTHRU_EXIT_DONE;
	become(m, &next);
	if (worker_err(worker) >= 0)
		log_diagnostics(worker_err(worker),
				code ? LOG_PRIORITY_ERROR : LOG_PRIORITY_NOTICE);
	if (m->state.rejected)
		log_event(MESSAGE_SPEC_REJECTED, LOG_PRIORITY_ERROR,
			  (struct log_fields){.state = "rejected"},
			  "spec rejected; the last accepted one stays in force");
	become_ready(m);
	answer_reloaders(m, code, answers_file(&m->answers, worker_out(worker)),
			 answers_file(&m->answers, worker_err(worker)));
	if (!m->state.stopping && (!m->state.rejected || first)) {
		m->healing = false;
		start_reconcile(m);
	} else {
		start_keep(m);
	}
	if (m->check_again && !m->state.stopping)
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
	tell_working(m);
	if (err == 0)
		return;
	log_line(LOG_PRIORITY_ERROR, "reload: %s", strerror(-err));
	answer_reloaders(m, PTHRU_EXIT_FAILED, m->answers.nothing, m->answers.nothing);
	if (!m->ready) /* whoever started us shall know */
		sd_event_exit(m->workers.event, err);
}

void manager_reload(struct manager *m, struct request *request)
{
	if (request)
		request_queue(&m->later, request);
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
	if (!m->healing)
		return;
	m->heals++;
	log_event(MESSAGE_HEALED, LOG_PRIORITY_NOTICE, (struct log_fields){.item = path},
		  "%s was changed by something else, and is right again", path);
	if (contest_healed(&m->contest, path, m->workers.event, on_peace, m) > 0)
		log_event(MESSAGE_CONTESTED, LOG_PRIORITY_WARNING,
			  (struct log_fields){.item = path},
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
		state_show(&m->state, rest);
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
	if (m->state.stopping || m->reconciling)
		return;
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

	if (spec && !m->state.stopping)
		manager_reload(m, NULL);
	else
		look_again(m);
}

/* Whoever holds a device tells nobody when it lets go. */
static void try_again_later(struct manager *m, struct state *next)
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
		snprintf(next->attempt, sizeof(next->attempt), "; in use: %s; next attempt in %u s",
			 m->held, m->retry.pause);
}

static void reconcile_ended(void *owner, struct worker *worker, int code)
{
	struct manager *m = owner;
	struct state next = m->state;

	m->reconciling = false;
	if (m->state.stopping) {
		sd_event_exit(m->workers.event, 0);
		return;
	}
	next.code = code;
	if (code == PTHRU_EXIT_DONE || code == PTHRU_EXIT_REBOOT)
		m->succeeded = time(NULL);
	snprintf(next.summary, sizeof(next.summary), "%s", m->summary);
	take_findings(m, worker, &next);
	m->reconcile_again |= m->changed;
	if (!m->reconcile_again)
		try_again_later(m, &next);
	become(m, &next);
	state_show_summary(&m->state);
	if (m->reconcile_again)
		start_reconcile(m);
	settle(m);
}

static void start_reconcile(struct manager *m)
{
	static const struct worker_kind kind = {
		.name = "reconcile", .heard = reconcile_heard, .ended = reconcile_ended};
	struct job job = job_of(m, JOB_RECONCILE);
	struct state next = m->state;
	int err;

	m->reconcile_again = m->reconciling;
	if (m->reconciling)
		return;
	m->changed = false;
	retry_stop(&m->retry);
	/* What stands when the child dies without a word. */
	snprintf(m->summary, sizeof(m->summary), "failed, see the journal");
	*m->failure = *m->held = *next.attempt = '\0';
	if (m->healing)
		snprintf(job.before, sizeof(job.before), "%s", m->state.summary);
	job.healing = m->healing;
	job.heals = m->heals;
	job.succeeded = m->succeeded;
	err = worker_start(&m->workers, &job, &kind, m, NULL);
	m->reconciling = err == 0;
	become(m, &next);
	if (err < 0)
		log_line(LOG_PRIORITY_ERROR, "reconcile: %s", strerror(-err));
	else
		state_show(&m->state, "looking at the host");
}

/* Somebody asked: nothing is held back. */
static void apply(struct manager *m)
{
	if (m->state.stopping)
		return;
	retry_reset(&m->retry);
	contest_reset(&m->contest);
	m->healing = false;
	start_reconcile(m);
}

/* --- all of it -------------------------------------------------------------------------------- */

/* When nothing is under way, those who wait for that get the status of now. */
static void settle(struct manager *m)
{
	struct request *one;

	if (m->checking || m->reconciling)
		return;
	while ((one = request_next(&m->waiters)))
		start_status(m, one);
}

void manager_ask(struct manager *m, struct request *request)
{
	switch (request->what.verb) {
	case WIRE_RELOAD:
		manager_reload(m, request);
		break;
	case WIRE_PLAN:
	case WIRE_STATUS:
		start_status(m, request);
		break;
	case WIRE_APPLY:
		apply(m);
		request_queue(&m->waiters, request);
		settle(m);
		break;
	case WIRE_WAIT:
		request_queue(&m->waiters, request);
		settle(m);
		break;
	case _WIRE_VERB_MAX:
		break;
	}
}

void manager_forget(struct manager *m, struct request *request)
{
	request_unqueue(&m->reloaders, request);
	request_unqueue(&m->later, request);
	request_unqueue(&m->waiters, request);
	answers_forget(&m->answers, request);
}

const struct state *manager_state(const struct manager *m)
{
	return &m->state;
}

void manager_listen(struct manager *m, const struct state_listener *listener)
{
	m->listener = *listener;
}

void manager_stop(struct manager *m)
{
	m->state.stopping = true;
	sd_notify(0, "STOPPING=1");
	state_show_summary(&m->state);
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
	m->state.code = STATE_UNKNOWN;
	snprintf(m->state.summary, sizeof(m->state.summary), "looking at the host");
	err = answers_init(&m->answers, &m->workers);
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
	answers_done(&m->answers);
	retry_stop(&m->retry);
	watch_free(m->watch);
	state_devices_free(m->state.devices);
	free(m);
	return NULL;
}
