/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GRUB's script language cut into words, for this folder's own use. Pure. */
#pragma once

#include <stdbool.h>

#include "arena.h"

enum grub_token {
	GRUB_WORD,
	GRUB_DELIMITER, /* newline, ';', '|', '&' and their doubles, '<', '>' */
	GRUB_OPEN,	/* '{' */
	GRUB_CLOSE,	/* '}' */
	GRUB_END,
	GRUB_CUT, /* the text ends inside a quote */
};

struct grub_lexer {
	const char *at;
	char *out; /* room for the rest of the text and its words' NULs */
	unsigned line;
	/* The last word: without its quotes; variables stay as they are written. */
	const char *word;
	unsigned word_line;
	bool plain; /* had no quote, escape or variable: may be a reserved word */
};

/* 0 or -ENOMEM. */
int grub_lexer_start(struct arena *a, const char *text, struct grub_lexer *ret);

enum grub_token grub_lexer_next(struct grub_lexer *l);
