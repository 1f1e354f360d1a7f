/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "apply.h"

#include <errno.h>
#include <string.h>

#include "clock.h"
#include "doing.h"
#include "ledger-edit.h"

const struct action actions[_STEP_KIND_MAX] = {
	[STEP_WRITE_FILE] = {act_write, undo_file, true},
	[STEP_REMOVE_FILE] = {act_remove, undo_file, true},
	[STEP_BUILD_INITRAMFS] = {act_build, undo_build, true},
	[STEP_REFRESH_LOADER] = {act_build, undo_build, true},
	[STEP_LOAD_MODULE] = {act_load, NULL, false},
	[STEP_SET_PARAMETER] = {act_parameter, NULL, false},
	[STEP_BIND] = {act_bind, NULL, false},
	[STEP_RETURN] = {act_return, NULL, false},
	[STEP_SET_GUEST] = {act_guest, NULL, false},
	[STEP_FLAG_REBOOT] = {act_flag, NULL, false},
};

int step_fail(struct doing *d, struct report_step *out, int error, enum code code, const char *fmt,
	      ...)
{
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	text = arena_vprintf(d->arena, fmt, ap);
	va_end(ap);
	out->code = code;
	out->message = text ? text : code_help(code);
	diags_add(&d->report->diags, SEVERITY_ERROR, code, (struct place){0}, NULL, "%s",
		  out->message);
	return error;
}

const char *step_words(struct doing *d, const struct step *step)
{
	const char *words = arena_printf(d->arena, "%s %s", step_kind_name(step->kind),
					 step->target);

	return words ? words : step_kind_name(step->kind);
}

int save_ledger(struct doing *d)
{
	_cleanup_strbuf_ struct strbuf text = {0};
	int err = ledger_render(d->ledger, &text);

	if (err < 0)
		return err;
	if (d->saved.text && strcmp(text.text, d->saved.text) == 0)
		return 0;
	err = ledger_save(d->ops, d->ledger);
	if (err < 0)
		return err;
	strbuf_done(&d->saved);
	d->saved = text;
	text = (struct strbuf){0};
	return 0;
}

/* --- one step --------------------------------------------------------------------------------- */

static bool is_skipped(const struct doing *d, const struct step *step)
{
	return d->plan->observe_only ||
	       (step_kind_class(step->kind) == CLASS_LIVE && !d->ops->live);
}

static void tell(const struct doing *d, size_t index, const char *what, bool done)
{
	if (d->progress && d->progress->step)
		d->progress->step(d->progress->ctx, index, d->plan->steps.n, what, done);
}

static void note_result(struct doing *d, size_t index, const struct report_step *out)
{
	const char *text = step_result_name(out->result);

	if (out->result == RESULT_FAILED)
		text = arena_printf(d->arena, "failed %s: %s", code_name(out->code), out->message);
	journal_result(&d->journal, index, text ? text : "failed");
}

/* Returns 0, or negative errno when it failed; *ret_stop: what comes after must not be done. */
static int carry_out_step(struct doing *d, size_t index, bool *ret_stop)
{
	const struct step *step = &d->plan->steps.at[index];
	struct report_step *out = &d->report->steps.at[index];
	const char *what = step_words(d, step);
	uint64_t began = clock_usec();
	int err = journal_intent(&d->journal, index, what), kept;

	tell(d, index, what, false);
	if (err < 0) {
		step_fail(d, out, err, file_code(err), "the journal could not be written: %s",
			  strerror(-err));
		*ret_stop = true;
	} else {
		err = actions[step->kind].act(d, index, out);
		kept = save_ledger(d);
		if (err == 0 && kept < 0)
			err = step_fail(d, out, kept, file_code(kept),
					"the ledger could not be saved: %s", strerror(-kept));
		*ret_stop = kept < 0 || (err < 0 && actions[step->kind].halts);
	}
	out->result = err < 0 ? RESULT_FAILED : RESULT_DONE;
	out->error = err;
	out->usec = clock_usec() - began;
	if (err < 0 && out->code == _CODE_INVALID)
		step_fail(d, out, err, file_code(err), "%s: %s", what, strerror(-err));
	d->report->failed |= err < 0;
	note_result(d, index, out);
	if (err == 0)
		tell(d, index, what, true);
	return err;
}

