/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing and removing configuration files. */
#include <errno.h>
#include <string.h>

#include "doing.h"
#include "ledger-edit.h"

enum code file_code(int error)
{
	switch (-error) {
	case ENOSPC:
	case EDQUOT:
		return CODE_NO_SPACE;
	case EROFS:
		return CODE_READ_ONLY;
	case ENOMEM:
		return CODE_OUT_OF_MEMORY;
	default:
		return CODE_BAD_FILE;
	}
}

static bool same_attr(const struct file_attr *a, const struct file_attr *b)
{
	return a->mode == b->mode && a->uid == b->uid && a->gid == b->gid;
}

static const char *parent_of(struct doing *d, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == path ? "/" : arena_strndup(d->arena, path, (size_t)(slash - path));
}

static int put(struct doing *d, const char *path, const char *bytes, size_t size,
	       const struct file_attr *attr, bool force)
{
	const char *parent = parent_of(d, path);
	int err = parent ? d->ops->mkdirs(d->ops->ctx, parent) : -ENOMEM;

	return err < 0 ? err : d->ops->replace(d->ops->ctx, path, bytes, size, attr, force);
}

/* A shared file that is as before us, or without anything of ours, is no longer ours. */
static void note_written(struct doing *d, const struct step *step)
{
	struct ledger_file *f = edit_file(d->ledger, step->target);

	if (step->restore || (!step->owned && !step->tokens.n)) {
		forget_file(d->ledger, step->target);
		drop_folders(d, false);
	} else if (f) {
		f->after = f->intent;
		f->intent = "";
		f->tokens = step->tokens;
		f->intended = (struct words){0};
	}
}

static int file_fail(struct doing *d, struct report_step *out, int error, const struct step *step)
{
	return step_fail(d, out, error, file_code(error), "%s could not be %s: %s", step->target,
			 step->kind == STEP_REMOVE_FILE ? "removed" : "written", strerror(-error));
}

static int moved(struct doing *d, struct report_step *out, const struct step *step)
{
	return step_fail(d, out, -ESTALE, CODE_HOST_MOVED,
			 "%s changed since the plan was made; plan again", step->target);
}

int act_write(struct doing *d, size_t index, struct report_step *out)
{
	const struct step *step = &d->plan->steps.at[index];
	const struct ledger_file *known = ledger_file(d->first, step->target);
	bool back = step->restore && known && known->existed;
	struct file_attr attr = {.mode = step->mode};
	struct trace now = {0};
	int err = look_at_file(d, step, &now);

	if (err < 0)
		return file_fail(d, out, err, step);
	if (!as_planned(step, &now))
		return moved(d, out, step);
	if (back)
		attr = (struct file_attr){known->mode, known->uid, known->gid};
	/* An owned file's mode is ours too: a hook that may not be executed is passed over. */
	else if (step->owned && now.existed)
		attr = (struct file_attr){step->mode, now.attr.uid, now.attr.gid};
	if (!now.existed || now.before_size != step->size ||
	    memcmp(now.before, step->content, step->size) != 0 ||
	    ((back || step->owned) && !same_attr(&attr, &now.attr))) {
		d->traces[index].touched = true; /* also when it fails: it may have got through */
		err = put(d, step->target, step->content, step->size, &attr, back || step->owned);
		if (err < 0)
			return file_fail(d, out, err, step);
	}
	note_written(d, step);
	return 0;
}

int act_remove(struct doing *d, size_t index, struct report_step *out)
{
	const struct step *step = &d->plan->steps.at[index];
	struct trace now = {0};
	int err = look_at_file(d, step, &now);

	if (err < 0)
		return file_fail(d, out, err, step);
	if (!as_planned(step, &now))
		return moved(d, out, step);
	if (now.existed) {
		d->traces[index].touched = true;
		err = d->ops->unlink(d->ops->ctx, step->target);
		if (err < 0 && err != -ENOENT)
			return file_fail(d, out, err, step);
	}
	forget_file(d->ledger, step->target);
	drop_folders(d, false);
	return 0;
}

static bool is_in(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 && path[n] == '/';
}

/* A folder of ours that could not go keeps those above it, which are not empty for its sake. */
static bool needed(const struct ledger *l, const char *dir)
{
	array_foreach(it, &l->files)
		if (is_in(it->path, dir))
			return true;
	array_foreach(it, &l->folders)
		if (is_in(*it, dir))
			return true;
	return false;
}

static void complain_of_folder(struct doing *d, const char *dir, int error)
{
	d->report->failed = true;
	diags_add(&d->report->diags, SEVERITY_ERROR, file_code(error), (struct place){0}, NULL,
		  "%s, a folder made for files of ours, could not be removed: %s; apply again", dir,
		  strerror(-error));
}

void drop_folders(struct doing *d, bool last)
{
	struct words *folders = &d->ledger->folders;

	/* Parents were noted before what is in them. */
	for (size_t i = folders->n; i-- > 0;) {
		const char *dir = folders->at[i];
		int err;

		if (needed(d->ledger, dir))
			continue;
		err = d->ops->rmdir(d->ops->ctx, dir);
		/* Somebody else's files are in it now: it is theirs. */
		if (err == 0 || err == -ENOENT || err == -ENOTEMPTY || err == -EEXIST)
			forget_word(folders, dir);
		else if (last)
			complain_of_folder(d, dir, err);
	}
}

int undo_file(struct doing *d, size_t index)
{
	const struct step *step = &d->plan->steps.at[index];
	const struct trace *was = &d->traces[index];
	int err;

	if (was->existed)
		return put(d, step->target, was->before, was->before_size, &was->attr, true);
	err = d->ops->unlink(d->ops->ctx, step->target);
	return err == -ENOENT ? 0 : err;
}
