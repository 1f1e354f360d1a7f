/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "job.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "macro.h"
#include "wire.h"

static const char *const verbs[_JOB_VERB_MAX] = {
	[JOB_CHECK] = "check",	 [JOB_RECONCILE] = "reconcile", [JOB_PLAN] = "plan",
	[JOB_STATUS] = "status", [JOB_KEEP] = "keep",
};

size_t job_format(const struct job *job, char ret[static JOB_SIZE])
{
	int n = snprintf(ret, JOB_SIZE, "%s %s %u %d %d %u %" PRId64 "\n%s\n%s\n%s\n",
			 verbs[job->verb], wire_form_name(job->form), job->width, job->open,
			 job->healing, job->heals, job->succeeded, job->failure, job->before,
			 job->contested);

	return n > 0 && n < JOB_SIZE ? (size_t)n : 0;
}

/* One line into ret; returns what follows it, NULL when it is none or too long. */
static const char *take_line(const char *text, char ret[static JOB_TEXT_SIZE])
{
	size_t n = strcspn(text, "\n");

	if (!text[n] || n >= JOB_TEXT_SIZE)
		return NULL;
	memcpy(ret, text, n);
	ret[n] = '\0';
	return text + n + 1;
}

static int verb_of(const char *word)
{
	for (int i = 0; i < _JOB_VERB_MAX; i++)
		if (strcmp(verbs[i], word) == 0)
			return i;
	return -EBADMSG;
}

int job_parse(const char *text, struct job *ret)
{
	struct job job = {0};
	char head[JOB_TEXT_SIZE], verb[16], form[16], end;
	int v, f;
	unsigned open, healing;

	text = take_line(text, head);
	if (text)
		text = take_line(text, job.failure);
	if (text)
		text = take_line(text, job.before);
	if (text)
		text = take_line(text, job.contested);
	if (!text || *text ||
	    // NOLINTNEXTLINE(cert-err34-c)
	    sscanf(head, "%15s %15s %5u %1u %1u %9u %18" SCNd64 "%c", verb, form, &job.width, &open,
		   &healing, &job.heals, &job.succeeded, &end) != 7)
		return -EBADMSG;
	v = verb_of(verb);
	f = wire_form(form);
	if (v < 0 || f < 0)
		return -EBADMSG;
	job.verb = (enum job_verb)v;
	job.form = (enum pthru_form)f;
	job.open = open;
	job.healing = healing;
	*ret = job;
	return 0;
}