static void skip(struct report_step *out, const char *why)
{
	out->result = RESULT_SKIPPED;
	out->message = why;
}

/* Carries out all steps that may be; returns whether one stopped the others. */
static bool carry_out(struct doing *d)
{
	bool stop = false;

	for (size_t i = 0; i < d->plan->steps.n; i++) {
		struct report_step *out = &d->report->steps.at[i];

		if (stop)
			skip(out, "not done: a step before it failed");
		else if (is_skipped(d, &d->plan->steps.at[i]))
			skip(out, d->plan->observe_only
					  ? "not done: mode is observe"
					  : "not done below a root: a reboot does it");
		else if (carry_out_step(d, i, &stop) < 0 && stop &&
			 actions[d->plan->steps.at[i].kind].halts)
			roll_back(d, i);
	}
	return stop;
}

/* --- the whole -------------------------------------------------------------------------------- */

static int open_doing(struct doing *d)
{
	int err = 0;

	d->ledger = ledger_clone(d->first);
	d->traces = arena_alloc(d->arena, (d->plan->steps.n + 1) * sizeof(*d->traces));
	if (!d->first->settled)
		err = ledger_render(d->first, &d->saved);
	if (!d->ledger || !d->traces || err < 0)
		return -ENOMEM;
	array_foreach(it, &d->plan->steps) {
		struct report_step *out = array_add(d->arena, &d->report->steps);

		if (!out)
			return -ENOMEM;
		*out = (struct report_step){.kind = it->kind,
					    .target = arena_strdup(d->arena, it->target),
					    .result = RESULT_SKIPPED,
					    .code = _CODE_INVALID};
		if (!out->target)
			return -ENOMEM;
	}
	return 0;
}

static bool anything_to_do(const struct doing *d)
{
	array_foreach(it, &d->plan->steps)
		if (!is_skipped(d, it))
			return true;
	return false;
}

static const char *end_word(const struct doing *d)
{
	if (d->report->rolled_back)
		return "failed, files put back";
	return d->report->failed ? "failed" : "done";
}

static int settle(struct doing *d)
{
	int err = settle_ledger(d);

	return err < 0 ? err : save_ledger(d);
}

static int work(struct doing *d)
{
	int err = save_ledger(d);
	bool stopped;

	if (err == 0)
		err = journal_begin(&d->journal, d->ops, d->plan);
	if (err < 0)
		return err;
	stopped = carry_out(d);
	err = stopped ? save_ledger(d) : settle(d);
	if (err < 0) {
		d->report->failed = true;
		diags_add(&d->report->diags, SEVERITY_ERROR, file_code(err), (struct place){0},
			  NULL, "the ledger could not be saved at the end: %s; apply again",
			  strerror(-err));
	}
	err = journal_end(&d->journal, end_word(d));
	if (err < 0)
		diags_add(&d->report->diags, SEVERITY_WARNING, file_code(err), (struct place){0},
			  NULL, "the journal could not be ended: %s", strerror(-err));
	return 0;
}

static int apply(struct doing *d)
{
	bool due = anything_to_do(d);
	int err = open_doing(d);

	if (err == 0 && (due || d->first->damaged))
		err = prepare(d);
	if (err < 0 || d->report->refused)
		return err;
	if (d->plan->observe_only) {
		carry_out(d); /* skips all */
		return 0;
	}
	err = recover(d);
	if (err < 0 || due)
		return err < 0 ? err : work(d);
	carry_out(d);
	/* Bookkeeping alone (note 13); nothing is written where nothing changed. */
	return settle(d);
}

int plan_apply(const struct plan *plan, const struct ledger *ledger, const struct ops *ops,
	       const struct progress *progress, struct report **ret)
{
	_cleanup_report_ struct report *report = report_new();
	struct doing d = {.plan = plan,
			  .ops = ops,
			  .progress = progress,
			  .first = ledger,
			  .report = report,
			  .arena = report ? report->arena : NULL};
	int err;

	if (!report)
		return -ENOMEM;
	err = apply(&d);
	journal_done(&d.journal);
	strbuf_done(&d.saved);
	ledger_free(d.ledger);
	if (err < 0)
		return err;
	*ret = TAKE(report);
	return 0;
}
