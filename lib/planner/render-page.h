/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A page for a person: lines that fold between words, colours, columns. What comes from the host or
 * the spec cannot steer the terminal: control bytes are shown escaped. Pure.
 */
#pragma once

#include "render.h"

enum ink { INK_PLAIN, INK_STRONG, INK_FAINT, INK_GOOD, INK_WARN, INK_BAD, INK_MARK, _INK_MAX };

struct page {
	struct strbuf *out;
	struct render_style style;
	unsigned column; /* characters in the line so far */
	unsigned hang;	 /* where a folded line goes on */
	unsigned blanks; /* wanted before the next word, dropped at a fold */
};

/* Begins a line at indent; its folds go on at hang. */
void page_line(struct page *p, unsigned indent, unsigned hang);

/* Adds text to the line. Folds at blanks where it would pass the style's width. */
void page_put(struct page *p, enum ink ink, const char *text);
void page_putf(struct page *p, enum ink ink, const char *fmt, ...) _printf_(3, 4);

/* A mark right behind the last word, then a blank: a fold never begins with it. */
void page_mark(struct page *p, char mark);

/* Adds text that is never folded: commands, paths, table cells. */
void page_put_whole(struct page *p, enum ink ink, const char *text);

/* Adds bytes as they are, which the caller knows to be safe: lines of a diff. */
void page_put_raw(struct page *p, enum ink ink, const char *text, size_t n);

/* Blanks up to a column; two at least where the line is there already. */
void page_column(struct page *p, unsigned column);

void page_end(struct page *p);

/* An empty line and a heading. */
void page_head(struct page *p, const char *text);

/* A whole folded line in one ink. */
void page_text(struct page *p, unsigned indent, enum ink ink, const char *text);

/* Characters that the text takes on the page, escapes included. */
unsigned page_width_of(struct page *p, const char *text);

/*
 * Appends n bytes of text as UTF-8 that is safe to show: bytes that are none as \xHH; controls,
 * C1 and direction marks too unless keep_controls (JSON has escapes of its own for those).
 */
void render_escape(struct strbuf *out, const char *text, size_t n, bool keep_controls);
