/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everything is looked at, and in the ledger, before the first byte is written. */
#include <errno.h>
#include <string.h>

#include "doing.h"
#include "ledger-edit.h"
#include "paths.h"

/* Ledger, journal, folders' own blocks. */
#define STATE_MARGIN (256u << 10)

static void refuse(struct doing *d, enum code code, const char *fmt, ...) _printf_(3, 4);

static void refuse(struct doing *d, enum code code, const char *fmt, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	text = arena_vprintf(d->arena, fmt, ap);
	va_end(ap);
	d->report->refused = true;
	diags_add(&d->report->diags, SEVERITY_ERROR, code, (struct place){0}, NULL, "%s",
		  text ? text : code_help(code));
}

/* --- files ------------------------------------------------------------------------------------ */

static bool is_file_step(const struct step *step)
{
	return step->kind == STEP_WRITE_FILE || step->kind == STEP_REMOVE_FILE;
}

static bool is_build_step(const struct step *step)
{
	return step->kind == STEP_BUILD_INITRAMFS || step->kind == STEP_REFRESH_LOADER;
}

int look_at_file(struct doing *d, const struct step *step, struct trace *now)
{
	const char *text;
	size_t size;
	int err = d->ops->read(d->ops->ctx, step->target, FILE_MAX_SIZE, d->arena, &text, &size,
			       &now->attr);

	now->existed = err == 0;
	now->before = err == 0 ? text : "";
	now->before_size = err == 0 ? size : 0;
	return err == -ENOENT ? 0 : err;
}

static bool holds(const struct trace *now, const char *bytes, size_t size)
{
	return now->existed && now->before_size == size && memcmp(now->before, bytes, size) == 0;
}

bool as_planned(const struct step *step, const struct trace *now)
{
	if (step->kind == STEP_REMOVE_FILE)
		return !now->existed || !step->before ||
		       holds(now, step->before, step->before_size);
	if (holds(now, step->content, step->size))
		return true;
	return step->before ? holds(now, step->before, step->before_size) : !now->existed;
}

static void check_file(struct doing *d, const struct step *step, struct trace *trace)
{
	struct ops_room room;
	int err = look_at_file(d, step, trace);

	if (err < 0) {
		refuse(d, CODE_BAD_FILE, "%s cannot be read: %s", step->target, strerror(-err));
		return;
	}
	if (!as_planned(step, trace)) {
		refuse(d, CODE_HOST_MOVED, "%s changed since the plan was made; plan again",
		       step->target);
		return;
	}
	err = d->ops->room(d->ops->ctx, step->target, &room);
	if (err < 0)
		refuse(d, CODE_BAD_FILE, "%s cannot be reached: %s", step->target, strerror(-err));
	else if (room.read_only)
		refuse(d, CODE_READ_ONLY,
		       "%s is on a file system that is mounted read-only; remount it writable",
		       step->target);
	else if (room.free < step->size + STATE_MARGIN)
		refuse(d, CODE_NO_SPACE, "not enough room to write %s: %ju KiB are free",
		       step->target, (uintmax_t)room.free >> 10);
}

/* --- what builders need ----------------------------------------------------------------------- */

/*
 * On one file system. Builders write the new image beside the old one (5.5), one after the other:
 * room is needed for the largest, and for what each of them grows by.
 */
struct need {
	uint64_t fs, largest, growth, free;
	const char *path; /* of the largest */
};

struct needs {
	ARRAY_OF(struct need) list;
};

static bool look_at_room(struct doing *d, const char *path, struct ops_room *ret)
{
	int err = d->ops->room(d->ops->ctx, path, ret);

	if (err < 0)
		refuse(d, CODE_BAD_FILE, "%s cannot be reached: %s", path, strerror(-err));
	else if (ret->read_only)
		refuse(d, CODE_READ_ONLY,
		       "%s is on a file system that is mounted read-only; remount it writable",
		       path);
	return err == 0;
}

/* NULL: out of memory. */
static struct need *need_of(struct doing *d, struct needs *needs, const struct ops_room *room)
{
	struct need *need;

	array_foreach(it, &needs->list)
		if (it->fs == room->fs)
			return it;
	need = array_add(d->arena, &needs->list);
	if (need)
		*need = (struct need){.fs = room->fs, .free = room->free};
	else
		d->report->diags.lost = true;
	return need;
}

