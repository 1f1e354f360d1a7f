/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds the sections of a PE/COFF file, which unified kernel images are: kernel, initramfs and line
 * are a section each (UAPI.5). Microsoft's "PE Format". What the file says is trusted in nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "array.h"

struct pe_source {
	int (*read)(void *ctx, uint64_t at, size_t n,
		    void *to); /* all of it: 0 or negative errno */
	void *ctx;
	uint64_t size; /* of the file */
};

struct pe_section {
	char name[9];
	uint64_t offset; /* in the file */
	uint64_t size;	 /* of what it holds; what follows up to raw_size is padding */
	uint64_t raw_size, virtual_size;
};

struct pe {
	ARRAY_OF(struct pe_section) sections; /* in the file's order, each wholly inside it */
	bool has_signature;		      /* a table of certificates stands in it (3.16) */
};

/* Whether a file that begins with these bytes may be one. */
bool pe_begins(const void *bytes, size_t size);

/* -EBADMSG with a phrase: no such file, or cut short. -ENOMEM; else what reading gave. */
int pe_open(struct arena *a, struct pe_source source, struct pe *ret, const char **ret_why);

/* The section of that name, NULL without one. ret_count: how many there are of it; may be NULL. */
const struct pe_section *pe_section(const struct pe *pe, const char *name, size_t *ret_count);

/*
 * What a section holds, at most max bytes, up to its first NUL and without blanks around it; a NUL
 * follows. -EFBIG, -ENOMEM; else what reading gave.
 */
int pe_text(struct arena *a, struct pe_source source, const struct pe_section *section, size_t max,
	    const char **ret, size_t *ret_size);
