/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `apply`: what was done, a line a step. */
#include <string.h>

#include "render-part.h"

#define RESULT_WIDTH 9
#define SHOWN_USEC   100000 /* shorter times are noise */

static enum ink result_ink(enum step_result result)
{
	switch (result) {
	case RESULT_DONE:
		return INK_GOOD;
	case RESULT_SKIPPED:
		return INK_FAINT;
	case RESULT_FAILED:
		return INK_BAD;
	case _STEP_RESULT_MAX:
	case _STEP_RESULT_INVALID:
		break;
	}
	return INK_PLAIN;
}

/* The plan's step that this one reports on; NULL when the plan has no such one. */
static const struct step *step_of(const struct plan *plan, const struct report_step *done)
{
	array_foreach(it, &plan->steps)
		if (it->kind == done->kind && strcmp(it->target, done->target) == 0)
			return it;
	return NULL;
}

/* A builder's last lines, as they came. */
static void put_output(struct page *p, const char *output)
{
	while (*output) {
		size_t n = strcspn(output, "\n");

		page_line(p, 4, 4);
		page_put_raw(p, INK_FAINT, "| ", 2);
		render_escape(p->out, output, n, false);
		page_end(p);
		output += n + (output[n] == '\n');
	}
}

static void put_message(struct page *p, const struct report_step *done)
{
	const char *help = code_help(done->code);

	if (!done->message && !help)
		return;
	page_line(p, 4, 6);
	if (help)
		page_putf(p, INK_BAD, "%s: ", code_name(done->code));
	page_put(p, INK_PLAIN, done->message ? done->message : help);
	page_end(p);
}

static void put_step(struct page *p, const struct plan *plan, const struct report_step *done)
{
	const struct step *step = step_of(plan, done);
	_cleanup_strbuf_ struct strbuf text = {0};

	if (step)
		render_step(step, &text);
	else
		strbuf_addf(&text, "%s %s", step_kind_name(done->kind), done->target);
	page_line(p, 0, RESULT_WIDTH);
	page_put_whole(p, result_ink(done->result), step_result_name(done->result));
	page_column(p, RESULT_WIDTH);
	page_put(p, INK_PLAIN, strbuf_text(&text));
	if (done->usec >= SHOWN_USEC)
		page_putf(p, INK_FAINT, "  %.1f s", (double)done->usec / 1e6);
	page_end(p);
	put_message(p, done);
	if (done->output && done->result == RESULT_FAILED)
		put_output(p, done->output);
	if (text.error)
		p->out->error = text.error;
}

static void put_sum(struct page *p, const struct report *report)
{
	size_t counts[_STEP_RESULT_MAX] = {0};

	array_foreach(it, &report->steps)
		counts[it->result]++;
	page_line(p, 0, 0);
	if (report->refused)
		page_put(p, INK_BAD, "Nothing was changed.");
	else if (!report->steps.n)
		page_put(p, INK_GOOD, "Nothing to do.");
	else if (report->failed)
		page_putf(p, INK_BAD, "%zu of %zu steps failed.", counts[RESULT_FAILED],
			  report->steps.n);
	else
		page_putf(p, INK_GOOD, "%zu of %zu steps done.", counts[RESULT_DONE],
			  report->steps.n);
	if (counts[RESULT_SKIPPED])
		page_putf(p, INK_PLAIN, " %zu skipped.", counts[RESULT_SKIPPED]);
	if (report->rolled_back)
		page_put(p, INK_PLAIN, " The files written before were put back as they were.");
	page_end(p);
}

void render_report(const struct plan *plan, const struct report *report, struct render_style style,
		   struct strbuf *out)
{
	struct page p = {.out = out, .style = style};

	array_foreach(it, &report->steps)
		put_step(&p, plan, it);
	put_sum(&p, report);
	page_end(&p);
}
