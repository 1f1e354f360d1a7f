/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The running kernel: modules, their parameters, and the flag that asks for a reboot. */
#include <errno.h>
#include <string.h>

#include "doing.h"
#include "ledger-edit.h"
#include "paths.h"

#define PARAM_MAX 4096 /* sysfs gives a page */

int act_load(struct doing *d, size_t index, struct report_step *out)
{
	const char *module = d->plan->steps.at[index].target;
	int err = d->ops->load_module(d->ops->ctx, module);

	switch (-err) {
	case 0:
		return 0;
	case ENOENT:
		return step_fail(d, out, err, CODE_NO_EFFECT,
				 "the running kernel has no module %s; was its package removed?",
				 module);
	case ETIMEDOUT:
		return step_fail(d, out, err, CODE_NO_EFFECT, "loading %s does not come to an end",
				 module);
	default:
		return step_fail(d, out, err, CODE_NO_EFFECT,
				 "the kernel did not load %s: %s; its log says why", module,
				 strerror(-err));
	}
}

/* --- parameters ------------------------------------------------------------------------------- */

static int bool_value(const char *text)
{
	static const char *const words[2][4] = {{"0", "N", "n", "off"}, {"1", "Y", "y", "on"}};

	for (int i = 0; i < 2; i++)
		for (size_t k = 0; k < ARRAY_LEN(words[i]); k++)
			if (strcmp(text, words[i][k]) == 0)
				return i;
	return -1;
}

/* The kernel shows a value in its own way: Y for 1, decimal for hexadecimal. */
static bool same_value(const char *shown, const char *wanted)
{
	char *end_shown, *end_wanted;
	long long a, b;

	if (strcmp(shown, wanted) == 0)
		return true;
	if ((strcmp(shown, "Y") == 0 || strcmp(shown, "N") == 0) && bool_value(wanted) >= 0)
		return bool_value(shown) == bool_value(wanted);
	errno = 0;
	a = strtoll(shown, &end_shown, 0);
	b = strtoll(wanted, &end_wanted, 0);
	return errno == 0 && *shown && *wanted && !*end_shown && !*end_wanted && a == b;
}

static int read_param(struct doing *d, const char *path, const char **ret)
{
	const char *text;
	size_t size;
	int err = d->ops->read(d->ops->ctx, path, PARAM_MAX, d->arena, &text, &size, NULL);

	if (err < 0)
		return err;
	*ret = arena_strndup(d->arena, text, strcspn(text, "\n"));
	return *ret ? 0 : -ENOMEM;
}

/* The value before us is noted once; a parameter that has it again is nobody's. */
static int note_param(struct doing *d, const struct step *step, const char *before)
{
	struct ledger_param *known = find_param(d->ledger, step->module, step->param);

	if (known && same_value(known->before, step->value)) {
		forget_param(d->ledger, step->module, step->param);
		return 0;
	}
	if (known || !before)
		return 0;
	known = edit_param(d->ledger, step->module, step->param);
	if (!known)
		return -ENOMEM;
	known->before = before;
	return save_ledger(d);
}

int act_parameter(struct doing *d, size_t index, struct report_step *out)
{
	const struct step *step = &d->plan->steps.at[index];
	const char *path = arena_printf(d->arena, PATH_MODULES "/%s/parameters/%s", step->module,
					step->param);
	const char *before = "", *after = "";
	int err = path ? read_param(d, path, &before) : -ENOMEM;

	if (err < 0)
		return step_fail(d, out, err, CODE_BAD_FILE, "%s cannot be read: %s", step->target,
				 strerror(-err));
	if (same_value(before, step->value))
		return note_param(d, step, NULL);
	if (!find_param(d->ledger, step->module, step->param))
		err = note_param(d, step, before);
	if (err == 0)
		err = d->ops->write_attr(d->ops->ctx, path, step->value);
	if (err == 0)
		err = read_param(d, path, &after);
	if (err < 0)
		return step_fail(d, out, err, CODE_NO_EFFECT, "%s stays %s: %s", step->target,
				 before, strerror(-err));
	if (!same_value(after, step->value))
		return step_fail(d, out, -EIO, CODE_NO_EFFECT,
				 "%s took %s without an error, and is %s all the same",
				 step->target, step->value, after);
	return note_param(d, step, NULL);
}

/* --- the flag --------------------------------------------------------------------------------- */

int act_flag(struct doing *d, size_t index, struct report_step *out)
{
	static const char text[] = "*** System restart required ***\n";
	static const struct file_attr attr = {.mode = 0644};
	const struct step *step = &d->plan->steps.at[index];
	const char *word;
	int err = d->ops->identity(d->ops->ctx, PATH_REBOOT, d->arena, &word);

	/* Others wrote it before us: what it says is of no account (8.1). */
	if (err == -ENOENT) {
		err = d->ops->mkdirs(d->ops->ctx, "/run");
		if (err == 0)
			err = d->ops->replace(d->ops->ctx, PATH_REBOOT, text, strlen(text), &attr,
					      false);
	}
	if (err == 0)
		err = d->ops->append_line(d->ops->ctx, PATH_REBOOT_PKGS, "passthroughd");
	if (err < 0)
		return step_fail(d, out, err, file_code(err), "%s could not be written: %s",
				 step->target, strerror(-err));
	return 0;
}
