/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that runs out on request: in tests named test-*-oom.c the linker hands calls of these
 * functions to us (tests/CMakeLists.txt). Include after cmocka.h.
 */
#pragma once

#include <errno.h>
#include <stdlib.h>

#include "array.h"

static unsigned oom_left; /* allocations until the one that fails; 0: none does */

static inline bool oom_now(void)
{
	return oom_left && --oom_left == 0;
}

#define OOM_WRAP(result, name, params, args, failure)                                              \
	result __real_##name params;                                                               \
	result __wrap_##name params;                                                               \
	result __wrap_##name params                                                                \
	{                                                                                          \
		return oom_now() ? (failure) : __real_##name args;                                 \
	}                                                                                          \
	struct macro_needs_semicolon_

OOM_WRAP(void *, malloc, (size_t size), (size), NULL);
OOM_WRAP(void *, calloc, (size_t n, size_t size), (n, size), NULL);
OOM_WRAP(void *, realloc, (void *p, size_t size), (p, size), NULL);
OOM_WRAP(void *, arena_alloc, (struct arena * a, size_t size), (a, size), NULL);
OOM_WRAP(char *, arena_strdup, (struct arena * a, const char *s), (a, s), NULL);
OOM_WRAP(char *, arena_strndup, (struct arena * a, const char *s, size_t n), (a, s, n), NULL);
OOM_WRAP(void *, arena_memdup, (struct arena * a, const void *p, size_t size), (a, p, size), NULL);
OOM_WRAP(char *, arena_vprintf, (struct arena * a, const char *fmt, va_list ap), (a, fmt, ap),
	 NULL);
OOM_WRAP(int, array_grow, (struct arena * a, void **at, size_t n, size_t *cap, size_t size),
	 (a, at, n, cap, size), -ENOMEM);

char *__wrap_arena_printf(struct arena *a, const char *fmt, ...) _printf_(2, 3);
char *__wrap_arena_printf(struct arena *a, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	text = __wrap_arena_vprintf(a, fmt, ap);
	va_end(ap);
	return text;
}

/*
 * Lets each allocation of work fail in turn until none is left to fail. Every one must be told by
 * -ENOMEM, and without one the answer must be 0. Returns how many there were.
 */
static inline unsigned oom_everywhere(int (*work)(void *), void *arg)
{
	for (unsigned n = 1;; n++) {
		bool failed;
		int r;

		oom_left = n;
		r = work(arg);
		failed = oom_left == 0;
		oom_left = 0;
		if (r != (failed ? -ENOMEM : 0))
			fail_msg("allocation %u: the answer was %d", n, r);
		if (!failed)
			return n - 1;
	}
}
