/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Single tokens put into and taken out of one assignment. A token that follows unquoted text
 * brings its own quotes (X=quiet" iommu=pt"), and an assignment that we append says so in a
 * comment: so taking the token out again gives back every byte.
 */
#include <errno.h>
#include <string.h>

#include "grub-source.h"
#include "kcmdline-token.h"
#include "kcmdline.h"

#define MARK " # added by passthroughd"

struct edit {
	struct arena *arena;
	const char *text, *var, *token;
	struct grub_state state;
};

static int follow(struct edit *e, const char *text, struct grub_state *g)
{
	struct grub_error error;

	grub_state_start(g, e->arena, e->var);
	return grub_state_follow(g, &(struct grub_source){"", text}, &error);
}

/* The assignment that decides, or NULL when there is none. */
static const struct grub_assignment *deciding(const struct grub_state *g)
{
	return g->assignments.n ? &g->assignments.at[g->assignments.n - 1] : NULL;
}

static int replaced(const struct edit *e, size_t at, size_t len, const char *by, const char **ret)
{
	_cleanup_strbuf_ struct strbuf out = {0};

	strbuf_addn(&out, e->text, at);
	strbuf_add(&out, by);
	strbuf_add(&out, e->text + at + len);
	return strbuf_to_arena(&out, e->arena, ret);
}

/* 0 when both lines hold the same parameters in the same order, as they stand. */
static int compare_lines(struct arena *a, const char *x, const char *y)
{
	struct kcmdline one, two;

	if (kcmdline_parse(a, x, &one) < 0 || kcmdline_parse(a, y, &two) < 0)
		return -ENOMEM;
	if (one.params.n != two.params.n)
		return -EOPNOTSUPP;
	for (size_t i = 0; i < one.params.n; i++)
		if (strcmp(one.params.at[i].raw, two.params.at[i].raw) != 0)
			return -EOPNOTSUPP;
	return 0;
}

/* Looks at the edited text with the same eyes: nothing is handed out that does not read right. */
static int check(struct edit *e, const char *text, const char *expected)
{
	const struct grub_assignment *last;
	struct grub_state g;
	int r = follow(e, text, &g);

	if (r < 0)
		return r == -EBADMSG ? -EOPNOTSUPP : r;
	last = deciding(&g);
	if (g.spoiled || !last || last->why)
		return -EOPNOTSUPP;
	return compare_lines(e->arena, last->value, expected);
}

/* Text for a place with that quoting; glue and token become part of the value. */
static int quoted(struct edit *e, enum shell_quote quote, const char *before, const char *after,
		  const char **ret)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	bool bare = quote == QUOTE_NONE && !*before && !*after && !kflag_refused(e->token);

	if (quote == QUOTE_SINGLE && strchr(e->token, '\''))
		return -EOPNOTSUPP; /* it would take several pairs of quotes */
	if (quote == QUOTE_NONE && !bare)
		strbuf_addc(&out, '"');
	strbuf_add(&out, before);
	for (const char *c = e->token; *c; c++) {
		if (quote != QUOTE_SINGLE && strchr("$`\"\\", *c))
			strbuf_addc(&out, '\\');
		strbuf_addc(&out, *c);
	}
	strbuf_add(&out, after);
	if (quote == QUOTE_NONE && !bare)
		strbuf_addc(&out, '"');
	return strbuf_to_arena(&out, e->arena, ret);
}

static const struct shell_unit *unit_at(const struct grub_assignment *g, size_t i)
{
	return g->units.list.at && i < g->units.list.n ? &g->units.list.at[i] : NULL;
}

/* Index of the unit that the value's byte belongs to; the number of units when past the end. */
static size_t unit_of(const struct grub_assignment *g, size_t byte)
{
	size_t i = 0;

	while (i < g->units.list.n && g->units.list.at[i].from + g->units.list.at[i].size <= byte)
		i++;
	return i;
}

struct place {
	size_t at; /* in the source */
	enum shell_quote quote;
	const char *before, *after;
};

/* Behind the value's byte number last, or behind the expansions that follow it. */
static int place_behind(const struct grub_assignment *g, size_t last, struct place *ret)
{
	size_t i = unit_of(g, last);
	const struct shell_unit *u = unit_at(g, i), *next;

	if (!u || u->from + u->size != last + 1)
		return -EOPNOTSUPP; /* in the middle of a variable's value */
	while ((next = unit_at(g, ++i)) && next->expansion)
		u = next;
	*ret = (struct place){u->at + u->len, u->quote, " ", ""};
	return 0;
}

