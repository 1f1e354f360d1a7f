/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Steps in words. */
#include <string.h>

#include "diff.h"
#include "render-part.h"

bool render_item_shown(const struct plan_item *item)
{
	return !item->surplus || item->state == STATE_BLOCKED;
}

void render_step(const struct step *step, struct strbuf *out)
{
	static const char *const verbs[_STEP_KIND_MAX] = {
		[STEP_WRITE_FILE] = "write",
		[STEP_REMOVE_FILE] = "remove",
		[STEP_BUILD_INITRAMFS] = "rebuild the initramfs of",
		[STEP_REFRESH_LOADER] = "refresh the boot loader:",
		[STEP_LOAD_MODULE] = "load module",
		[STEP_SET_PARAMETER] = "set",
		[STEP_BIND] = "bind",
		[STEP_RETURN] = "give back",
		[STEP_SET_GUEST] = "set guest",
		[STEP_FLAG_REBOOT] = "flag the reboot:",
	};

	strbuf_addf(out, "%s %s", verbs[step->kind], step->target);
	if (step->kind == STEP_BIND)
		strbuf_addf(out, " to %s", step->driver ? step->driver : "its driver");
	if (step->kind == STEP_RETURN)
		strbuf_addf(out, " to %s",
			    step->driver && *step->driver ? step->driver : "its own driver");
	if (step->kind == STEP_SET_PARAMETER && step->value)
		strbuf_addf(out, " to %s", step->value);
	if (step->kind == STEP_SET_PARAMETER && step->value_before)
		strbuf_addf(out, " (now %s)", step->value_before);
}

/* What it reads, in one line. */
static void render_input(const char *text, struct strbuf *out)
{
	strbuf_add(out, " <<<\"");
	for (; *text; text++) {
		if (*text != '\n')
			strbuf_addc(out, *text);
		else
			text += strspn(text + 1, " ");
	}
	strbuf_add(out, "\"");
}

void render_command(const struct step *step, struct strbuf *out)
{
	array_foreach(it, &step->env)
		strbuf_addf(out, "%s ", *it);
	array_foreach(it, &step->argv)
		strbuf_addf(out, "%s%s", it == step->argv.at ? "" : " ", *it);
	if (step->input)
		render_input(step->input, out);
}

bool render_has_diff(const struct step *step)
{
	return step->kind == STEP_REMOVE_FILE || step->content;
}

void render_diff_name(const struct step *step, struct strbuf *out)
{
	strbuf_addf(out, "%s%s", step->kind == STEP_SET_GUEST ? "guest " : "", step->target);
}

void render_diff(const struct step *step, struct strbuf *out)
{
	_cleanup_strbuf_ struct strbuf name = {0};

	render_diff_name(step, &name);
	diff_unified(out, strbuf_text(&name), step->before, step->before_size,
		     step->kind == STEP_REMOVE_FILE ? NULL : step->content,
		     step->kind == STEP_REMOVE_FILE ? 0 : step->size);
	if (name.error)
		out->error = name.error;
}

bool render_step_concerns(const struct step *step, const char *device)
{
	static const char kind[] = "device:";
	size_t n = strlen(device);

	if (step->device && strcmp(step->device, device) == 0)
		return true;
	array_foreach(it, &step->guests)
		if (strcmp(it->device, device) == 0)
			return true;
	return step->why && strncmp(step->why, kind, strlen(kind)) == 0 &&
	       strncmp(step->why + strlen(kind), device, n) == 0 &&
	       !strchr("abcdefghijklmnopqrstuvwxyz0123456789._-", step->why[strlen(kind) + n]);
}
