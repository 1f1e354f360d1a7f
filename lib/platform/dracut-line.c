/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The line that dracut puts into unified kernel images (3.15): kernel_cmdline= of its
 * configuration, which it sources as bash (5.20). Where that is empty something else stands in for
 * it, which ours alone would put an end to: ours only ever adds to one that is set.
 */
#include "dracut-line.h"

#include <stdlib.h>
#include <string.h>

#include "flags.h"
#include "paths.h"
#include "shell-edit.h"
#include "strbuf.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789"

struct sources {
	ARRAY_OF(struct grub_source) list;
	const char *unusable;
};

/* What bash appends with += is set anew with what it was, which every shell knows. */
static int as_shell(struct arena *a, const char *text, const char **ret)
{
	_cleanup_strbuf_ struct strbuf b = {};

	while (*text) {
		const char *name = text + strspn(text, " \t");
		size_t n = strspn(name, LETTERS);

		if (n && strncmp(name + n, "+=", 2) == 0) {
			strbuf_addf(&b, "%.*s=${%.*s}", (int)n, name, (int)n, name);
			text = name + n + 2;
		}
		n = strcspn(text, "\n");
		n += text[n] == '\n';
		strbuf_addn(&b, text, n);
		text += n;
	}
	return strbuf_to_arena(&b, a, ret);
}

static int add(struct arena *a, struct sources *s, const char *path, const char *text)
{
	struct grub_source source = {.path = path};
	int r = text ? as_shell(a, text, &source.text) : 0;

	return r == 0 && text ? array_push(a, &s->list, source) : r;
}

static const char *name_in(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return strncmp(path, folder, n) == 0 && path[n] == '/' ? path + n + 1 : NULL;
}

/* Whether /etc has a file of that name, which counts then. */
static bool is_hidden(const struct host *host, const char *name)
{
	array_foreach(file, &host->files) {
		const char *other = name_in(file->path, PATH_DRACUT_DIR);

		if (other && file->status != FILE_ABSENT && strcmp(other, name) == 0)
			return true;
	}
	return false;
}

static int by_name(const void *a, const void *b)
{
	const struct grub_source *x = a, *y = b;

	return strcmp(strrchr(x->path, '/'), strrchr(y->path, '/'));
}

/* Both folders' files in the order of their names; own: in place of ours, NULL without. */
static int add_folders(struct arena *a, const struct host *host, const char *own, struct sources *s)
{
	size_t first = s->list.n;
	int r = own ? add(a, s, PATH_DRACUT_LINE, own) : 0;

	for (size_t i = 0; r == 0 && i < host->files.n; i++) {
		const struct host_file *file = &host->files.at[i];
		const char *usr = name_in(file->path, PATH_DRACUT_USR_DIR);

		if (file->status == FILE_ABSENT || strcmp(file->path, PATH_DRACUT_LINE) == 0 ||
		    (!usr && !name_in(file->path, PATH_DRACUT_DIR)) ||
		    (usr && is_hidden(host, usr)))
			continue;
		if (!s->unusable)
			r = file_unusable(a, file, &s->unusable);
		if (r == 0)
			r = add(a, s, file->path, file->text);
	}
	if (r == 0 && s->list.n > first)
		qsort(s->list.at + first, s->list.n - first, sizeof(*s->list.at), by_name);
	return r;
}

static int outcome(struct arena *a, const struct host *host, const char *shared, const char *own,
		   struct outcome *ret)
{
	const struct host_file *file = host_file(host, PATH_DRACUT);
	struct outcome o = {.line = "", .all = {.text = ""}};
	struct grub_error error = {};
	struct sources s = {};
	int r = file && file->status != FILE_ABSENT ? file_unusable(a, file, &s.unusable) : 0;

	if (r == 0)
		r = add(a, &s, PATH_DRACUT, shared);
	if (r == 0)
		r = add_folders(a, host, own, &s);
	o.broken = s.unusable;
	if (r == 0 && !o.broken)
		r = grub_defaults_value(a, s.list.at, s.list.n, DRACUT_VARIABLE, &o.normal, &error);
	if (r == -EBADMSG) {
		o.broken = arena_printf(a, "%s:%u: %s", error.path, error.line, error.why);
		r = o.broken ? 0 : -ENOMEM;
	}
	/* It is the whole line of what boots: a part of it is not enough to go by. */
	if (r == 0 && !o.broken && o.normal.uncertain)
		o.broken = o.normal.why ? o.normal.why : DRACUT_VARIABLE "= cannot be followed";
	if (!o.broken)
		o.line = o.normal.text;
	*ret = o;
	return r;
}

/* Where nobody else sets it ours adds nothing. */
static int check_set(struct arena *a, const struct host *host, const char **ret_why)
{
	struct outcome o = {};
	int r = outcome(a, host, file_text(host, PATH_DRACUT), NULL, &o);

	if (r == 0 && !o.broken && !*o.line)
		*ret_why = DRACUT_VARIABLE
			"= is not set in dracut's configuration, and what stands "
			"in for it at a build is not known; set it to the whole "
			"line, root= included";
	return r;
}

int dracut_line_files(struct arena *a, const struct host *host, struct loader_files *ret)
{
	const char *unset = NULL;
	struct outcome o = {};
	int r = check_set(a, host, &unset);

	if (r == 0)
		r = outcome(a, host, file_text(host, PATH_DRACUT),
			    file_text(host, PATH_DRACUT_LINE), &o);
	if (r < 0)
		return r;
	*ret = (struct loader_files){
		.line = o.line,
		.known = !o.broken && !unset,
		.why = o.broken ? o.broken : unset,
		.where = o.normal.last_path ? o.normal.last_path : PATH_DRACUT,
	};
	return 0;
}

int dracut_line_edit(struct arena *a, const struct host *host, const struct ledger *ledger,
		     const struct words *wanted, const struct words *surplus,
		     struct loader_edits *ret, const char **ret_conflict)
{
	static const struct shell_place place = {
		.shared = PATH_DRACUT,
		.own = PATH_DRACUT_LINE,
		.own_read = true,
		.var = DRACUT_VARIABLE,
		.takes_up = "${" DRACUT_VARIABLE ":+${" DRACUT_VARIABLE "}",
		.ends = "}",
		.outcome = outcome,
	};
	int r = wanted->n ? check_set(a, host, ret_conflict) : 0;

	return r < 0 || *ret_conflict
		       ? r
		       : shell_edit(a, host, ledger, &place, wanted, surplus, ret, ret_conflict);
}
