/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hunks of a unified diff; which lines differ is found by diff-compare.c. */
#include "diff.h"

#include <errno.h>
#include <string.h>

#include "array.h"
#include "diff-compare.h"

#define CONTEXT 3

/* Length of the well-formed UTF-8 sequence at s, 0 when there is none or it is a control. */
static size_t printable_sequence(const unsigned char *s, size_t left)
{
	size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	/* The second byte decides on overlong forms, surrogates, and what lies past U+10FFFF. */
	unsigned char low = s[0] == 0xe0 ? 0xa0 : s[0] == 0xf0 ? 0x90 : 0x80;
	unsigned char high = s[0] == 0xed ? 0x9f : s[0] == 0xf4 ? 0x8f : 0xbf;

	if (s[0] == 0xc2)
		low = 0xa0; /* below are the controls U+0080 to U+009F */
	if (s[0] < 0xc2 || s[0] > 0xf4 || left < n || s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	return n;
}

/* What would move a terminal's cursor or break JSON is shown as \xNN. */
static void add_shown(struct strbuf *out, const char *text, size_t size)
{
	const unsigned char *s = (const unsigned char *)text;

	for (size_t i = 0; i < size; i++) {
		size_t n = s[i] < 0x80 ? 0 : printable_sequence(s + i, size - i);

		if ((s[i] >= ' ' && s[i] < 0x7f) || s[i] == '\t') {
			strbuf_addc(out, (char)s[i]);
		} else if (n) {
			strbuf_addn(out, s + i, n);
			i += n - 1;
		} else {
			strbuf_addf(out, "\\x%02x", s[i]);
		}
	}
}

static void add_line(struct strbuf *out, char mark, const struct diff_line *line)
{
	bool whole = line->len && line->at[line->len - 1] == '\n';

	strbuf_addc(out, mark);
	add_shown(out, line->at, line->len - whole);
	strbuf_add(out, whole ? "\n" : "\n\\ No newline at end of file\n");
}

static void add_name(struct strbuf *out, const char *mark, const char *path, bool exists)
{
	strbuf_add(out, mark);
	if (exists) {
		strbuf_add(out, mark[0] == '-' ? "a/" : "b/");
		path += strspn(path, "/");
		add_shown(out, path, strlen(path));
		if (strchr(path, ' ')) /* or patch(1) takes the first word for the name */
			strbuf_addc(out, '\t');
	} else {
		strbuf_add(out, "/dev/null");
	}
	strbuf_addc(out, '\n');
}

/* Bounds of a hunk: lines [from, to) of both texts. */
struct hunk {
	size_t from[2], to[2];
};

static void add_range(struct strbuf *out, char mark, size_t from, size_t to)
{
	/* Lines count from 1; an empty range names the line before it. */
	strbuf_addf(out, " %c%zu", mark, to > from ? from + 1 : from);
	if (to - from != 1)
		strbuf_addf(out, ",%zu", to - from);
}

static void add_hunk(struct strbuf *out, const struct diff_text *texts, const struct hunk *h)
{
	size_t i = h->from[0], j = h->from[1];

	strbuf_add(out, "@@");
	add_range(out, '-', h->from[0], h->to[0]);
	add_range(out, '+', h->from[1], h->to[1]);
	strbuf_add(out, " @@\n");
	while (i < h->to[0] || j < h->to[1]) {
		if (i < h->to[0] && texts[0].lines[i].changed)
			add_line(out, '-', &texts[0].lines[i++]);
		else if (j < h->to[1] && texts[1].lines[j].changed)
			add_line(out, '+', &texts[1].lines[j++]);
		else {
			add_line(out, ' ', &texts[0].lines[i++]);
			j++;
		}
	}
}

static bool changed_at(const struct diff_text *t, size_t i)
{
	return i < t->n && t->lines[i].changed;
}

/* The next hunk at or after *i, *j, which move behind its last change; false: none. */
static bool next_hunk(const struct diff_text *texts, size_t *i, size_t *j, struct hunk *ret)
{
	size_t common = 0, back;
	bool open = false;

	while (*i < texts[0].n || *j < texts[1].n) {
		bool gone = changed_at(&texts[0], *i), come = changed_at(&texts[1], *j);

		if (!open && (gone || come)) {
			back = *i < CONTEXT ? *i : CONTEXT;
			ret->from[0] = *i - back;
			ret->from[1] = *j - back;
			open = true;
		}
		common = gone || come ? 0 : common + 1;
		/* Two changes share a hunk when their contexts touch. */
		if (open && common > 2 * CONTEXT)
			break;
		*i += gone || !come;
		*j += come || !gone;
		if (open && (gone || come)) {
			ret->to[0] = *i;
			ret->to[1] = *j;
		}
	}
	if (!open)
		return false;
	back = texts[0].n - ret->to[0];
	back = back < CONTEXT ? back : CONTEXT;
	ret->to[0] += back;
	ret->to[1] += back;
	return true;
}

void diff_unified(struct strbuf *out, const char *path, const char *before, size_t before_size,
		  const char *after, size_t after_size)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct diff_text texts[2];
	size_t i = 0, j = 0;
	struct hunk h;

	if (!a || diff_compare(a, (const char *const[]){before ? before : "", after ? after : ""},
			       (const size_t[]){before ? before_size : 0, after ? after_size : 0},
			       texts) < 0) {
		out->error = -ENOMEM;
		return;
	}
	for (bool first = true; next_hunk(texts, &i, &j, &h); first = false) {
		if (first) {
			add_name(out, "--- ", path, before);
			add_name(out, "+++ ", path, after);
		}
		add_hunk(out, texts, &h);
	}
}
