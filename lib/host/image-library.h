/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opens libarchive when an image is read or made: it brings sixteen libraries along, and a plan
 * whose images are all known by the cache needs none of them. Internal to image*.c.
 */
#pragma once

#include <stddef.h>

#include "macro.h"

struct library {
	void *handle;
};

struct library_symbol {
	const char *name;
	void *to; /* a function pointer */
};

/* For a list X of function names: fields of a struct, and the symbols to put there. */
#define LIBRARY_FIELD(function)	 typeof(&(function)) function;
#define LIBRARY_SYMBOL(function) {#function, &api->function},

/* 0, or -ENOSYS when the library or a symbol is missing. */
int library_open(struct library *library, const struct library_symbol *symbols, size_t n);
void library_close(struct library *library);
