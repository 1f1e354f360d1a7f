/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "array.h"

#include <errno.h>
#include <string.h>

int array_grow(struct arena *a, void **at, size_t n, size_t *cap, size_t size)
{
	size_t room = *cap ? *cap * 2 : 4;
	void *grown;

	if (n < *cap)
		return 0;
	grown = arena_alloc(a, room * size);
	if (!grown)
		return -ENOMEM;
	if (n)
		memcpy(grown, *at, n * size);
	*at = grown;
	*cap = room;
	return 0;
}

int words_has(const struct words *w, const char *s)
{
	array_foreach(it, w)
		if (strcmp(*it, s) == 0)
			return 1;
	return 0;
}

int words_add(struct arena *a, struct words *w, const char *s)
{
	const char *copy;

	if (words_has(w, s))
		return 0;
	copy = arena_strdup(a, s);
	if (!copy || array_push(a, w, copy) < 0)
		return -ENOMEM;
	return 1;
}
