/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One allocator per value: a SPEC, HOST, PLAN or LEDGER owns an arena, all that it points to lives
 * there, and it dies in one call. Memory is zeroed. NULL always means out of memory.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include "macro.h"

struct arena;

/* A new, empty arena, or NULL. */
struct arena *arena_new(void);

/* Frees everything that was ever taken from the arena. Takes NULL; returns NULL. */
struct arena *arena_free(struct arena *a);
DEFINE_CLEANUP(struct arena *, arena_free);
#define _cleanup_arena_ _cleanup_(arena_freep)

/* size bytes, zeroed, aligned for any type. */
void *arena_alloc(struct arena *a, size_t size);
#define arena_new_of(a, type) ((type *)arena_alloc((a), sizeof(type)))

/* Copies of text; arena_memdup adds a NUL after the size bytes. */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
void *arena_memdup(struct arena *a, const void *p, size_t size);
char *arena_printf(struct arena *a, const char *fmt, ...) _printf_(2, 3);
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap) _printf_(2, 0);

/* Bytes handed out so far; for tests and benches. */
size_t arena_size(const struct arena *a);
