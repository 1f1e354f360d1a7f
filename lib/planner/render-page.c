/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render-page.h"

#include <string.h>

static const char *const inks[_INK_MAX] = {
	[INK_PLAIN] = "",	 [INK_STRONG] = "\033[1m", [INK_FAINT] = "\033[2m",
	[INK_GOOD] = "\033[32m", [INK_WARN] = "\033[33m",  [INK_BAD] = "\033[31m",
	[INK_MARK] = "\033[36m",
};

static void add_blanks(struct page *p, unsigned n)
{
	for (; n; n--)
		strbuf_addc(p->out, ' ');
}

/* Characters, not bytes: all but continuation bytes of what is valid UTF-8 by now. */
static unsigned count(const char *text, size_t n)
{
	unsigned columns = 0;

	for (size_t i = 0; i < n; i++)
		columns += ((unsigned char)text[i] & 0xc0) != 0x80;
	return columns;
}

unsigned page_width_of(struct page *p, const char *text)
{
	_cleanup_strbuf_ struct strbuf shown = {0};

	render_escape(&shown, text, strlen(text), false);
	if (shown.error)
		p->out->error = shown.error;
	return count(strbuf_text(&shown), shown.len);
}

void page_line(struct page *p, unsigned indent, unsigned hang)
{
	add_blanks(p, indent);
	p->column = indent;
	p->hang = hang;
	p->blanks = 0;
}

void page_put_raw(struct page *p, enum ink ink, const char *text, size_t n)
{
	bool color = p->style.color && ink != INK_PLAIN;

	if (color)
		strbuf_add(p->out, inks[ink]);
	strbuf_addn(p->out, text, n);
	if (color)
		strbuf_add(p->out, "\033[0m");
	p->column += count(text, n);
}

/* One word, already escaped; on a new line when it does not fit any more. */
static void put_word(struct page *p, enum ink ink, const char *word, size_t n)
{
	unsigned columns = count(word, n);

	if (p->style.width && p->column > p->hang &&
	    p->column + p->blanks + columns >= p->style.width) { /* room for a mark */
		strbuf_addc(p->out, '\n');
		add_blanks(p, p->hang);
		p->column = p->hang;
	} else {
		add_blanks(p, p->blanks);
		p->column += p->blanks;
	}
	p->blanks = 0;
	page_put_raw(p, ink, word, n);
}

/* Where nothing folds, text keeps its colour in one piece; blanks at its ends still wait. */
static size_t unfolded(const char *text)
{
	size_t n = strlen(text);

	while (n && text[n - 1] == ' ')
		n--;
	return *text == ' ' ? 0 : n;
}

void page_put(struct page *p, enum ink ink, const char *text)
{
	_cleanup_strbuf_ struct strbuf shown = {0};
	const char *at;

	render_escape(&shown, text, strlen(text), false);
	for (at = strbuf_text(&shown); *at;) {
		size_t n = p->style.width ? strcspn(at, " ") : unfolded(at);

		if (n)
			put_word(p, ink, at, n);
		for (at += n; *at == ' '; at++)
			p->blanks++;
	}
	if (shown.error)
		p->out->error = shown.error;
}

void page_putf(struct page *p, enum ink ink, const char *fmt, ...)
{
	_cleanup_strbuf_ struct strbuf text = {0};
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	page_put(p, ink, strbuf_text(&text));
	if (text.error)
		p->out->error = text.error;
}

void page_put_whole(struct page *p, enum ink ink, const char *text)
{
	_cleanup_strbuf_ struct strbuf shown = {0};

	render_escape(&shown, text, strlen(text), false);
	if (shown.len)
		put_word(p, ink, strbuf_text(&shown), shown.len);
	if (shown.error)
		p->out->error = shown.error;
}

void page_mark(struct page *p, char mark)
{
	page_put_raw(p, INK_PLAIN, &mark, 1);
	p->blanks = 1;
}

void page_column(struct page *p, unsigned column)
{
	unsigned at = p->column + p->blanks;

	p->blanks += at + 2 <= column ? column - at : 2;
}

void page_end(struct page *p)
{
	strbuf_addc(p->out, '\n');
	p->column = p->blanks = 0;
}

void page_head(struct page *p, const char *text)
{
	page_end(p);
	page_text(p, 0, INK_STRONG, text);
}

void page_text(struct page *p, unsigned indent, enum ink ink, const char *text)
{
	page_line(p, indent, indent);
	page_put(p, ink, text);
	page_end(p);
}
