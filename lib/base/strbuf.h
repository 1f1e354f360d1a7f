/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text under construction, on the heap. An error sticks: append as often as needed, ask once at
 * the end. Zero-initialise; free with strbuf_done or the cleanup attribute.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "macro.h"

struct strbuf {
	char *text; /* always NUL-terminated once something was added; may be NULL before */
	size_t len, cap;
	int error; /* 0 or -ENOMEM */
};

void strbuf_done(struct strbuf *b);
#define _cleanup_strbuf_ _cleanup_(strbuf_done)

void strbuf_add(struct strbuf *b, const char *text);
void strbuf_addn(struct strbuf *b, const void *bytes, size_t n);
void strbuf_addc(struct strbuf *b, char c);
/* A unit of UTF-16, as UTF-8; half a surrogate pair is no letter. */
void strbuf_add_letter(struct strbuf *b, uint16_t c);
void strbuf_addf(struct strbuf *b, const char *fmt, ...) _printf_(2, 3);
void strbuf_vaddf(struct strbuf *b, const char *fmt, va_list ap) _printf_(2, 0);

/* The text so far, "" when empty. Borrowed: valid until the next change. */
const char *strbuf_text(const struct strbuf *b);

/* Copies the text into an arena. Returns 0, -ENOMEM. */
int strbuf_to_arena(const struct strbuf *b, struct arena *a, const char **ret);

/* Hands the text over to the caller, who frees it; the buffer is empty again. 0 or -ENOMEM. */
int strbuf_take(struct strbuf *b, char **ret);
