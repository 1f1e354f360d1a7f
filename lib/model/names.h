/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Enum to word and back by one table; a gap in a table fails tests/unit/test-tables.c. Pure. */
#pragma once

#include <errno.h>
#include <string.h>

#include "macro.h"

static inline const char *name_of(const char *const *table, size_t n, int value)
{
	return value >= 0 && (size_t)value < n ? table[value] : NULL;
}

static inline int value_of(const char *const *table, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (table[i] && strcmp(table[i], name) == 0)
			return (int)i;
	return -EINVAL;
}

/* Defines prefix_name() for enum type from a table of max words. */
#define DEFINE_NAMES(prefix, type, table)                                                          \
	const char *prefix##_name(type value)                                                      \
	{                                                                                          \
		return name_of(table, ARRAY_LEN(table), (int)value);                               \
	}                                                                                          \
	struct macro_needs_semicolon_

#define DEFINE_NAMES_BOTH(prefix, type, table)                                                     \
	DEFINE_NAMES(prefix, type, table);                                                         \
	type prefix##_from_name(const char *name)                                                  \
	{                                                                                          \
		return (type)value_of(table, ARRAY_LEN(table), name);                              \
	}                                                                                          \
	struct macro_needs_semicolon_
