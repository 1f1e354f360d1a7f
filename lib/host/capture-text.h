/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The escapes of the capture format (lib/host/README.md), both ways. Pure. */
#pragma once

#include <stdbool.h>

#include "strbuf.h"

#define CAPTURE_FIRST_LINE "# passthroughd capture 1"
#define CAPTURE_END_MARK   "# end"

/* The ways in which a line of a capture may be wrong. */
enum capture_flaw {
	FLAW_NONE,
	FLAW_CONTROL, /* a byte below 0x20 or 0x7f that should be escaped */
	FLAW_UTF8,
	FLAW_ESCAPE,
};

/*
 * Looks at a line: ret_at is where the flaw is, ret_plain whether it is free of backslashes.
 * Tabs are no flaw.
 */
enum capture_flaw capture_check_line(const char *line, size_t n, size_t *ret_at, bool *ret_plain);

/* Length of n checked bytes once decoded. */
size_t capture_decoded_size(const char *text, size_t n);

/* Decodes n checked bytes to ret, which has room for them. Returns the decoded length. */
size_t capture_decode(const char *text, size_t n, char *ret);

/* Writes bytes as text, or as a name: then blanks, tabs and what begins a line are escaped too. */
void capture_encode_text(struct strbuf *out, const char *bytes, size_t n);
void capture_encode_name(struct strbuf *out, const char *bytes, size_t n);
