/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * After a failure: files that are ahead of the images are put back, and images that were built
 * from them are built again, so that files, images and entries agree as they did before.
 */
#include <errno.h>
#include <string.h>

#include "doing.h"
#include "ledger-edit.h"

static void complain(struct doing *d, enum code code, const struct step *step, int error)
{
	diags_add(&d->report->diags, SEVERITY_ERROR, code, (struct place){0}, NULL,
		  step_kind_class(step->kind) == CLASS_FILES
			  ? "%s could not be put back as it was: %s; apply again"
			  : "%s could not be built again from the files put back: %s; apply again",
		  step->target, strerror(-error));
}

/* The ledger as it was about this file, or not at all. */
static void forget_change(struct doing *d, const char *path)
{
	const struct ledger_file *was = ledger_file(d->first, path);
	struct ledger_file *now;

	if (!was) {
		forget_file(d->ledger, path);
		return;
	}
	now = edit_file(d->ledger, path);
	if (now)
		*now = *was;
}

/* One pass: those that were there before, or those that were not. */
static bool undo_files(struct doing *d, size_t failed, bool existed)
{
	bool any = false;

	for (size_t i = failed + 1; i-- > 0;) {
		const struct step *step = &d->plan->steps.at[i];
		struct trace *trace = &d->traces[i];
		int err;

		if (step_kind_class(step->kind) != CLASS_FILES || !trace->touched ||
		    trace->existed != existed)
			continue;
		any = true;
		journal_note(&d->journal, "put back", step->target);
		err = actions[step->kind].undo(d, i);
		if (err < 0)
			complain(d, CODE_BAD_FILE, step, err);
		trace->touched = err < 0;
	}
	return any;
}

/* A file that was removed is about to be ours again, in its folder: known before it is there. */
static void note_returning(struct doing *d)
{
	array_foreach(it, &d->first->folders)
		if (words_add(d->ledger->arena, &d->ledger->folders, *it) < 0)
			d->report->diags.lost = true;
	array_foreach(step, &d->plan->steps) {
		const struct ledger_file *was = ledger_file(d->first, step->target);
		struct ledger_file *now;

		if (step->kind != STEP_REMOVE_FILE || !was)
			continue;
		now = edit_file(d->ledger, step->target);
		if (now)
			*now = *was;
	}
	save_ledger(d); /* on a full disk it fails, and files are put back all the same */
}

static bool put_files_back(struct doing *d, size_t failed)
{
	/* Removing comes first: on a full disk it makes the room that putting back needs. */
	bool any = undo_files(d, failed, false);

	any |= undo_files(d, failed, true);
	/* Those behind the failure were noted as intents and never begun. */
	for (size_t i = 0; i < d->plan->steps.n; i++)
		if (step_kind_class(d->plan->steps.at[i].kind) == CLASS_FILES &&
		    !d->traces[i].touched)
			forget_change(d, d->plan->steps.at[i].target);
	return any;
}

static bool is_build(const struct step *step)
{
	enum step_class class = step_kind_class(step->kind);

	return class == CLASS_INITRAMFS || class == CLASS_BOOT_LOADER;
}

static int build_again(struct doing *d, size_t index)
{
	const struct step *step = &d->plan->steps.at[index];
	int err;

	journal_note(&d->journal, "again", step_words(d, step));
	err = actions[step->kind].undo(d, index);
	if (err < 0)
		complain(d, CODE_BUILDER_FAILED, step, err);
	return err;
}

void roll_back(struct doing *d, size_t failed)
{
	bool any;

	note_returning(d);
	any = put_files_back(d, failed);
	drop_folders(d, true);
	d->report->rolled_back = any;
	if (!any)
		return;
	d->ledger->boot_id = d->first->boot_id;
	for (size_t i = 0; i < d->plan->steps.n; i++) {
		const struct step *step = &d->plan->steps.at[i];
		bool behind;

		if (!is_build(step))
			continue;
		behind = words_has(&d->first->unbuilt, step->target);
		if (d->traces[i].touched)
			behind = build_again(d, i) < 0;
		forget_word(&d->ledger->unbuilt, step->target);
		if (behind && !step->deploys &&
		    words_add(d->ledger->arena, &d->ledger->unbuilt, step->target) < 0)
			d->report->diags.lost = true;
	}
}
