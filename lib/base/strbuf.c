/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "strbuf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void strbuf_done(struct strbuf *b)
{
	free(b->text);
	*b = (struct strbuf){0};
}

static int reserve(struct strbuf *b, size_t more)
{
	size_t cap = b->cap ? b->cap : 256;
	char *grown;

	if (b->error)
		return b->error;
	while (cap - b->len <= more)
		cap *= 2;
	if (cap == b->cap)
		return 0;
	grown = realloc(b->text, cap);
	if (!grown)
		return b->error = -ENOMEM;
	b->text = grown;
	b->cap = cap;
	return 0;
}

void strbuf_addn(struct strbuf *b, const void *bytes, size_t n)
{
	if (reserve(b, n) < 0)
		return;
	if (n)
		memcpy(b->text + b->len, bytes, n);
	b->len += n;
	b->text[b->len] = '\0';
}

void strbuf_add(struct strbuf *b, const char *text)
{
	strbuf_addn(b, text, strlen(text));
}

void strbuf_addc(struct strbuf *b, char c)
{
	strbuf_addn(b, &c, 1);
}

void strbuf_vaddf(struct strbuf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0 || reserve(b, (size_t)n) < 0)
		return;
	vsnprintf(b->text + b->len, (size_t)n + 1, fmt, ap);
	b->len += (size_t)n;
}

void strbuf_add_letter(struct strbuf *b, uint16_t c)
{
	if ((c & 0xf800) == 0xd800)
		c = 0xfffd;
	if (c < 0x80) {
		strbuf_addc(b, (char)c);
	} else if (c < 0x800) {
		strbuf_addc(b, (char)(0xc0 | c >> 6));
		strbuf_addc(b, (char)(0x80 | (c & 0x3f)));
	} else {
		strbuf_addc(b, (char)(0xe0 | c >> 12));
		strbuf_addc(b, (char)(0x80 | (c >> 6 & 0x3f)));
		strbuf_addc(b, (char)(0x80 | (c & 0x3f)));
	}
}

void strbuf_addf(struct strbuf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(b, fmt, ap);
	va_end(ap);
}

const char *strbuf_text(const struct strbuf *b)
{
	return b->text ? b->text : "";
}

int strbuf_to_arena(const struct strbuf *b, struct arena *a, const char **ret)
{
	const char *copy;

	if (b->error)
		return b->error;
	copy = arena_memdup(a, strbuf_text(b), b->len);
	if (!copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

int strbuf_take(struct strbuf *b, char **ret)
{
	if (reserve(b, 0) < 0)
		return b->error;
	b->text[b->len] = '\0';
	*ret = b->text;
	*b = (struct strbuf){0};
	return 0;
}
