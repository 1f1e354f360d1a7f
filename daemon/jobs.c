/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The worker's side of each job. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "clock.h"
#include "job.h"
#include "log.h"
#include "macro.h"
#include "state.h"
#include "strbuf.h"
#include "text.h"
#include "wire.h"

/* Many times what lies between two ticks. */
#define EXTEND_USEC (30 * 1000 * 1000U)

/* What a job has in hand besides its words. */
struct bench {
	const struct job *job;
	struct pthru_ctx *ctx;
	int socket; /* to the daemon */
	int out, err;
	struct pthru_diags *diags;
	struct pthru_spec *spec; /* NULL: none was ever accepted */
	unsigned healed;	 /* by this job, where nobody asked */
	bool current;		 /* it is what the files say */
	char step[256];		 /* for people: which one is under way */
};

static void tell(const struct bench *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A daemon that has gone is no reason to stop. */
static void tell(const struct bench *b, const char *fmt, ...)
{
	_cleanup_strbuf_ struct strbuf text = {0};
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	(void)send(b->socket, strbuf_text(&text), text.len, MSG_NOSIGNAL);
}

static int put(int fd, const char *text)
{
	return text ? text_write(fd, text, strlen(text)) : 0;
}

/* The texts every job leaves: the document or text it made, and the diagnostics. */
static int leave(const struct bench *b, const char *text, int code)
{
	_cleanup_free_ char *document = NULL, *diags = NULL;
	bool color = b->job->form == PTHRU_COLOR;
	int err = 0;

	if (!text && b->job->form == PTHRU_JSON) {
		err = pthru_plan_print(b->ctx, NULL, b->diags, &document);
		text = document;
	}
	if (err == 0)
		err = put(b->out, text);
	if (err == 0)
		err = pthru_diags_print(b->diags, color, &diags);
	if (err == 0)
		err = put(b->err, diags);
	return err < 0 ? (int)pthru_exit_worse((enum pthru_exit)code, PTHRU_EXIT_FAILED) : code;
}

static int failed(struct bench *b, int error)
{
	if (pthru_diags_errors(b->diags) == 0) {
		pthru_diags_error(b->diags, error == -ENOMEM ? "out-of-memory" : "bad-file", "%s",
				  strerror(-error));
		return error == -EINVAL ? PTHRU_EXIT_FAILED : pthru_exit_of_error(error);
	}
	return pthru_exit_of_error(error);
}

static int check(struct bench *b)
{
	int err = pthru_spec_load(b->ctx, b->diags, &b->spec);

	if (err == 0)
		err = pthru_spec_accept(b->ctx, b->spec, b->diags);
	if (err == 0)
		log_event(MESSAGE_SPEC_ACCEPTED, LOG_PRIORITY_INFO,
			  (struct log_fields){.state = "accepted"}, "spec accepted: %zu file%s",
			  pthru_spec_files(b->spec), pthru_spec_files(b->spec) == 1 ? "" : "s");
	return leave(b, NULL, err < 0 ? failed(b, err) : PTHRU_EXIT_DONE);
}

/* what: the kind of the step, a blank, its target. Other loaders' entries are made of files. */
static void tell_written(struct bench *b, const char *what)
{
	static const struct {
		const char *kind, *only;
	} kinds[] = {
		{"write-file ", NULL}, {"remove-file ", NULL},
		{"bind ", NULL},       {"set-parameter ", NULL},
		{"set-guest ", NULL},  {"refresh-boot-loader ", "rpm-ostree"},
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const char *target = what + strlen(kinds[i].kind);

		if (strncmp(what, kinds[i].kind, strlen(kinds[i].kind)) != 0 ||
		    (kinds[i].only && strcmp(target, kinds[i].only) != 0))
			continue;
		tell(b, JOB_SAYS_WROTE "%s", target);
		b->healed += b->job->healing;
	}
}

static void on_step(void *userdata, size_t index, size_t count, const char *what, bool done)
{
	struct bench *b = userdata;

	if (done) {
		tell_written(b, what);
		return;
	}
	snprintf(b->step, sizeof(b->step), "applying: %s (%zu of %zu)", what, index + 1, count);
	tell(b, JOB_SAYS_PROGRESS "%s", b->step);
	log_line(LOG_PRIORITY_INFO, "%s", what);
}

/*
 * Systemd is patient with a builder: a worker that is told to stop lets it finish, and asks for
 * more time as long as one runs. That costs nothing where nobody waits.
 */
static void on_tick(void *userdata, unsigned seconds)
{
	const struct bench *b = userdata;

	sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%u\nSTATUS=%s, %u s", EXTEND_USEC, b->step, seconds);
}

static void on_wait(void *userdata, const char *holder)
{
	struct bench *b = userdata;

	tell(b, JOB_SAYS_PROGRESS "waiting for %s", holder);
}

/* Failures in full, with what a builder said last; a run without any needs no more words. */
static void log_failures(const struct bench *b, const struct pthru_report *report)
{
	_cleanup_free_ char *text = NULL;

	if (pthru_diags_errors(pthru_report_diags(report)) == 0)
		return;
	pthru_ctx_set_form(b->ctx, PTHRU_TEXT, 0);
	if (pthru_report_print(b->ctx, report, NULL, &text) == 0)
		log_lines(LOG_PRIORITY_ERROR, text);
}

static void tell_summary(const struct bench *b, const struct pthru_report *report, int code)
{
	static const enum log_priority priorities[] = {
		[PTHRU_EXIT_DONE] = LOG_PRIORITY_INFO,
		[PTHRU_EXIT_FAILED] = LOG_PRIORITY_ERROR,
		[PTHRU_EXIT_PENDING] = LOG_PRIORITY_NOTICE,
		[PTHRU_EXIT_REBOOT] = LOG_PRIORITY_NOTICE,
		[PTHRU_EXIT_REFUSED] = LOG_PRIORITY_WARNING,
		[PTHRU_EXIT_INVALID] = LOG_PRIORITY_ERROR,
	};
	_cleanup_free_ char *summary = NULL;

	if (pthru_report_summary(report, &summary) < 0)
		return;
	tell(b, JOB_SAYS_SUMMARY "%s", summary);
	if (code == PTHRU_EXIT_FAILED)
		tell(b, JOB_SAYS_FAILURE "%s %s", pthru_report_code(report), summary);
	if (strcmp(b->job->before, summary) == 0)
		return;
	log_failures(b, report);
	log_event(MESSAGE_RECONCILED, priorities[code],
		  (struct log_fields){.state = state_word_of(code)}, "%s", summary);
}

static void tell_held(const struct bench *b, const struct pthru_report *report)
{
	_cleanup_free_ char *names = NULL;

	if (pthru_report_held(report, &names) == 0 && *names)
		tell(b, JOB_SAYS_HELD "%s", names);
}

static void on_look(void *userdata)
{
	tell(userdata, JOB_SAYS_LOOKING);
}

/* The spec in force, what was found in the files, and whether they are it. 0 or errno. */
static int find_spec(struct bench *b)
{
	int err = pthru_spec_load_in_force(b->ctx, b->diags, &b->current, &b->spec);

	if (err < 0 && err != -ENOENT)
		return err;
	if (b->current)
		return 0;
	if (pthru_diags_errors(b->diags) == 0)
		pthru_diags_note(b->diags, "bad-file",
				 "the spec files have changed and are not taken over yet");
	pthru_diags_note(b->diags, "bad-file",
			 b->spec ? "the last accepted spec stays in force"
				 : "no spec was ever accepted: nothing is done");
	return 0;
}

/* What the daemon is to watch so that it need not look again and again, and what it may tell. */
static void leave_findings(struct bench *b, const struct pthru_plan *plan)
{
	_cleanup_free_ char *paths = NULL, *state = NULL;

	if (pthru_plan_watches(plan, &paths) == 0)
		(void)put(b->out, paths);
	if (pthru_plan_state(plan, &state) == 0)
		(void)put(b->err, state);
}

static void keep_status(struct bench *b, const struct pthru_plan *plan)
{
	_cleanup_free_ char *document = NULL;
	int err;

	pthru_ctx_set_form(b->ctx, PTHRU_JSON, 0);
	err = pthru_status_print(b->ctx, plan, b->diags, &document);
	if (err == 0)
		err = pthru_status_save(b->ctx, document);
	if (err < 0)
		log_line(LOG_PRIORITY_WARNING, "the status file could not be written: %s",
			 strerror(-err));
	pthru_ctx_set_form(b->ctx, b->job->form, b->job->width);
	leave_findings(b, plan);
}

/* Where nobody collects them there is no folder for them. */
static void keep_metrics(const struct bench *b, const struct pthru_plan *plan, int code,
			 int64_t began)
{
	bool well = code == PTHRU_EXIT_DONE || code == PTHRU_EXIT_REBOOT;
	const struct pthru_metrics metrics = {
		.exit = (enum pthru_exit)code,
		.apply_ms = (uint64_t)(clock_ms() - began),
		.last_success = well ? time(NULL) : b->job->succeeded,
		.heals = b->job->heals + b->healed,
	};
	int err = pthru_metrics_save(b->ctx, plan, &metrics);

	if (err < 0 && err != -ENOENT)
		log_line(LOG_PRIORITY_WARNING, "the metrics could not be written: %s",
			 strerror(-err));
}

static int apply(struct bench *b)
{
	_cleanup_free_ char *why = NULL;
	struct pthru_report *report = NULL;
	int64_t began = clock_ms();
	int code, err;

	pthru_ctx_set_progress(b->ctx, b, on_step, on_tick, on_wait);
	pthru_ctx_set_look(b->ctx, on_look);
	err = pthru_apply(b->ctx, b->spec, NULL, b->diags, &report);
	if (err < 0) {
		code = failed(b, err);
		if (pthru_diags_print(b->diags, false, &why) == 0)
			log_lines(LOG_PRIORITY_ERROR, why);
		tell(b, JOB_SAYS_SUMMARY "failed, see the journal");
		return code;
	}
	code = pthru_report_exit(report);
	tell_summary(b, report, code);
	tell_held(b, report);
	pthru_diags_join(b->diags, pthru_report_diags(report));
	keep_status(b, pthru_report_plan(report));
	keep_metrics(b, pthru_report_plan(report), code, began);
	pthru_report_free(report);
	return code;
}

static int reconcile(struct bench *b)
{
	int err;

	tell(b, JOB_SAYS_LOOKING);
	err = find_spec(b);
	if (err < 0)
		return failed(b, err);
	if (b->spec)
		return apply(b);
	tell(b, JOB_SAYS_SUMMARY "no spec is in force");
	keep_status(b, NULL);
	return PTHRU_EXIT_INVALID;
}

/* The last apply failed and there is still something to do: that is not merely pending. */
static int tell_failure(struct bench *b, int code)
{
	const char *failure = b->job->failure;
	size_t n = strcspn(failure, " ");
	char word[32];

	if (b->job->verb == JOB_PLAN || code != PTHRU_EXIT_PENDING || failure[n] == '\0' ||
	    n >= sizeof(word))
		return code;
	memcpy(word, failure, n);
	word[n] = '\0';
	pthru_diags_error(b->diags, word, "the last apply: %s", failure + n + 1);
	return PTHRU_EXIT_FAILED;
}

/* The text is for who asked, or, to keep it, for the status file. */
static int look(struct bench *b, bool keep, char **ret)
{
	struct pthru_plan *plan = NULL;
	int code = PTHRU_EXIT_INVALID, err;

	tell(b, JOB_SAYS_LOOKING);
	err = find_spec(b);
	if (err == 0 && b->spec)
		err = pthru_plan_make(b->ctx, b->spec, false, b->diags, &plan);
	if (err == 0 && plan)
		code = tell_failure(b, pthru_plan_exit(plan));
	if (pthru_diags_errors(b->diags) && !b->current)
		code = PTHRU_EXIT_INVALID;
	if (err == 0 && keep)
		keep_status(b, plan);
	else if (err == 0 && plan)
		err = b->job->verb == JOB_PLAN ? pthru_plan_print(b->ctx, plan, b->diags, ret)
					       : pthru_status_print(b->ctx, plan, b->diags, ret);
	if (err < 0)
		code = failed(b, err);
	pthru_plan_free(plan);
	return code;
}

static int status(struct bench *b)
{
	_cleanup_free_ char *text = NULL;
	int code = look(b, false, &text);

	return leave(b, text, code);
}

static int keep(struct bench *b)
{
	return look(b, true, NULL);
}

static int do_job(struct bench *b)
{
	static int (*const jobs[_JOB_VERB_MAX])(struct bench * b) = {
		[JOB_CHECK] = check,   [JOB_RECONCILE] = reconcile, [JOB_PLAN] = status,
		[JOB_STATUS] = status, [JOB_KEEP] = keep,
	};
	int code;

	if (pthru_diags_new(&b->diags) < 0)
		return PTHRU_EXIT_FAILED;
	pthru_ctx_set_form(b->ctx, b->job->form, b->job->width);
	pthru_ctx_set_open(b->ctx, b->job->open);
	code = pthru_ctx_set_contested(b->ctx, b->job->contested) < 0 ? PTHRU_EXIT_FAILED
								      : jobs[b->job->verb](b);
	pthru_spec_free(b->spec);
	pthru_diags_free(b->diags);
	return code;
}

int job_serve(struct pthru_ctx *ctx, int fd)
{
	_cleanup_close_ int out = memfd_create("answer", MFD_CLOEXEC);
	_cleanup_close_ int err = memfd_create("diagnostics", MFD_CLOEXEC);
	char text[JOB_SIZE];
	int fds[WIRE_FDS] = {-1, -1}, code;
	struct job job;
	struct bench b = {.job = &job, .ctx = ctx, .socket = fd, .out = out, .err = err};

	if (out < 0 || err < 0 || wire_receive(fd, 0, text, sizeof(text), fds) <= 0 ||
	    job_parse(text, &job) < 0)
		return PTHRU_EXIT_FAILED;
	log_to_daemon(fd);
	code = do_job(&b);
	if (wire_reply_send(fd, code, out, err) < 0)
		log_line(LOG_PRIORITY_NOTICE, "the daemon did not wait for this answer");
	return code;
}