static void add_produced(struct doing *d, const struct step *step, struct needs *needs)
{
	struct ops_room room;
	struct need *need = NULL;

	if (look_at_room(d, step->produces, &room))
		need = need_of(d, needs, &room);
	if (!need)
		return;
	if (!need->path || room.size > need->largest) {
		need->largest = room.size;
		need->path = step->produces;
	}
	if (step->kind == STEP_BUILD_INITRAMFS)
		need->growth += room.size / 16 + IMAGE_MARGIN;
}

/* A copy takes the place of the one before it, which goes first: what it is longer counts. */
static void add_copy(struct doing *d, const struct step_copy *copy, struct needs *needs)
{
	struct ops_room from, to;
	struct need *need = NULL;
	uint64_t size;

	if (copy->measured)
		to = (struct ops_room){.size = copy->size, .free = copy->free, .fs = copy->fs};
	if (look_at_room(d, copy->from, &from) &&
	    (copy->measured || look_at_room(d, copy->to, &to)))
		need = need_of(d, needs, &to);
	if (!need)
		return;
	size = from.size + from.size / 16 + IMAGE_MARGIN;
	need->growth += size > to.size ? size - to.size : 0;
	if (!need->path)
		need->path = copy->to;
}

/* What is copied over goes before its successor comes: nothing stands beside it. */
static bool goes_first(const struct step *step)
{
	array_foreach(copy, &step->copies)
		if (strcmp(copy->to, step->produces) == 0)
			return true;
	return false;
}

static void check_room(struct doing *d)
{
	struct needs needs = {0};

	array_foreach(it, &d->plan->steps) {
		if (is_build_step(it) && it->produces && !goes_first(it))
			add_produced(d, it, &needs);
		array_foreach(copy, &it->copies)
			if (copy->grows)
				add_copy(d, copy, &needs);
	}
	array_foreach(it, &needs.list)
		if (it->free < it->largest + it->growth)
			refuse(d, CODE_NO_SPACE,
			       "not enough room to build %s beside the present one: %ju MiB are "
			       "needed, %ju MiB are free; remove kernels that are no longer used",
			       it->path, (uintmax_t)(it->largest + it->growth) >> 20,
			       (uintmax_t)it->free >> 20);
}

/* --- what builders read ---------------------------------------------------------------------- */

static bool are_equal(const struct words *a, const struct words *b)
{
	for (size_t i = 0; a->n == b->n && i < a->n; i++)
		if (strcmp(a->at[i], b->at[i]) != 0)
			return false;
	return a->n == b->n;
}

static bool is_checked_before(const struct plan *plan, const struct step *step)
{
	for (const struct step *it = plan->steps.at; it < step; it++)
		if (are_equal(&it->check, &step->check))
			return true;
	return false;
}

/* What cannot be looked at is left to the builder. */
static void check_sources(struct doing *d)
{
	array_foreach(it, &d->plan->steps) {
		const struct ops_command command = {.argv = &it->check, .env = &it->env};
		struct ops_result result = {0};

		if (it->check.n && !is_checked_before(d->plan, it) &&
		    d->ops->run(d->ops->ctx, &command, d->arena, &result) == 0 && result.status)
			refuse(d, CODE_BAD_FILE, "%s would fail: %.*s", it->argv.at[0],
			       (int)strcspn(result.output, "\n"), result.output);
	}
}

/* --- the ledger ------------------------------------------------------------------------------- */

static int note_folders(struct doing *d, const char *path)
{
	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		const char *dir = arena_strndup(d->arena, path, (size_t)(slash - path));
		const char *word;
		int err;

		if (!dir)
			return -ENOMEM;
		err = d->ops->identity(d->ops->ctx, dir, d->arena, &word);
		/* Not known to be there, it could be taken for ours or for another's. */
		if (err < 0 && err != -ENOENT)
			return err;
		if (err == -ENOENT && words_add(d->arena, &d->ledger->folders, dir) < 0)
			return -ENOMEM;
	}
	return 0;
}

static void note_before(struct ledger_file *f, const struct trace *trace)
{
	f->existed = trace->existed;
	if (!trace->existed)
		return;
	f->before = trace->before;
	f->before_size = trace->before_size;
	f->mode = trace->attr.mode;
	f->uid = trace->attr.uid;
	f->gid = trace->attr.gid;
}

