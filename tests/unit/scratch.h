/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A scratch folder for a test, and short ways to look into it. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena.h"
#include "root.h"

struct scratch {
	char dir[64];
	struct root *root;
	struct arena *arena;
};

static inline int scratch_remove(const char *path, const struct stat *st _unused_,
				 int type _unused_, struct FTW *ftw _unused_)
{
	return remove(path);
}

/* cmocka setup and teardown. */
static inline int scratch_setup(void **state)
{
	struct scratch *s = calloc(1, sizeof(*s));

	if (!s)
		return -1;
	/* In memory where there is such a place: every write is synced. */
	strcpy(s->dir, access("/dev/shm", W_OK) == 0 ? "/dev/shm/pthru-test-XXXXXX"
						     : "/tmp/pthru-test-XXXXXX");
	*state = s;
	s->arena = arena_new();
	return s->arena && mkdtemp(s->dir) && root_open(s->dir, &s->root) == 0 ? 0 : -1;
}

static inline int scratch_teardown(void **state)
{
	struct scratch *s = *state;

	root_free(s->root);
	arena_free(s->arena);
	nftw(s->dir, scratch_remove, 16, FTW_DEPTH | FTW_PHYS);
	free(s);
	return 0;
}

/* The path outside the root. */
static inline const char *scratch_at(struct scratch *s, const char *path)
{
	return arena_printf(s->arena, "%s%s", s->dir, path);
}

static inline void scratch_write(struct scratch *s, const char *path, const char *text)
{
	char *dir = arena_strdup(s->arena, path), *slash = strrchr(dir, '/');
	FILE *f;

	*slash = '\0';
	if (*dir)
		assert_int_equal(root_mkdirs(s->root, dir), 0);
	f = fopen(scratch_at(s, path), "we");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}

/* NULL when there is no such file. */
static inline const char *scratch_read(struct scratch *s, const char *path)
{
	const char *text;
	size_t size;

	return root_read(s->root, path, 1 << 20, s->arena, &text, &size) == 0 ? text : NULL;
}

static inline void scratch_holds(struct scratch *s, const char *path, const char *text)
{
	const char *found = scratch_read(s, path);

	assert_non_null(found);
	assert_string_equal(found, text);
}

static inline mode_t scratch_mode(struct scratch *s, const char *path)
{
	struct stat st;

	assert_int_equal(root_stat(s->root, path, &st), 0);
	return st.st_mode & 07777;
}

/* How many names a folder holds: to find leftovers. */
static inline size_t scratch_count(struct scratch *s, const char *path)
{
	struct words names;

	assert_int_equal(root_list(s->root, path, s->arena, &names), 0);
	return names.n;
}

#define scratch_test(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
