/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "grub-outcome.h"

#include <string.h>

#include "flags.h"
#include "paths.h"

struct sources {
	ARRAY_OF(struct grub_source) list;
	const char *unusable; /* a file that cannot be followed, and why; NULL */
};

static bool sourced(const struct host *host, const char *path)
{
	static const char dir[] = PATH_GRUB_DIR "/", end[] = ".cfg";
	const char *name;
	size_t n;

	if (strcmp(path, PATH_GRUB_DEFAULTS) == 0)
		return true;
	if (!host->boot.grub_dir_read || strncmp(path, dir, strlen(dir)) != 0)
		return false;
	name = path + strlen(dir);
	n = strlen(name);
	return name[0] != '.' && !strchr(name, '/') && n > strlen(end) &&
	       strcmp(name + n - strlen(end), end) == 0;
}

static int add_source(struct arena *a, struct sources *s, const char *path, const char *text)
{
	struct grub_source source = {.path = path, .text = text};

	return text ? array_push(a, &s->list, source) : 0;
}

/*
 * The files in the order of the shell's glob, which is that of host->files ("grub" sorts before
 * "grub.d/"). defaults and dropin take the place of our two files; NULL leaves one out.
 */
static int collect(struct arena *a, const struct host *host, const char *defaults,
		   const char *dropin, struct sources *ret)
{
	bool dropin_due = dropin != NULL;
	struct sources s = {};
	int r = add_source(a, &s, PATH_GRUB_DEFAULTS, defaults);

	array_foreach(file, &host->files) {
		bool ours = strcmp(file->path, PATH_GRUB_DROPIN) == 0;

		if (r < 0)
			return r;
		if (!sourced(host, file->path) || file->status == FILE_ABSENT)
			continue;
		if (!ours && !s.unusable)
			r = file_unusable(a, file, &s.unusable);
		if (ours || strcmp(file->path, PATH_GRUB_DEFAULTS) == 0)
			continue;
		if (r == 0 && dropin_due && strcmp(file->path, PATH_GRUB_DROPIN) > 0) {
			r = add_source(a, &s, PATH_GRUB_DROPIN, dropin);
			dropin_due = false;
		}
		if (r == 0)
			r = add_source(a, &s, file->path, file->text);
	}
	if (r == 0 && dropin_due)
		r = add_source(a, &s, PATH_GRUB_DROPIN, dropin);
	if (r == 0)
		*ret = s;
	return r;
}

const char *grub_variable(const struct host *host)
{
	return host->boot.blscfg ? GRUB_LINUX : GRUB_LINUX_DEFAULT;
}

int grub_outcome(struct arena *a, const struct host *host, const char *defaults, const char *dropin,
		 struct outcome *ret)
{
	const char *var = grub_variable(host);
	struct outcome o = {.line = "", .all = {.text = ""}};
	struct grub_error error = {};
	struct sources s = {};
	int r = collect(a, host, defaults, dropin, &s);

	if (r < 0)
		return r;
	o.broken = s.unusable;
	if (!o.broken && strcmp(var, GRUB_LINUX) != 0)
		r = grub_defaults_value(a, s.list.at, s.list.n, GRUB_LINUX, &o.all, &error);
	if (!o.broken && r == 0)
		r = grub_defaults_value(a, s.list.at, s.list.n, var, &o.normal, &error);
	if (r == -EBADMSG) {
		o.broken = arena_printf(a, "%s:%u: %s", error.path, error.line, error.why);
		r = o.broken ? 0 : -ENOMEM;
	} else if (r == 0 && !o.broken) {
		o.line = arena_printf(a, "%s%s%s", o.all.text, o.all.text[0] ? " " : "",
				      o.normal.text);
		r = o.line ? 0 : -ENOMEM;
	}
	if (r == 0)
		*ret = o;
	return r;
}
