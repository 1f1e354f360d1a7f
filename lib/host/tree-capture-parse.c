/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the lines of the capture format (lib/host/README.md): sections, and what a line is. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "capture-text.h"
#include "tree-capture-parse.h"

#define ERRORS_MAX 20  /* shown of one capture */
#define SHOWN_MAX  512 /* bytes of a line that a diagnostic keeps */

/* --- diagnostics ----------------------------------------------------------------------------- */

static unsigned column_of(const struct parse *p, const char *at)
{
	unsigned column = 1;

	for (const char *s = p->line; s < at && s < p->stop; s++)
		column += ((unsigned char)*s & 0xc0) != 0x80;
	return column;
}

_printf_(3, 4) void parse_wrong(struct parse *p, const char *at, const char *fmt, ...)
{
	struct place place = {.file = p->file, .line = p->number, .column = column_of(p, at)};
	size_t n = (size_t)(p->stop - p->line);
	char source[SHOWN_MAX + 1], message[SHOWN_MAX];
	va_list ap;

	if (++p->errors > ERRORS_MAX) {
		p->fatal = -EBADMSG;
		return;
	}
	n = n < SHOWN_MAX ? n : SHOWN_MAX;
	memcpy(source, p->line, n);
	source[n] = '\0';
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	diags_add(p->diags, SEVERITY_ERROR, CODE_SYNTAX, place, source, "%s", message);
}

void parse_no_memory(struct parse *p)
{
	p->fatal = -ENOMEM;
}

/* --- parts of a line ------------------------------------------------------------------------- */

struct slice parse_decoded(struct parse *p, struct slice raw)
{
	char *copy;

	if (p->plain)
		return raw;
	copy = arena_alloc(p->c->arena, raw.n + 1);
	if (!copy) {
		parse_no_memory(p);
		return (struct slice){"", 0};
	}
	return (struct slice){copy, capture_decode(raw.at, raw.n, copy)};
}

const char *parse_word(struct parse *p, struct slice raw, const char *what)
{
	char *copy = arena_alloc(p->c->arena, raw.n + 1);
	size_t n;

	if (!copy) {
		parse_no_memory(p);
		return NULL;
	}
	n = capture_decode(raw.at, raw.n, copy);
	if (!n || memchr(copy, '\0', n)) {
		parse_wrong(p, raw.at, n ? "a NUL byte in %s" : "%s is missing", what);
		return NULL;
	}
	return copy;
}

bool parse_number(struct slice s, unsigned base, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (!s.n)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned digit = (unsigned)(unsigned char)s.at[i] - '0';

		if (digit >= base || value > (max - digit) / base)
			return false;
		value = value * base + digit;
	}
	*ret = value;
	return true;
}

struct slice parse_next_word(struct slice *s)
{
	const char *blank = s->n ? memchr(s->at, ' ', s->n) : NULL;
	struct slice got = {s->at, blank ? (size_t)(blank - s->at) : s->n};

	s->at += got.n + (blank != NULL);
	s->n -= got.n + (blank != NULL);
	return got;
}

bool parse_equals(struct slice s, const char *text)
{
	return s.n == strlen(text) && memcmp(s.at, text, s.n) == 0;
}

/* --- the lines ------------------------------------------------------------------------------- */

static void section(struct parse *p)
{
	struct slice path = {p->line + 1, (size_t)(p->stop - p->line - 1)};
	bool image;
	uint32_t at;

	p->folder = true; /* also when it is refused: one error, not one a line */
	if (!path.n || path.at[path.n - 1] != ']' || path.at[0] != '/') {
		parse_wrong(p, p->line, "expected [/FOLDER] or [/IMAGE!]");
		return;
	}
	path.n--;
	image = path.at[path.n - 1] == '!';
	path.n -= image;
	path = parse_decoded(p, path);
	path.at++, path.n--;
	if (p->fatal || (path.n && !parse_good_path(p, path, p->line + 1)))
		return;
	p->image = false;
	p->section = NODE_ROOT;
	if (!image) {
		at = parse_folder(p, NODE_ROOT, path, p->line + 1);
	} else {
		at = parse_old_node(p, path);
		if (at != NODE_NONE && p->c->nodes.at[at].kind != NODE_IMAGE)
			at = NODE_NONE;
		if (at != NODE_NONE &&
		    p->c->images.at[p->c->nodes.at[at].image].status != IMAGE_READ)
			at = NODE_NONE;
		if (at == NODE_NONE)
			parse_wrong(p, p->line + 1, "no readable image of that name stands above");
	}
	if (at == NODE_NONE)
		return;
	p->image = image;
	p->section = at;
}

