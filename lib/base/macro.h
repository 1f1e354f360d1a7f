/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words of the language that C17 lacks: array length, cleanup, moving a pointer, a path's last
 * part. Pure. */
#pragma once

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Number of elements; a pointer in place of an array does not compile. */
#define ARRAY_LEN(a)                                                                               \
	(sizeof(a) / sizeof((a)[0]) +                                                              \
	 0 * sizeof(struct {                                                                       \
		 _Static_assert(!__builtin_types_compatible_p(typeof(a), typeof(&(a)[0])),         \
				"ARRAY_LEN needs an array");                                       \
		 int unused_;                                                                      \
	 }))

#define _cleanup_(fn)	    __attribute__((cleanup(fn)))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))
#define _must_check_	    __attribute__((warn_unused_result))
#define _unused_	    __attribute__((unused))

/* Defines fnp(), the cleanup form of a destructor that takes NULL and returns NULL. */
#define DEFINE_CLEANUP(type, fn)                                                                   \
	static inline void fn##p(type *p_)                                                         \
	{                                                                                          \
		if (*p_)                                                                           \
			*p_ = fn(*p_);                                                             \
	}                                                                                          \
	struct macro_needs_semicolon_

/* Yields the pointer and forgets it, so that its cleanup does nothing. */
#define TAKE(p)                                                                                    \
	({                                                                                         \
		typeof(p) taken_ = (p);                                                            \
		(p) = NULL;                                                                        \
		taken_;                                                                            \
	})

/* The part of a path after its last "/". */
static inline const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static inline void freep(void *p)
{
	free(*(void **)p);
}

static inline void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define _cleanup_free_	_cleanup_(freep)
#define _cleanup_close_ _cleanup_(closep)

static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}
