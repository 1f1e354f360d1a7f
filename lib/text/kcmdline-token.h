/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One token of a kernel line in place, for this folder's own use: no copies, no memory. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Where one token stands in a line, as the kernel's next_arg() would cut it (1.1, 1.6). */
struct token {
	size_t at, len;
	bool open; /* ends inside a quote: runs to the end of the line */
};

/* A piece of text that is not NUL-terminated; at NULL: there is none. */
struct piece {
	const char *at;
	size_t len;
};

/* Finds the token at or after *pos and moves *pos behind it; false when there is none. */
bool token_next(const char *line, size_t *pos, struct token *ret);

/*
 * Name and value of a token, both inside it. Splits at the first '=' that is not the very first
 * byte, quoted or not (1.2); drops quotes in the two shapes of 1.3 only.
 */
void token_split(const char *token, size_t len, struct piece *ret_name, struct piece *ret_value);

/* Whether text is one whole token other than a bare "--"; then where. */
bool token_only(const char *text, struct token *ret);

/* Byte by byte; none equals only none. */
bool piece_equal(struct piece a, struct piece b);

/* The piece equals s byte by byte; in names '-' and '_' are alike (1.5). */
bool piece_is(struct piece p, const char *s);
bool piece_names(struct piece p, const char *s);
bool piece_same_name(struct piece a, struct piece b);
