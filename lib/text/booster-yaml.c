/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "booster-yaml.h"

#include <errno.h>
#include <string.h>

#include "strbuf.h"

#define BLANKS "\t "

/* A line of the outermost mapping, with what stands below it. */
struct entry {
	const char *key, *value; /* without blanks around and without a comment */
	size_t key_length, value_length;
	unsigned line;
	bool more; /* something is indented below it */
	bool strange;
};

static size_t line_length(const char *at)
{
	return strcspn(at, "\n");
}

static const char *after_line(const char *at)
{
	at += line_length(at);
	return at + (*at == '\n');
}

static bool is_empty(const char *at, size_t n)
{
	size_t blank = strspn(at, BLANKS "\r");

	return blank >= n || at[blank] == '#';
}

/* Where the value ends: before a comment, and before blanks. Quoted ones have both inside. */
static size_t value_length(const char *at, size_t n)
{
	if (n && !strchr("'\"", *at))
		for (size_t i = 1; i < n; i++)
			if (at[i] == '#' && strchr(BLANKS, at[i - 1]))
				n = i;
	while (n && strchr(BLANKS "\r", at[n - 1]))
		n--;
	return n;
}

static void split_line(const char *at, size_t n, struct entry *e)
{
	static const char names[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789_-";
	size_t key = strspn(at, names), colon = key, skip;

	while (colon < n && strchr(BLANKS, at[colon]))
		colon++;
	e->key = at;
	e->key_length = key;
	if (!key || colon >= n || at[colon] != ':') {
		e->strange = true;
		return;
	}
	skip = colon + 1;
	if (skip < n && !strchr(BLANKS "\r", at[skip]))
		e->strange = true;
	while (skip < n && strchr(BLANKS, at[skip]))
		skip++;
	e->value = at + skip;
	e->value_length = value_length(e->value, n - skip);
}

/*
 * The next entry. *at, *number: where to look on. False: there is none. A document's first line
 * says nothing.
 */
static bool next_entry(const char **at, unsigned *number, struct entry *ret)
{
	bool found = false;

	*ret = (struct entry){0};
	for (; **at; *at = after_line(*at)) {
		size_t n = line_length(*at);
		bool inside = strchr(BLANKS, **at);

		if (is_empty(*at, n)) {
			++*number;
			continue;
		}
		if (found && !inside)
			return true;
		++*number;
		if (found) {
			ret->more = true;
		} else if (*number > 1 || strncmp(*at, "---", 3) != 0 || n != 3) {
			split_line(*at, n, ret);
			ret->strange |= inside;
			ret->line = *number;
			found = true;
		}
	}
	return found;
}

static bool key_is(const struct entry *e, const char *key)
{
	return e->key_length == strlen(key) && strncmp(e->key, key, e->key_length) == 0;
}

/* One scalar of one line. 0, -EBADMSG when it is another thing, -ENOMEM. */
static int scalar(struct arena *a, const struct entry *e, const char **ret)
{
	const char *at = e->value;
	size_t n = e->value_length;
	char quote = n && strchr("'\"", *at) ? *at : 0;

	if (e->strange || e->more)
		return -EBADMSG;
	if (quote) {
		if (n < 2 || at[n - 1] != quote || memchr(at + 1, quote, n - 2) ||
		    memchr(at, '\\', n))
			return -EBADMSG;
		at++;
		n -= 2;
	} else if (n && strchr("&*!|>{}[]@`%?,", *at)) {
		return -EBADMSG;
	}
	*ret = n ? arena_strndup(a, at, n) : "";
	return *ret ? 0 : -ENOMEM;
}

/* --- what a person says ---------------------------------------------------------------------- */

/* A list is one string with commas. */
static int add_items(struct arena *a, struct booster_config *c, const struct entry *e, bool force)
{
	const char *text;
	int r = scalar(a, e, &text);

	while (r == 0 && *text) {
		size_t n = strcspn(text, ","), skip = strspn(text, BLANKS), end = n;
		struct booster_item item = {.line = e->line};

		while (end > skip && strchr(BLANKS, text[end - 1]))
			end--;
		item.text = arena_strndup(a, text + skip, end > skip ? end - skip : 0);
		if (!item.text)
			return -ENOMEM;
		if (*item.text)
			r = array_push(a, force ? &c->force_load : &c->modules, item);
		text += n + (text[n] == ',');
	}
	return r;
}

static int take(struct arena *a, struct booster_config *c, const struct entry *e)
{
	bool modules = key_is(e, "modules"), force = key_is(e, "modules_force_load");
	bool off = !e->more && (!e->value_length || *e->value == '~' ||
				(e->value_length == 4 && strncmp(e->value, "null", 4) == 0));

	if (e->strange || ((modules && c->modules.n) || (force && c->force_load.n)))
		return -EBADMSG;
	if (key_is(e, "network") && !off)
		c->network = e->line;
	return modules || force ? add_items(a, c, e, force) : 0;
}

int booster_config_parse(struct arena *a, const char *text, struct booster_config *ret)
{
	struct booster_config c = {0};
	unsigned number = 0;
	struct entry e;

	while (next_entry(&text, &number, &e)) {
		int r = take(a, &c, &e);

		if (r == -ENOMEM)
			return r;
		if (r < 0 && !c.strange)
			c.strange = e.line;
	}
	*ret = c;
	return 0;
}

/* --- what booster says ----------------------------------------------------------------------- */

#define OPTIONS "modprobeoptions"

int booster_init_reduce(struct arena *a, const char *text, const char **ret)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	bool keep = false;

	for (; *text; text = after_line(text)) {
		size_t n = line_length(text);
		struct entry e = {0};

		if (is_empty(text, n))
			continue;
		if (!strchr(BLANKS, *text)) {
			split_line(text, n, &e);
			keep = !e.strange && (key_is(&e, "kernel") || key_is(&e, OPTIONS));
		}
		if (keep) {
			strbuf_addn(&out, text, n);
			strbuf_addc(&out, '\n');
		}
	}
	return strbuf_to_arena(&out, a, ret);
}

