/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Building images and boot entries: an exit code is no proof (facts chapter 12). */
#include <errno.h>
#include <string.h>

#include "doing.h"
#include "ledger-edit.h"

#define ITOOLS_CONF "/etc/initramfs-tools/update-initramfs.conf"

const char *identity_of(struct doing *d, const char *path)
{
	const char *word;
	int err = path ? d->ops->identity(d->ops->ctx, path, d->arena, &word) : -ENOENT;

	if (!path || (err < 0 && err != -ENOENT))
		return NULL;
	return err == 0 ? word : "";
}

struct run {
	int error; /* it could not be run */
	struct ops_result result;
	int kept;     /* how putting a former file back went */
	int switched; /* how putting the staged file in its place went */
	int removed;  /* how removing what that one supersedes went */
	bool changed; /* what it produces is another file now, or nobody can tell */
	bool lost;    /* what has to stay in it did not: the former file is there again */
};

/* What a cut left there would be taken for the builder's. */
static int clear_stage(struct doing *d, const char *staged)
{
	const char *next = arena_printf(d->arena, "%s.new", staged);
	int err = next ? d->ops->unlink(d->ops->ctx, next) : -ENOMEM;

	if (err == 0 || err == -ENOENT)
		err = d->ops->unlink(d->ops->ctx, staged);
	return err == -ENOENT ? 0 : err;
}

/* The new file takes the old one's place whole. A tool that wrote there itself has done it all. */
static int switch_over(struct doing *d, const struct step *step)
{
	static const struct file_attr fresh = {.mode = 0444}; /* as grub-mkconfig makes it */
	const char *text;
	size_t size;
	int err = d->ops->read(d->ops->ctx, step->staged, FILE_MAX_SIZE, d->arena, &text, &size,
			       NULL);

	if (err < 0)
		return err == -ENOENT ? 0 : err;
	err = d->ops->replace(d->ops->ctx, step->produces, text, size, &fresh, false);
	return err < 0 ? err : clear_stage(d, step->staged);
}

static bool has_line(const char *text, const char *word)
{
	const size_t n = strlen(word);

	while (text && *text) {
		if (strncmp(text, word, n) == 0 && (text[n] == ' ' || text[n] == '\t'))
			return true;
		text = strchr(text, '\n');
		text += text != NULL;
	}
	return false;
}

struct former {
	const char *path, *text; /* NULL: there is none with the line that has to stay */
	size_t size;
	struct file_attr attr;
};

static int read_file(struct doing *d, const char *path, struct former *ret)
{
	return d->ops->read(d->ops->ctx, path, FILE_MAX_SIZE, d->arena, &ret->text, &ret->size,
			    &ret->attr);
}

/* What boots now: the file itself, or one that it supersedes. */
static struct former read_former(struct doing *d, const struct step *step)
{
	struct former former = {.path = step->produces};

	if (!step->keeps)
		return (struct former){};
	if (read_file(d, step->produces, &former) == 0 && has_line(former.text, step->keeps))
		return former;
	array_foreach(it, &step->supersedes) {
		former.path = *it;
		if (read_file(d, *it, &former) == 0 && has_line(former.text, step->keeps))
			return former;
	}
	return (struct former){};
}

/*
 * A boot entry without the initramfs that it had boots nothing. What the former one names is there
 * still: a command that writes entries removes no images. 0 or negative errno.
 */
static int keep_line(struct doing *d, const struct step *step, const struct former *former,
		     struct run *run)
{
	struct former now = {};
	int err = read_file(d, step->produces, &now);

	if (err < 0 && err != -ENOENT)
		return err;
	if (err == 0 && has_line(now.text, step->keeps))
		return 0;
	run->lost = true;
	if (former->path == step->produces)
		return d->ops->replace(d->ops->ctx, step->produces, former->text, former->size,
				       &former->attr, true);
	err = d->ops->unlink(d->ops->ctx, step->produces);
	return err == -ENOENT ? 0 : err;
}

/* Not before the new one stands: each of them boots the same kernel. */
static int remove_superseded(struct doing *d, const struct step *step)
{
	int r = 0;

	array_foreach(it, &step->supersedes) {
		int err = d->ops->unlink(d->ops->ctx, *it);

		if (err < 0 && err != -ENOENT)
			r = err;
	}
	return r;
}

/* ahead: it was run already. */
static void run_builder(struct doing *d, const struct step *step, const struct trace *ahead,
			struct run *run)
{
	const char *before = ahead ? ahead->identity : identity_of(d, step->produces);
	const struct former former = read_former(d, step);
	const char *after;