/* Before all that is in the value, and that must stay last. */
static int place_before(const struct grub_assignment *g, struct place *ret)
{
	const struct shell_unit *first = unit_at(g, 0);

	if (!first || first->expansion)
		return -EOPNOTSUPP;
	*ret = (struct place){first->at, first->quote, "", " "};
	return 0;
}

/* In a value that holds nothing but blanks. */
static int place_in_empty(const struct edit *e, const struct grub_assignment *g, struct place *ret)
{
	const struct shell_unit *last = unit_at(g, g->units.list.n - 1);
	char first = e->text[g->at];

	if (last && last->expansion) {
		*ret = (struct place){last->at + last->len, last->quote, " ", ""};
		return 0;
	}
	array_foreach(unit, &g->units.list)
		if (unit->expansion)
			return -EOPNOTSUPP;
	if (first == '"' || first == '\'')
		*ret = (struct place){g->at + 1, first == '"' ? QUOTE_DOUBLE : QUOTE_SINGLE, "",
				      ""};
	else
		*ret = (struct place){g->at, QUOTE_NONE, "", ""};
	return 0;
}

/* Where kcmdline_add would put a token, in the source. */
static int find_place(const struct edit *e, const struct grub_assignment *g, struct place *ret)
{
	size_t pos = 0, end = 0;
	struct piece name, value;
	bool blocked = false;
	struct token t;

	while (!blocked && token_next(g->value, &pos, &t)) {
		token_split(g->value + t.at, t.len, &name, &value);
		blocked = t.open || (!value.at && piece_is(name, "--"));
		if (!blocked)
			end = t.at + t.len;
	}
	if (end)
		return place_behind(g, end - 1, ret);
	return blocked ? place_before(g, ret) : place_in_empty(e, g, ret);
}

static int append_assignment(struct edit *e, const char **ret)
{
	size_t len = strlen(e->text);
	bool open = len && e->text[len - 1] != '\n';
	const char *value, *line;
	int r = quoted(e, QUOTE_DOUBLE, "", "", &value);

	if (r < 0)
		return r;
	line = arena_printf(e->arena, "%s%s=\"%s\"" MARK "%s", open ? "\n" : "", e->var, value,
			    open ? "" : "\n");
	return line ? replaced(e, len, 0, line, ret) : -ENOMEM;
}

static int start(struct edit *e)
{
	struct token t;
	int r;

	if (!token_only(e->token, &t) || t.len != strlen(e->token) ||
	    shell_name_length(e->var) != strlen(e->var) || !*e->var)
		return -EINVAL;
	r = follow(e, e->text, &e->state);
	if (r < 0)
		return r;
	return e->state.spoiled ? -EOPNOTSUPP : 0;
}

static int add_to(struct edit *e, const struct grub_assignment *g, const char **ret)
{
	struct place place;
	const char *by;
	int r = find_place(e, g, &place);

	if (r < 0)
		return r;
	r = quoted(e, place.quote, place.before, place.after, &by);
	return r < 0 ? r : replaced(e, place.at, 0, by, ret);
}

int grub_defaults_add(struct arena *a, const char *text, const char *var, const char *token,
		      const char **ret)
{
	struct edit e = {.arena = a, .text = text, .var = var, .token = token};
	const struct grub_assignment *last;
	const char *edited, *expected;
	struct kcmdline line;
	int r = start(&e);

	if (r < 0)
		return r;
	last = deciding(&e.state);
	if (last && last->why)
		return -EOPNOTSUPP;
	r = kcmdline_parse(a, last ? last->value : "", &line);
	if (r < 0)
		return r;
	if (kcmdline_satisfies(&line, token)) {
		*ret = text;
		return 0;
	}
	r = kcmdline_add(a, last ? last->value : "", token, &expected);
	if (r == 0)
		r = last ? add_to(&e, last, &edited) : append_assignment(&e, &edited);
	if (r == 0)
		r = check(&e, edited, expected);
	if (r == 0)
		*ret = edited;
	return r;
}

/* Bytes of the value that go: the token, and one blank beside it as kcmdline_remove has it. */
struct range {
	size_t from, to;
	bool with_blank;
};

/* The last token before "--" that equals ours. */
static bool find_token(struct edit *e, const char *line, struct range *ret)
{
	struct piece name, value, our_name, our_value;
	size_t pos = 0, behind;
	struct token t, next;
	bool found = false;

	token_split(e->token, strlen(e->token), &our_name, &our_value);
	while (token_next(line, &pos, &t)) {
		token_split(line + t.at, t.len, &name, &value);
		if (!value.at && piece_is(name, "--"))
			break;
		if (!piece_equal(name, our_name) || !piece_equal(value, our_value))
			continue;
		*ret = (struct range){t.at, t.at + t.len, t.at > 0};
		behind = pos;
		if (t.at)
			ret->from--;
		else if (token_next(line, &behind, &next)) {
			ret->to++;
			ret->with_blank = true;
		}
		found = true;
	}
	return found;
}

