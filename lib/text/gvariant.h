/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dictionaries in GVariant's serialised form, type a{sv}, as libostree keeps the state of a
 * deployment that is to come (8.7). Nothing of the bytes is trusted. Pure.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>

#include "array.h"

struct gvariant {
	const char *type; /* "as", "b" */
	const unsigned char *data;
	size_t size; /* bytes */
};

/* The value of that key. 0; -ENOENT when there is none, -EBADMSG when it is no such dictionary. */
int gvariant_find(const void *data, size_t size, const char *key, struct gvariant *ret);

/* An array of strings, in the arena. 0, -EBADMSG, -ENOMEM. */
int gvariant_strings(struct arena *a, const struct gvariant *value, struct words *ret);

/* Whether it is a boolean that is true. */
bool gvariant_true(const struct gvariant *value);