int booster_init_kernel(struct arena *a, const char *text, const char **ret)
{
	const char *found = "";
	unsigned number = 0;
	struct entry e;

	while (next_entry(&text, &number, &e)) {
		int r = key_is(&e, "kernel") ? scalar(a, &e, &found) : 0;

		if (r == -ENOMEM)
			return r;
	}
	*ret = found;
	return 0;
}

/* What a quote hides: '' in single ones, \" and \\ in double ones. */
static void add_unquoted(struct strbuf *out, const struct entry *e)
{
	const char *end = e->value + e->value_length;
	char quote = e->value_length > 1 && strchr("'\"", *e->value) ? *e->value : 0;

	if (!quote) {
		strbuf_addn(out, e->value, e->value_length);
		return;
	}
	for (const char *at = e->value + 1; at < end - 1; at++) {
		if ((quote == '\'' && at[0] == quote && at[1] == quote) ||
		    (quote == '"' && *at == '\\'))
			at++;
		if (at < end - 1)
			strbuf_addc(out, *at);
	}
}

int booster_init_options(struct arena *a, const char *text, const char **ret)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	bool inside = false;

	for (; *text; text = after_line(text)) {
		size_t n = line_length(text), skip = strspn(text, BLANKS);
		struct entry e = {0};

		if (is_empty(text, n))
			continue;
		split_line(text + skip, n - skip, &e);
		if (!skip)
			inside = !e.strange && key_is(&e, OPTIONS);
		else if (inside && !e.strange && e.value_length) {
			strbuf_addf(&out, "options %.*s ", (int)e.key_length, e.key);
			add_unquoted(&out, &e);
			strbuf_addc(&out, '\n');
		}
	}
	return strbuf_to_arena(&out, a, ret);
}