/*
 * Whether the quotes around the units [first, end) hold nothing else and were brought by the token
 * and its blank: then they go, too.
 */
static bool quotes_go(const struct edit *e, const struct grub_assignment *g, size_t first,
		      size_t end, const struct range *gone)
{
	const struct shell_unit *u = g->units.list.at + first, *last = g->units.list.at + end - 1;

	if (!gone->with_blank || u->quote != QUOTE_DOUBLE || e->text[u->at - 1] != '"' ||
	    e->text[last->at + last->len] != '"')
		return false;
	/* That quote may be an escaped one, hence part of the value. */
	if (first > 0 && u[-1].at + u[-1].len >= u->at)
		return false;
	/* A value that is one pair of quotes keeps it, whoever wrote it. */
	return u->at - 1 > g->at || end < g->units.list.n;
}

static int cut_units(struct edit *e, const struct grub_assignment *g, const struct range *gone,
		     const char **ret)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	size_t first = unit_of(g, gone->from), end = unit_of(g, gone->to), keep = 0;
	const struct shell_unit *units = g->units.list.at;

	for (size_t i = first; i < end; i++)
		if (units[i].expansion)
			return -EOPNOTSUPP;
	if (first < end && quotes_go(e, g, first, end, gone)) {
		strbuf_addn(&out, e->text, units[first].at - 1);
		keep = units[end - 1].at + units[end - 1].len + 1;
	} else {
		for (size_t i = first; i < end; i++) {
			strbuf_addn(&out, e->text + keep, units[i].at - keep);
			keep = units[i].at + units[i].len;
		}
	}
	strbuf_add(&out, e->text + keep);
	return strbuf_to_arena(&out, e->arena, ret);
}

/* Takes the whole line out that append_assignment made, if nothing is left in it. */
static int drop_our_line(struct edit *e, const char *text, const char **ret)
{
	const char *line = arena_printf(e->arena, "%s=\"\"" MARK, e->var), *at = text, *end;

	if (!line)
		return -ENOMEM;
	while ((at = strstr(at, line))) {
		end = at + strlen(line);
		if ((at == text || at[-1] == '\n') && (*end == '\n' || !*end))
			break;
		at = end;
	}
	if (!at) {
		*ret = text;
		return 0;
	}
	if (*end == '\n')
		end++;
	else if (at > text)
		at--;
	text = arena_printf(e->arena, "%.*s%s", (int)(at - text), text, end);
	if (!text)
		return -ENOMEM;
	*ret = text;
	return 0;
}

/* Takes the token out of one assignment and looks whether it is the one that is gone. */
static int remove_from(struct edit *e, const struct grub_assignment *g, const struct range *gone,
		       const char **ret)
{
	struct grub_state after;
	const char *edited, *expected;
	size_t i = (size_t)(g - e->state.assignments.at);
	int r = cut_units(e, g, gone, &edited);

	if (r < 0)
		return r;
	expected = arena_printf(e->arena, "%.*s%s", (int)gone->from, g->value, g->value + gone->to);
	if (!expected)
		return -ENOMEM;
	r = follow(e, edited, &after);
	if (r < 0)
		return r == -EBADMSG ? -EOPNOTSUPP : r;
	if (after.spoiled || after.assignments.n != e->state.assignments.n ||
	    after.assignments.at[i].why)
		return -EOPNOTSUPP;
	r = compare_lines(e->arena, after.assignments.at[i].value, expected);
	return r < 0 ? r : drop_our_line(e, edited, ret);
}

int grub_defaults_remove(struct arena *a, const char *text, const char *var, const char *token,
			 const char **ret)
{
	struct edit e = {.arena = a, .text = text, .var = var, .token = token};
	int r = start(&e);

	if (r < 0)
		return r;
	/* From the last assignment back, as long as each keeps the value of the one before. */
	for (size_t i = e.state.assignments.n; i > 0; i--) {
		const struct grub_assignment *g = &e.state.assignments.at[i - 1];
		struct range gone;

		if (g->why)
			return -EOPNOTSUPP;
		if (!find_token(&e, g->value, &gone))
			break;
		r = remove_from(&e, g, &gone, ret);
		if (r != -EOPNOTSUPP || !g->appends)
			return r;
	}
	if (r == 0)
		*ret = text;
	return r;
}