	run->error = step->staged ? clear_stage(d, step->staged) : 0;
	if (ahead) {
		run->error = ahead->ahead->error;
		run->result = ahead->ahead->result;
	} else if (run->error == 0)
		run->error = d->ops->run(
			d->ops->ctx, &(struct ops_command){.argv = &step->argv, .env = &step->env},
			d->arena, &run->result);
	if (run->error == 0 && run->result.status == 0 && step->staged)
		run->switched = switch_over(d, step);
	if (former.text && (run->error == 0 || run->error == -ETIMEDOUT))
		run->kept = keep_line(d, step, &former, run);
	after = identity_of(d, step->produces);
	run->changed = (run->error == 0 || run->error == -ETIMEDOUT) &&
		       (!before || !after || strcmp(before, after) != 0 ||
			((run->error < 0 || run->result.status) && step->copies.n));
	if (run->changed && run->error == 0 && run->result.status == 0 && !run->lost)
		run->removed = remove_superseded(d, step);
}

static const char *command_of(const struct step *step)
{
	return step->argv.n ? step->argv.at[0] : step->target;
}

/* Fact 5.3: what makes update-initramfs do nothing and say that all is well. */
static const char *likely_cause(struct doing *d, const struct step *step)
{
	const char *text;
	size_t size;

	if (step->kind != STEP_BUILD_INITRAMFS || !strstr(command_of(step), "update-initramfs"))
		return "see whether what holds it is mounted read-only";
	if (d->ops->read(d->ops->ctx, ITOOLS_CONF, FILE_MAX_SIZE, d->arena, &text, &size, NULL) ==
		    0 &&
	    strstr(text, "update_initramfs=no"))
		return ITOOLS_CONF " says update_initramfs=no; set it to yes";
	return "see whether /boot is mounted read-only, and " ITOOLS_CONF;
}

/* The command itself: 0, or how the step failed. */
static int judge_end(struct doing *d, const struct step *step, const struct run *run,
		     struct report_step *out)
{
	const char *command = command_of(step);

	if (run->error == -ENOENT)
		return step_fail(d, out, run->error, CODE_NO_BUILDER,
				 "%s is not installed; install it and apply again", command);
	if (run->error == -ETIMEDOUT)
		return step_fail(d, out, run->error, CODE_BUILDER_FAILED,
				 "%s did not come to an end and was killed; its last lines say how "
				 "far it came",
				 command);
	if (run->error < 0)
		return step_fail(d, out, run->error, CODE_BUILDER_FAILED, "%s could not be run: %s",
				 command, strerror(-run->error));
	if (run->kept < 0)
		return step_fail(
			d, out, run->kept, CODE_BUILDER_FAILED,
			"%s left %s without an %s, and the former one could not be put back: "
			"%s; the host would not boot, mend that before anything else",
			command, step->produces, step->keeps, strerror(-run->kept));
	if (run->result.status > 128)
		return step_fail(d, out, -EIO, CODE_BUILDER_FAILED, "%s was ended by signal %d",
				 command, run->result.status - 128);
	if (run->result.status)
		return step_fail(d, out, -EIO, CODE_BUILDER_FAILED,
				 "%s ended with exit code %d; its last lines say why", command,
				 run->result.status);
	return 0;
}

int act_build(struct doing *d, size_t index, struct report_step *out)
{
	const struct step *step = &d->plan->steps.at[index];
	const char *command = command_of(step);
	struct run run = {0};
	int err;

	if (step->beside && !d->traces[index].ahead)
		build_beside(d, index);
	run_builder(d, step, d->traces[index].ahead ? &d->traces[index] : NULL, &run);
	d->traces[index].touched = run.changed;
	out->output = run.result.output;
	err = judge_end(d, step, &run, out);
	if (err < 0)
		return err;
	if (run.switched < 0)
		return step_fail(d, out, run.switched, file_code(run.switched),
				 "what %s wrote could not take the place of %s: %s", command,
				 step->produces, strerror(-run.switched));
	if (run.lost)
		return step_fail(d, out, -ENODATA, CODE_BUILDER_FAILED,
				 "%s reported success, but left %s without an %s, which would not "
				 "boot; the former one is there again",
				 command, step->produces, step->keeps);
	if (step->produces && !run.changed)
		return step_fail(d, out, -ENODATA, CODE_NO_EFFECT,
				 "%s reported success, but %s is the old one: %s", command,
				 step->produces, likely_cause(d, step));
	if (run.removed < 0)
		return step_fail(
			d, out, run.removed, file_code(run.removed),
			"%s wrote %s, but %s, which boots the same kernel as before, could "
			"not be removed: %s",
			command, step->produces, step->supersedes.at[0], strerror(-run.removed));
	forget_word(&d->ledger->unbuilt, step->target);
	if (step->deploys)
		d->ledger->deployed = step->tokens;
	return 0;
}

int undo_build(struct doing *d, size_t index)
{
	struct step back = d->plan->steps.at[index];
	struct run run = {0};

	if (back.undo.n)
		back.argv = back.undo;
	run_builder(d, &back, NULL, &run);
	if (run.error < 0)
		return run.error;
	if (run.switched < 0)
		return run.switched;
	if (run.removed < 0)
		return run.removed;
	return run.result.status || !run.changed ? -EIO : 0;
}
