/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "jobs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "macro.h"
#include "text.h"

/* What a job has in hand besides its values. */
struct bench {
	const struct job *job;
	const struct worker_ends *ends;
	struct pthru_diags *diags;
	size_t shown; /* step whose progress was told last */
	char what[160];
};

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
		err = pthru_plan_print(b->job->ctx, NULL, b->diags, &document);
		text = document;
	}
	if (err == 0)
		err = put(b->ends->out, text);
	if (err == 0)
		err = pthru_diags_print(b->diags, color, &diags);
	if (err == 0)
		err = put(b->ends->err, diags);
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

int job_accept(const struct job *job, const struct worker_ends *ends)
{
	struct bench b = {.job = job, .ends = ends};
	int code = PTHRU_EXIT_DONE, err = pthru_diags_new(&b.diags);

	if (err < 0)
		return PTHRU_EXIT_FAILED;
	pthru_ctx_set_form(job->ctx, job->form, job->width);
	pthru_diags_join(b.diags, job->found);
	err = job->spec ? pthru_spec_accept(job->ctx, job->spec, b.diags) : -EINVAL;
	if (err < 0)
		code = failed(&b, err);
	code = leave(&b, NULL, code);
	pthru_diags_free(b.diags);
	return code;
}

static void on_step(void *userdata, size_t index, size_t count, const char *what, bool done)
{
	struct bench *b = userdata;

	if (done)
		return;
	worker_tell(b->ends, JOB_SAYS_PROGRESS "applying: %s (%zu of %zu)", what, index + 1, count);
	log_line(LOG_PRIORITY_INFO, "%s", what);
}

static void on_wait(void *userdata, long holder)
{
	struct bench *b = userdata;

	worker_tell(b->ends, JOB_SAYS_PROGRESS "waiting for process %ld, which is applying",
		    holder);
}

/* Failures in full, with what a builder said last; a run without any needs no more words. */
static void log_failures(const struct bench *b, const struct pthru_report *report)
{
	_cleanup_free_ char *text = NULL;

	if (pthru_diags_errors(pthru_report_diags(report)) == 0)
		return;
	pthru_ctx_set_form(b->job->ctx, PTHRU_TEXT, 0);
	if (pthru_report_print(b->job->ctx, report, NULL, &text) == 0)
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
	worker_tell(b->ends, JOB_SAYS_SUMMARY "%s", summary);
	if (code == PTHRU_EXIT_FAILED)
		worker_tell(b->ends, JOB_SAYS_FAILURE "%s %s", pthru_report_code(report), summary);
	if (b->job->before && strcmp(b->job->before, summary) == 0)
		return;
	log_failures(b, report);
	log_line(priorities[code], "%s", summary);
}

static void tell_held(const struct bench *b, const struct pthru_report *report)
{
	_cleanup_free_ char *names = NULL;

	if (pthru_report_held(report, &names) == 0 && *names)
		worker_tell(b->ends, JOB_SAYS_HELD "%s", names);
}

/* What was found in the files, and which spec is in force when it is not theirs. */
static void tell_rejection(struct bench *b)
{
	if (b->job->found)
		pthru_diags_join(b->diags, b->job->found);
	if (!b->job->rejected)
		return;
	if (pthru_diags_errors(b->diags) == 0)
		pthru_diags_error(b->diags, "bad-value",
				  "the spec does not hold on this host; the journal says why");
	pthru_diags_note(b->diags, "bad-file",
			 b->job->spec ? "the last accepted spec stays in force"
				      : "no spec was ever accepted: nothing is done");
}

static void keep_status(struct bench *b, const struct pthru_plan *plan)
{
	_cleanup_free_ char *document = NULL;
	int err;

	pthru_ctx_set_form(b->job->ctx, PTHRU_JSON, 0);
	err = pthru_status_print(b->job->ctx, plan, b->diags, &document);
	if (err == 0)
		err = pthru_status_save(b->job->ctx, document);
	if (err < 0)
		log_line(LOG_PRIORITY_WARNING, "the status file could not be written: %s",
			 strerror(-err));
	pthru_ctx_set_form(b->job->ctx, b->job->form, b->job->width);
}

int job_reconcile(const struct job *job, const struct worker_ends *ends)
{
	struct bench b = {.job = job, .ends = ends};
	struct pthru_report *report = NULL;
	int code, err = pthru_diags_new(&b.diags);

	if (err < 0)
		return PTHRU_EXIT_FAILED;
	pthru_ctx_set_progress(job->ctx, &b, on_step, NULL, on_wait);
	err = pthru_apply(job->ctx, job->spec, NULL, b.diags, &report);
	if (err < 0) {
		_cleanup_free_ char *why = NULL;

		code = failed(&b, err);
		if (pthru_diags_print(b.diags, false, &why) == 0)
			log_lines(LOG_PRIORITY_ERROR, why);
		worker_tell(ends, JOB_SAYS_SUMMARY "failed, see the journal");
	} else {
		code = pthru_report_exit(report);
		tell_summary(&b, report, code);
		tell_held(&b, report);
		tell_rejection(&b);
		pthru_diags_join(b.diags, pthru_report_diags(report));
		keep_status(&b, pthru_report_plan(report));
	}
	pthru_report_free(report);
	pthru_diags_free(b.diags);
	return code;
}

/* The last apply failed and there is still something to do: that is not merely pending. */
static int tell_failure(struct bench *b, int code)
{
	const char *failure = b->job->failure ? b->job->failure : "";
	size_t n = strcspn(failure, " ");
	char word[32];

	if (code != PTHRU_EXIT_PENDING || failure[n] == '\0' || n >= sizeof(word))
		return code;
	memcpy(word, failure, n);
	word[n] = '\0';
	pthru_diags_error(b->diags, word, "the last apply: %s", failure + n + 1);
	return PTHRU_EXIT_FAILED;
}

int job_status(const struct job *job, const struct worker_ends *ends)
{
	struct bench b = {.job = job, .ends = ends};
	_cleanup_free_ char *text = NULL;
	struct pthru_plan *plan = NULL;
	int code = PTHRU_EXIT_INVALID, err = pthru_diags_new(&b.diags);

	if (err < 0)
		return PTHRU_EXIT_FAILED;
	pthru_ctx_set_form(job->ctx, job->form, job->width);
	tell_rejection(&b);
	if (job->spec)
		err = pthru_plan_make(job->ctx, job->spec, false, b.diags, &plan);
	if (err == 0 && plan && !job->rejected)
		code = tell_failure(&b, pthru_plan_exit(plan));
	if (err == 0 && job->keep)
		keep_status(&b, plan);
	if (err == 0 && plan)
		err = pthru_status_print(job->ctx, plan, b.diags, &text);
	if (err < 0)
		code = failed(&b, err);
	pthru_plan_free(plan);
	code = leave(&b, text, code);
	pthru_diags_free(b.diags);
	return code;
}
