/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A typed growable array whose memory belongs to an arena. Elements move when it grows: keep
 * indexes, not pointers, while adding.
 */
#pragma once

#include "arena.h"

#define ARRAY_OF(type)                                                                             \
	struct {                                                                                   \
		type *at;                                                                          \
		size_t n, cap;                                                                     \
	}

/* Makes room for one more element of size bytes. Returns 0 or -ENOMEM. */
int array_grow(struct arena *a, void **at, size_t n, size_t *cap, size_t size);

/* Appends a zeroed element and yields a pointer to it, NULL when out of memory. */
#define array_add(a, arr)                                                                          \
	({                                                                                         \
		typeof((arr)->at + 0) added_ = NULL;                                               \
		void *at_ = (void *)(arr)->at;                                                     \
		if (array_grow((a), &at_, (arr)->n, &(arr)->cap, sizeof(*(arr)->at)) == 0) {       \
			(arr)->at = at_;                                                           \
			added_ = &(arr)->at[(arr)->n++];                                           \
		}                                                                                  \
		added_;                                                                            \
	})

/* Appends one value; yields 0 or -ENOMEM. */
#define array_push(a, arr, value)                                                                  \
	({                                                                                         \
		typeof((arr)->at + 0) slot_ = array_add((a), (arr));                               \
		if (slot_)                                                                         \
			*slot_ = (value);                                                          \
		slot_ ? 0 : -ENOMEM;                                                               \
	})

/* for (each element) with a typed pointer named it. */
#define array_foreach(it, arr)                                                                     \
	for (typeof((arr)->at + 0) it = (arr)->at; (arr)->n && it < (arr)->at + (arr)->n; it++)

/* List of words, the most common array. */
struct words {
	const char **at;
	size_t n, cap;
};

/* Whether w holds s, byte by byte. */
int words_has(const struct words *w, const char *s);

/* Adds a copy of s unless it is there already. Returns 1 if added, 0 if present, -ENOMEM. */
int words_add(struct arena *a, struct words *w, const char *s);
