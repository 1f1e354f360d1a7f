/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes a PE file of sections: for captures laid out as files, and for tests. */
#pragma once

#include <stdbool.h>

#include "strbuf.h"

struct pe_part {
	const char *name; /* at most eight letters */
	const char *bytes;
	size_t size;
};

/*
 * Sections in that order, each padded to the file's alignment. signature: a table of certificates
 * that certify nothing follows. What fails is out's error.
 */
void pe_write(const struct pe_part *parts, size_t n, bool signature, struct strbuf *out);
