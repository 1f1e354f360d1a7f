/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One input's bytes, its lines, and the reporting of what is wrong in it. Pure. */
#pragma once

#include "config.h"

/* Errors of one file that are listed; what is beyond is only said to exist. */
#define SOURCE_ERRORS_MAX 100

/* Characters of a line that are kept for the caret; as many as diags_render shows. */
#define SOURCE_LINE_MAX	 160
#define SOURCE_LINE_SIZE (SOURCE_LINE_MAX * 4 + 1)

struct source {
	const char *path;
	const char *bytes;	 /* without a byte order mark */
	size_t size;		 /* only what is text: ends before the first byte that is not */
	bool cut;		 /* something was not text, or too large: reported */
	ARRAY_OF(size_t) starts; /* offset of each line */
	unsigned errors;
};

/*
 * Looks at every byte: valid UTF-8, no character that YAML forbids, no NUL. What is wrong is
 * reported and leaves a shorter size. Returns 0 or -ENOMEM.
 */
int source_open(struct arena *a, const struct config_input *input, struct diags *diags,
		struct source *ret);

/* Adds an error at a place of the file, with its line for the caret. message NULL: memory ran out.
 */
void source_report(struct source *s, struct diags *diags, struct place at, enum code code,
		   const char *message);
void source_error(struct source *s, struct diags *diags, struct place at, enum code code,
		  const char *fmt, ...) _printf_(5, 6);

/* Adds a warning. */
void source_warning(struct source *s, struct diags *diags, struct place at, enum code code,
		    const char *message);

/* Whether the next error would still be listed: what is costly to say need not be worked out. */
bool source_listens(const struct source *s);

/* The byte at a place, counted in characters from 1; '\0' past the end. */
char source_char(const struct source *s, unsigned line, unsigned column);
