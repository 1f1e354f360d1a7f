/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Diagnostics: what is wrong with an input, where, and what to do. They are collected, never only
 * the first. Pure; a struct diags lives in an arena of the caller.
 */
#pragma once

#include "array.h"
#include "code.h"
#include "strbuf.h"

/* A place in an input; line and column count from 1, in characters (contract note 25). */
struct place {
	const char *file; /* NULL: no file */
	unsigned line;	  /* 0: the file as a whole */
	unsigned column;
};

struct diag {
	enum severity severity;
	enum code code;
	const char *message; /* one sentence: what is wrong, and the remedy where there is one */
	struct place place;
	const char *source; /* the whole line at place, for the caret; NULL when unknown */
};

struct diags {
	struct arena *arena;
	ARRAY_OF(struct diag) list;
	bool lost; /* memory ran out while adding one: treat as an error */
};

/* Adds one; source may be NULL. Text is copied. */
void diags_add(struct diags *d, enum severity severity, enum code code, struct place place,
	       const char *source, const char *fmt, ...) _printf_(6, 7);

/* Whether any is an error (or one was lost). */
bool diags_failed(const struct diags *d);

/* Whether any has the code. */
bool diags_have(const struct diags *d, enum code code);

/* Orders by file, line, column; keeps the order of those at one place. */
void diags_sort(struct diags *d);

/*
 * Writes all of them for people: "file:line:column: error: message [code]", the source line and
 * a caret below it. color adds terminal colours.
 */
void diags_render(const struct diags *d, bool color, struct strbuf *out);
