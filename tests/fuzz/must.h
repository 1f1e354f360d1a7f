/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every fuzzer needs: conditions that must hold, and inputs cut into parts. */
#pragma once

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"

/* Stands on a line of its own between the parts of an input. */
#define MUST_PART "\n%%%%\n"

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "not so: %s\n", #condition);                               \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Cuts an input into at most max parts, each with its NUL; yields how many there are. */
static inline size_t must_split(struct arena *a, const uint8_t *data, size_t size,
				const char **parts, size_t max)
{
	const char *text = (const char *)data;
	size_t n = 0;

	while (n < max) {
		const char *end = n + 1 < max ? memmem(text, size, MUST_PART, strlen(MUST_PART))
					      : NULL;
		size_t length = end ? (size_t)(end - text) : size;

		parts[n] = arena_memdup(a, text, length);
		MUST(parts[n++]);
		if (!end)
			break;
		text += length + strlen(MUST_PART);
		size -= length + strlen(MUST_PART);
	}
	return n;
}
