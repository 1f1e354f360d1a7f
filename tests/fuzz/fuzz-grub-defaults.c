/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a token and up to three files. Errors name a place in a file; a token that could be
 * added holds, and taking it out again gives back every byte.
 */
#include "must.h"

#include <errno.h>

#include "grub-defaults.h"
#include "kcmdline.h"

#define VAR GRUB_LINUX_DEFAULT

static unsigned lines(const char *text)
{
	unsigned n = 1;

	while ((text = strchr(text, '\n'))) {
		text++;
		n++;
	}
	return n;
}

static void check_value(struct arena *a, const struct grub_source *sources, size_t n,
			const char *var)
{
	struct grub_error error = {0};
	struct grub_value v = {0};
	int r = grub_defaults_value(a, sources, n, var, &v, &error);

	MUST(r == 0 || r == -EBADMSG);
	if (r < 0) {
		MUST(error.why && error.line >= 1);
		for (size_t i = 0; i < n; i++)
			if (strcmp(error.path, sources[i].path) == 0)
				MUST(error.line <= lines(sources[i].text));
		return;
	}
	MUST(v.text && v.uncertain == (v.why != NULL));
	MUST(!v.last_path == !v.last_line);
	if (!v.last_path && !v.uncertain)
		MUST(v.text[0] == '\0');
}

/* The value of VAR in one file; false when it is uncertain. */
static bool value_of(struct arena *a, const char *text, struct kcmdline *ret)
{
	struct grub_source source = {"f", text};
	struct grub_error error;
	struct grub_value v;

	if (grub_defaults_value(a, &source, 1, VAR, &v, &error) < 0 || v.uncertain)
		return false;
	MUST(kcmdline_parse(a, v.text, ret) == 0);
	return true;
}

static bool holds(const struct kcmdline *k, const struct kparam *p)
{
	array_foreach(it, &k->params)
		if (!it->for_init && strcmp(it->name, p->name) == 0 && !it->value == !p->value &&
		    (!p->value || strcmp(it->value, p->value) == 0))
			return true;
	return false;
}

static void check_edits(struct arena *a, const char *text, const char *token)
{
	struct kcmdline before, after, alone;
	const char *added, *again, *removed;
	int r = grub_defaults_add(a, text, VAR, token, &added);

	MUST(r == 0 || r == -EBADMSG || r == -EOPNOTSUPP || r == -EINVAL);
	if (r < 0)
		return;
	MUST(kcmdline_parse(a, token, &alone) == 0);
	MUST(value_of(a, text, &before) && value_of(a, added, &after));
	if (strcmp(added, text) == 0) {
		MUST(kcmdline_satisfies(&before, token));
		return;
	}
	MUST(strlen(added) > strlen(text));
	MUST(after.params.n == before.params.n + 1 && holds(&after, &alone.params.at[0]));
	if (kcmdline_satisfies(&alone, token) && !kcmdline_conflict(&before, token))
		MUST(kcmdline_satisfies(&after, token));
	if (kcmdline_satisfies(&after, token))
		MUST(grub_defaults_add(a, added, VAR, token, &again) == 0 &&
		     strcmp(again, added) == 0);
	if (strstr(text, "# added by passthroughd"))
		return; /* a line of ours that was there before may go with the token */
	MUST(grub_defaults_remove(a, added, VAR, token, &removed) == 0);
	/* What no flag may hold brings quotes along, which a bare X= keeps. */
	MUST(kflag_refused(token) || strcmp(removed, text) == 0);
}

static void check_removal(struct arena *a, const char *text, const char *token)
{
	struct kcmdline before, after;
	const char *removed;
	int r = grub_defaults_remove(a, text, VAR, token, &removed);

	MUST(r == 0 || r == -EBADMSG || r == -EOPNOTSUPP || r == -EINVAL);
	if (r < 0 || strcmp(removed, text) == 0)
		return;
	MUST(strlen(removed) < strlen(text));
	MUST(value_of(a, text, &before));
	if (value_of(a, removed, &after))
		MUST(after.params.n < before.params.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *parts[4] = {"", ""};
	struct grub_source sources[3];
	size_t n = must_split(a, data, size, parts, 4);

	for (size_t i = 1; i < n; i++)
		sources[i - 1] = (struct grub_source){arena_printf(a, "f%zu", i), parts[i]};
	check_value(a, sources, n - 1, VAR);
	check_value(a, sources, n - 1, "A");
	check_edits(a, parts[1], parts[0]);
	check_removal(a, parts[1], parts[0]);
	return 0;
}