static void modules(struct parse *p)
{
	struct slice words = {p->line + 1, (size_t)(p->stop - p->line - 1)};
	struct node_image *image;

	if (!p->image) {
		parse_wrong(p, p->line, "modules can only be listed in an image");
		return;
	}
	if (!p->plain || (words.n && words.at[0] != ' ')) {
		parse_wrong(p, p->line, "expected module names with blanks between");
		return;
	}
	image = &p->c->images.at[p->c->nodes.at[p->section].image];
	if (array_push(p->c->arena, &image->modules, words) < 0)
		parse_no_memory(p);
}

static bool flawed(struct parse *p)
{
	static const char *const says[] = {
		[FLAW_CONTROL] = "a control character: write it as \\xHH",
		[FLAW_UTF8] = "not UTF-8: write the byte as \\xHH",
		[FLAW_ESCAPE] = "unknown escape: there are \\\\ and \\xHH",
	};
	size_t at = 0;
	enum capture_flaw flaw = capture_check_line(p->line, (size_t)(p->stop - p->line), &at,
						    &p->plain);

	if (flaw == FLAW_NONE)
		return false;
	parse_wrong(p, p->line + at, "%s", says[flaw]);
	p->lost_block = true;
	p->block = NODE_NONE;
	return true;
}

static void line(struct parse *p)
{
	size_t n = (size_t)(p->stop - p->line);

	if (p->ended) {
		parse_wrong(p, p->line, "something stands behind the end mark");
		p->fatal = -EBADMSG;
		return;
	}
	if (flawed(p))
		return;
	if (*p->line == '\t' && n) {
		parse_block_text(p);
		return;
	}
	p->block = NODE_NONE;
	p->lost_block = false;
	if (!n || *p->line == ';')
		return;
	if (*p->line == '[')
		section(p);
	else if (*p->line == '+')
		modules(p);
	else if (*p->line != '#')
		parse_entry(p);
	else if (parse_equals((struct slice){p->line, n}, CAPTURE_END_MARK))
		p->ended = true;
	else
		parse_wrong(p, p->line, "unknown line; a comment begins with \";\"");
}

/* A diagnostic about the end or the start of the text. */
static int unfinished(struct parse *p, struct slice text)
{
	bool is_capture = p->number > 1 || p->first_good;

	if (!p->number) {
		p->number = 1;
		p->line = p->stop = text.at;
	}
	if (!is_capture)
		parse_wrong(p, p->line, "not a capture: the first line is not \"%s\"",
			    CAPTURE_FIRST_LINE);
	else if (!p->ended && !p->errors)
		parse_wrong(p, p->stop, "cut short: the end mark \"%s\" is missing",
			    CAPTURE_END_MARK);
	return p->errors ? -EBADMSG : 0;
}

int capture_parse(struct tree_capture *c, const char *name, struct slice text, struct diags *diags)
{
	struct parse p = {.c = c, .diags = diags, .file = name, .block = NODE_NONE};

	p.end = text.at + text.n;
	for (const char *at = text.at; at < p.end && !p.fatal; at = p.stop + 1) {
		const char *stop = memchr(at, '\n', (size_t)(p.end - at));

		p.line = at;
		p.stop = stop ? stop : p.end;
		if (++p.number > 1)
			line(&p);
		else if (parse_equals((struct slice){at, (size_t)(p.stop - at)},
				      CAPTURE_FIRST_LINE))
			p.first_good = true;
		else
			break;
	}
	return p.fatal ? p.fatal : unfinished(&p, text);
}
