/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kcmdline.h"

#include <errno.h>
#include <string.h>

#include "kcmdline-token.h"
#include "strbuf.h"

static int read_param(struct arena *a, const char *line, const struct token *t, struct kparam *ret)
{
	struct kparam p = {.raw = arena_strndup(a, line + t->at, t->len)};
	struct piece name, value;

	token_split(line + t->at, t->len, &name, &value);
	p.name = arena_strndup(a, name.at, name.len);
	if (value.at)
		p.value = arena_strndup(a, value.at, value.len);
	if (!p.raw || !p.name || (value.at && !p.value))
		return -ENOMEM;
	*ret = p;
	return 0;
}

int kcmdline_parse(struct arena *a, const char *line, struct kcmdline *ret)
{
	struct kcmdline parsed = {0};
	struct token token;
	bool for_init = false;
	size_t pos = 0;

	while (token_next(line, &pos, &token)) {
		struct kparam p;

		if (read_param(a, line, &token, &p) < 0)
			return -ENOMEM;
		for_init |= !p.value && strcmp(p.name, "--") == 0;
		p.for_init = for_init;
		if (array_push(a, &parsed.params, p) < 0)
			return -ENOMEM;
	}
	*ret = parsed;
	return 0;
}

bool kparam_name_equal(const char *a, const char *b)
{
	return piece_names((struct piece){a, strlen(a)}, b);
}

static int parse_both(struct arena *a, const char *line, const char *token,
		      struct kcmdline *ret_line, struct kparam *ret_param)
{
	struct token only;
	int r;

	if (!token_only(token, &only))
		return -EINVAL;
	r = read_param(a, token, &only, ret_param);
	return r < 0 ? r : kcmdline_parse(a, line, ret_line);
}

/*
 * Where the kernel's part of the line ends: behind its last whole token, 0 when there is none. A
 * token that is cut off inside a quote would swallow what follows it (1.6), so that one stays
 * last; *ret_blocked: there is such a one, or a "--".
 */
static size_t end_of_kernel_part(const char *line, const struct kcmdline *parsed, bool *ret_blocked)
{
	size_t pos = 0, end = 0;
	struct token t;

	*ret_blocked = false;
	array_foreach(it, &parsed->params) {
		if (!token_next(line, &pos, &t))
			break;
		if (t.open || it->for_init) {
			*ret_blocked = true;
			break;
		}
		end = t.at + t.len;
	}
	return end;
}

int kcmdline_add(struct arena *a, const char *line, const char *token, const char **ret)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	struct kcmdline parsed;
	struct kparam p;
	bool blocked;
	size_t at;
	int r = parse_both(a, line, token, &parsed, &p);

	if (r < 0)
		return r;
	if (kcmdline_satisfies(&parsed, p.raw)) {
		*ret = line;
		return 0;
	}
	/* Its own blank goes where kcmdline_remove will take one away. */
	at = end_of_kernel_part(line, &parsed, &blocked);
	strbuf_addn(&out, line, at);
	if (at)
		strbuf_addc(&out, ' ');
	strbuf_add(&out, p.raw);
	if (!at && blocked)
		strbuf_addc(&out, ' ');
	strbuf_add(&out, line + at);
	return strbuf_to_arena(&out, a, ret);
}

static bool same(const struct kparam *a, const struct kparam *b)
{
	if (strcmp(a->name, b->name) != 0)
		return false;
	return a->value && b->value ? strcmp(a->value, b->value) == 0 : !a->value && !b->value;
}

/* Leaves out the token and one blank beside it; *keep is the first byte not yet copied. */
static void cut(const char *line, const struct token *t, size_t *keep, struct strbuf *out)
{
	size_t from = t->at, end = t->at + t->len, pos = end;
	struct token next;

	if (from > *keep)
		from--;
	else if (token_next(line, &pos, &next))
		end++;
	strbuf_addn(out, line + *keep, from - *keep);
	*keep = end;
}

int kcmdline_remove(struct arena *a, const char *line, const char *token, const char **ret)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	size_t pos = 0, keep = 0;
	struct kcmdline parsed;
	struct kparam p;
	struct token t;
	int r = parse_both(a, line, token, &parsed, &p);

	if (r < 0)
		return r;
	array_foreach(it, &parsed.params)
		if (token_next(line, &pos, &t) && !it->for_init && same(it, &p))
			cut(line, &t, &keep, &out);
	strbuf_add(&out, line + keep);
	return strbuf_to_arena(&out, a, ret);
}

const char *module_name_kernel(struct arena *a, const char *name)
{
	char *copy = arena_strdup(a, name);

	for (char *c = copy; c && *c; c++)
		if (*c == '-')
			*c = '_';
	return copy;
}