/*
 * What was there before us is noted once: a second write finds our own bytes. Where it finds
 * others, they are somebody else's: of now, when no write of ours got there yet, or mixed with
 * ours.
 */
static void note_found(struct ledger_file *f, bool known, const struct trace *trace)
{
	char digest[DIGEST_TEXT_SIZE];

	digest_bytes(trace->before, trace->before_size, digest);
	if (!known || (!f->owned && !f->mixed && !*f->after && !ledger_file_ours(f, digest)))
		note_before(f, trace);
	else if (!f->owned && !ledger_file_ours(f, digest))
		f->mixed = true;
}

static int note_file(struct doing *d, const struct step *step, const struct trace *trace)
{
	bool known = ledger_file(d->ledger, step->target);
	struct ledger_file *f = edit_file(d->ledger, step->target);
	char *digest = arena_alloc(d->arena, DIGEST_TEXT_SIZE);

	if (!f || !digest)
		return -ENOMEM;
	digest_bytes(step->content, step->size, digest);
	f->owned = step->owned;
	note_found(f, known, trace);
	f->intent = digest;
	f->intended = step->tokens;
	return note_folders(d, step->target);
}

/* When something was changed that takes effect at the next boot (8.10). */
static int note_boot(struct doing *d)
{
	return d->ops->boot_id(d->ops->ctx, d->arena, &d->ledger->boot_id);
}

static int note_all(struct doing *d)
{
	for (size_t i = 0; i < d->plan->steps.n; i++) {
		const struct step *step = &d->plan->steps.at[i];

		int err = step->kind == STEP_WRITE_FILE ? note_file(d, step, &d->traces[i]) : 0;

		if (err == 0 && (is_build_step(step) || is_file_step(step)))
			err = note_boot(d);
		if (err < 0)
			return err;
		/* What a deployment lacks is seen by itself. */
		if (is_build_step(step) && !step->deploys &&
		    words_add(d->ledger->arena, &d->ledger->unbuilt, step->target) < 0)
			return -ENOMEM;
		for (size_t j = 0; step->deploys && j < step->tokens.n; j++)
			if (words_add(d->ledger->arena, &d->ledger->deployed, step->tokens.at[j]) <
			    0)
				return -ENOMEM;
	}
	return 0;
}

/* What it says may still help a person: it is kept beside the new one. */
static void set_aside(struct doing *d)
{
	static const struct file_attr attr = {.mode = 0600};
	const char *text;
	size_t size;
	int err = d->ops->read(d->ops->ctx, PATH_LEDGER, FILE_MAX_SIZE, d->arena, &text, &size,
			       NULL);

	if (err == 0)
		err = d->ops->replace(d->ops->ctx, PATH_LEDGER_DAMAGED, text, size, &attr, false);
	if (err < 0)
		refuse(d, file_code(err), "%s could not be set aside: %s", PATH_LEDGER,
		       strerror(-err));
}

/* Where memory ran out while it was parsed, it only looked so. */
static bool is_damaged_indeed(const struct doing *d)
{
	_cleanup_ledger_ struct ledger *now = NULL;

	return ledger_load(d->ops, &now) == 0 && now->damaged;
}

int prepare(struct doing *d)
{
	if (d->first->damaged && (d->plan->observe_only || plan_wishes(d->plan))) {
		refuse(d, CODE_LEDGER_LOST,
		       "%s cannot be read, so what is ours on this host is not known; mend it, or "
		       "take back with revert what is recognisably ours",
		       PATH_LEDGER);
		return 0;
	}
	if (d->first->damaged && !is_damaged_indeed(d)) {
		refuse(d, CODE_OUT_OF_MEMORY,
		       "%s could not be read when this was planned, and can be now; do it again",
		       PATH_LEDGER);
		return 0;
	}
	for (size_t i = 0; i < d->plan->steps.n; i++)
		if (is_file_step(&d->plan->steps.at[i]))
			check_file(d, &d->plan->steps.at[i], &d->traces[i]);
	check_room(d);
	if (!d->report->refused)
		check_sources(d);
	if (!d->report->refused && d->first->damaged)
		set_aside(d);
	return d->report->refused ? 0 : note_all(d);
}
