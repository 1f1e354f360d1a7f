/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `plan` and `status` for people. */
#include <string.h>

#include "render-part.h"

/* Behind what it explains where the line has room, else below it. */
static void page_why(struct page *p, const char *why)
{
	if (!why || !*why) {
		page_end(p);
		return;
	}
	if (p->style.width && p->column + 4 + page_width_of(p, why) > p->style.width) {
		page_end(p);
		page_line(p, 6, 6);
		page_put(p, INK_FAINT, why);
	} else {
		page_putf(p, INK_FAINT, "  (%s)", why);
	}
	page_end(p);
}

static void page_devices(struct page *p, const struct plan *plan, bool evidence)
{
	if (!plan->devices.n)
		return;
	page_head(p, "Devices");
	array_foreach(it, &plan->devices)
		page_device(p, it, evidence);
}

/* --- diffs ------------------------------------------------------------------------------------ */

static enum ink diff_ink(const char *line)
{
	static const struct {
		const char *start;
		enum ink ink;
	} rows[] = {
		{"---", INK_STRONG}, {"+++", INK_STRONG}, {"@@", INK_MARK},
		{"-", INK_BAD},	     {"+", INK_GOOD},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strncmp(line, rows[i].start, strlen(rows[i].start)) == 0)
			return rows[i].ink;
	return INK_PLAIN;
}

/* Diffs keep their lines and tabs as they are, so that patch(1) takes them. */
static void put_diff(struct page *p, const char *diff)
{
	while (*diff) {
		const char *end = strchrnul(diff, '\n');

		page_put_raw(p, diff_ink(diff), diff, (size_t)(end - diff));
		page_end(p);
		diff = *end ? end + 1 : end;
	}
}

static void page_file(struct page *p, const struct step *step)
{
	_cleanup_strbuf_ struct strbuf diff = {0}, name = {0};
	const char *what = step->kind == STEP_REMOVE_FILE ? "removed"
			   : step->before		  ? "changed"
							  : "new";

	render_diff(step, &diff);
	render_diff_name(step, &name);
	page_line(p, 2, 4);
	page_put_whole(p, INK_STRONG, strbuf_text(&name));
	page_putf(p, INK_PLAIN, ", %s", what);
	page_why(p, step->why);
	put_diff(p, strbuf_text(&diff));
	if (diff.error || name.error)
		p->out->error = diff.error ? diff.error : name.error;
}

static void page_files(struct page *p, const struct plan *plan)
{
	bool any = false;

	array_foreach(it, &plan->steps) {
		if (!render_has_diff(it))
			continue;
		if (any)
			page_end(p);
		else
			page_head(p, "Files");
		any = true;
		page_file(p, it);
	}
}

/* --- commands and live work ------------------------------------------------------------------- */

static void page_steps(struct page *p, const struct plan *plan, const char *head,
		       bool (*chosen)(const struct step *),
		       void (*say)(const struct step *, struct strbuf *))
{
	bool any = false;

	array_foreach(it, &plan->steps) {
		_cleanup_strbuf_ struct strbuf text = {0};

		if (!chosen(it))
			continue;
		if (!any)
			page_head(p, head);
		any = true;
		say(it, &text);
		page_line(p, 2, 4);
		page_put(p, INK_STRONG, strbuf_text(&text));
		page_why(p, it->why);
		if (text.error)
			p->out->error = text.error;
	}
}

static bool is_command(const struct step *step)
{
	return step->argv.n && step->kind != STEP_SET_GUEST;
}

static bool is_guest(const struct step *step)
{
	return step->kind == STEP_SET_GUEST;
}

static bool is_live(const struct step *step)
{
	return step_kind_class(step->kind) == CLASS_LIVE;
}

/* --- the last lines --------------------------------------------------------------------------- */

#define NEXT_WIDTH 32 /* of the column of commands */

static void page_command(struct page *p, const char *command, const char *does)
{
	page_line(p, 2, 2 + NEXT_WIDTH);
	page_put_whole(p, INK_STRONG, command);
	page_column(p, 2 + NEXT_WIDTH);
	page_put(p, INK_PLAIN, does);
	page_end(p);
}

static void page_counts(struct page *p, const struct plan *plan, const struct plan_sum *sum)
{
	if (!sum->pending && !plan->reboot_required)
		return;
	page_line(p, 0, 0);
	if (sum->pending)
		page_putf(p, INK_PLAIN, "%zu step%s%s", sum->pending, sum->pending == 1 ? "" : "s",
			  plan->reboot_required ? ", then a reboot" : "");
	else
		page_put(p, INK_PLAIN, "Next: a reboot");
	if (sum->blocked) {
		page_mark(p, ';');
		page_putf(p, INK_PLAIN, "%zu of %zu item%s %s blocked", sum->blocked, sum->items,
			  sum->items == 1 ? "" : "s", sum->blocked == 1 ? "is" : "are");
	}
	page_mark(p, '.');
	page_end(p);
}

static const char *first_refused(const struct plan *plan)
{
	array_foreach(it, &plan->devices)
		if (it->state == STATE_BLOCKED)
			return it->name;
	return NULL;
}

/* What it comes to, and what to type next. shown: the steps stand above. */
static void page_next(struct page *p, const struct plan *plan, bool shown)
{
	const struct plan_sum sum = render_sum(plan);
	_cleanup_strbuf_ struct strbuf explain = {0};

	if (plan_converged(plan))
		return;
	page_end(p);
	page_counts(p, plan, &sum);
	if (sum.pending && plan->observe_only)
		page_text(p, 2, INK_PLAIN,
			  "The spec says mode: observe, so none of this is carried out.");
	else if (sum.pending && shown)
		page_command(p, "passthroughctl apply", "carries them out");
	if (sum.pending && !shown)
		page_command(p, "passthroughctl plan", "shows them");
	if (first_refused(plan)) {
		strbuf_addf(&explain, "passthroughctl explain %s", first_refused(plan));
		page_command(p, strbuf_text(&explain), "tells why it is refused");
	}
	if (sum.pending && shown && !plan->observe_only) {
		page_line(p, 2, 4);
		page_putf(p, INK_FAINT, "apply --plan %s", plan->id);
		page_put(p, INK_FAINT, "  only if this is still the plan then");
		page_end(p);
	}
	if (explain.error)
		p->out->error = explain.error;
}

void render_plan(const struct plan *plan, struct render_style style, struct strbuf *out)
{
	struct page p = {.out = out, .style = style};

	page_standing(&p, plan);
	page_obstacles(&p, plan);
	page_items(&p, plan);
	page_devices(&p, plan, true);
	page_files(&p, plan);
	page_steps(&p, plan, "Commands", is_command, render_command);
	page_steps(&p, plan, "At once, in the running kernel", is_live, render_step);
	page_steps(&p, plan, "Guests, last", is_guest, render_command);
	page_reboot(&p, plan);
	page_diags(&p, &plan->diags);
	page_next(&p, plan, true);
}

void render_status(const struct plan *plan, struct render_style style, struct strbuf *out)
{
	struct page p = {.out = out, .style = style};

	page_standing(&p, plan);
	page_obstacles(&p, plan);
	page_items(&p, plan);
	page_devices(&p, plan, false);
	page_reboot(&p, plan);
	page_diags(&p, &plan->diags);
	page_next(&p, plan, false);
}
