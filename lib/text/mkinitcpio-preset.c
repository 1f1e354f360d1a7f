/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mkinitcpio-preset.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "strbuf.h"

#define BLANKS "\t "
#define DIGITS "0123456789"
#define NAMES  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_" DIGITS

struct assignment {
	const char *name;
	struct words words; /* of a list; one otherwise */
	unsigned line;
	bool vague; /* file names or variables would be put in */
};

struct preset {
	struct arena *arena;
	ARRAY_OF(struct assignment) list;
	unsigned strange;
};

/* One word at *at, into out. 0, -EBADMSG when its end is on no line of its own, -ENOMEM. */
static int word(const char **at, struct strbuf *out, bool *vague)
{
	char quote = 0;

	for (; **at && **at != '\n'; ++*at) {
		char c = **at;

		if (quote && c == quote) {
			quote = 0;
		} else if (!quote && strchr("'\"", c)) {
			quote = c;
		} else if (quote == '\'') {
			strbuf_addc(out, c);
		} else if (strchr("`\\", c) || (c == '$' && (*at)[1] == '(')) {
			return -EBADMSG;
		} else if (!quote && strchr(BLANKS "();&|<>", c)) {
			break;
		} else {
			*vague |= c == '$' || (!quote && strchr("*?[{~", c));
			strbuf_addc(out, c);
		}
	}
	return quote ? -EBADMSG : out->error;
}

static int add_word(struct preset *p, struct assignment *a, const char **at)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	int r = word(at, &out, &a->vague);
	const char *text;

	if (r == 0)
		r = strbuf_to_arena(&out, p->arena, &text);
	return r == 0 ? array_push(p->arena, &a->words, text) : r;
}

static int value(struct preset *p, struct assignment *a, const char **at)
{
	int r = 0;

	if (**at != '(')
		return add_word(p, a, at);
	for (++*at; r == 0 && **at && **at != ')';) {
		size_t blank = strspn(*at, BLANKS);

		*at += blank;
		if (!blank && strchr("(;&|<>\n", **at))
			return -EBADMSG;
		if (!blank || !strchr(")(;&|<>\n", **at))
			r = add_word(p, a, at);
	}
	if (r == 0 && **at != ')')
		r = -EBADMSG;
	*at += r == 0;
	return r;
}

/* 0, -EBADMSG when it is more than an assignment, -ENOMEM. */
static int line(struct preset *p, const char *at, unsigned number)
{
	struct assignment a = {.line = number};
	size_t n;
	int r;

	at += strspn(at, BLANKS);
	if (!*at || *at == '#' || *at == '\n')
		return 0;
	n = strspn(at, NAMES);
	if (!n || strchr(DIGITS, *at) || at[n] != '=')
		return -EBADMSG;
	a.name = arena_strndup(p->arena, at, n);
	at += n + 1;
	r = a.name ? value(p, &a, &at) : -ENOMEM;
	if (r < 0)
		return r;
	n = strspn(at, BLANKS);
	if (at[n] && at[n] != '\n' && (at[n] != '#' || !n))
		return -EBADMSG;
	return array_push(p->arena, &p->list, a);
}

/* The last one counts. */
static const struct assignment *find(struct preset *p, const char *prefix, const char *name)
{
	size_t n = strlen(prefix);

	for (size_t i = p->list.n; i > 0; i--) {
		const struct assignment *a = &p->list.at[i - 1];

		if (strncmp(a->name, prefix, n) != 0 || strcmp(a->name + n, name) != 0)
			continue;
		if (a->vague && !p->strange)
			p->strange = a->line;
		return a;
	}
	return NULL;
}

/* NULL where it is not set, or empty, which is the same to mkinitcpio. */
static const char *first_of(const struct assignment *a)
{
	return a && a->words.n && *a->words.at[0] ? a->words.at[0] : NULL;
}

/* What stands behind -c in a string of options, or in a list of them; NULL: nothing does. 0 or
 * -ENOMEM. */
static int config_in(struct arena *arena, const struct assignment *a, const char **ret)
{
	bool next = false;

	*ret = NULL;
	for (size_t i = 0; a && i < a->words.n; i++) {
		for (const char *at = a->words.at[i]; *at;) {
			size_t n = strcspn(at, BLANKS), name = 0;

			if (n > 9 && strncmp(at, "--config=", 9) == 0)
				name = 9;
			if (name || (next && n)) {
				*ret = arena_strndup(arena, at + name, n - name);
				return *ret ? 0 : -ENOMEM;
			}
			next = (n == 2 && strncmp(at, "-c", n) == 0) ||
			       (n == 8 && strncmp(at, "--config", n) == 0);
			at += n + strspn(at + n, BLANKS);
		}
	}
	return 0;
}

static void take_config(struct mkinitcpio_preset *ret, const struct assignment *a,
			const char *config)
{
	if (!config || ret->config)
		return;
	ret->config = config;
	ret->variable = a->name;
	ret->line = a->line;
}

static int look(struct preset *p, struct mkinitcpio_preset *ret)
{
	const struct assignment *a;
	const char *config;
	int r;

	ret->name = first_of(find(p, "", "PRESETS"));
	if (!ret->name)
		return 0;
	a = find(p, ret->name, "_config");
	take_config(ret, a, first_of(a));
	a = find(p, "ALL", "_config");
	take_config(ret, a, first_of(a));
	a = find(p, ret->name, "_options");
	r = config_in(p->arena, a, &config);
	take_config(ret, a, config);
	ret->image = first_of(find(p, ret->name, "_image"));
	ret->uki = first_of(find(p, ret->name, "_uki"));
	if (!ret->uki)
		ret->uki = first_of(find(p, ret->name, "_efi_image"));
	return r;
}

int mkinitcpio_preset_parse(struct arena *a, const char *text, struct mkinitcpio_preset *ret)
{
	struct preset p = {.arena = a};
	struct mkinitcpio_preset found = {0};
	unsigned number = 0;
	int r;

	while (text && *text) {
		r = line(&p, text, ++number);
		if (r == -ENOMEM)
			return r;
		if (r < 0 && !p.strange)
			p.strange = number;
		text = strchr(text, '\n');
		text += text != NULL;
	}
	r = look(&p, &found);
	if (r < 0)
		return r;
	found.strange = p.strange;
	*ret = found;
	return 0;
}
