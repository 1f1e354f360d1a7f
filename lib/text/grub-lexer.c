/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "grub-lexer.h"

#include <errno.h>
#include <string.h>

int grub_lexer_start(struct arena *a, const char *text, struct grub_lexer *ret)
{
	/* A word is never longer than its source; each but the last ends before a byte of its own.
	 */
	char *out = arena_alloc(a, strlen(text) + 2);

	if (!out)
		return -ENOMEM;
	*ret = (struct grub_lexer){.at = text, .out = out, .line = 1, .word = ""};
	return 0;
}

static void keep(struct grub_lexer *l)
{
	if (*l->at == '\n')
		l->line++;
	*l->out++ = *l->at++;
}

/* Backslash and newline: the line goes on as if neither were there. */
static bool skip_joint(struct grub_lexer *l)
{
	if (l->at[0] != '\\' || l->at[1] != '\n')
		return false;
	l->at += 2;
	l->line++;
	return true;
}

/* Behind the opening quote; returns false when the text ends first. */
static bool single_quoted(struct grub_lexer *l)
{
	while (*l->at && *l->at != '\'')
		keep(l);
	return *l->at && l->at++;
}

/* Inside double quotes a backslash protects only '$', '"', itself, and the newline. */
static bool double_quoted(struct grub_lexer *l)
{
	while (*l->at && *l->at != '"') {
		if (skip_joint(l))
			continue;
		if (l->at[0] == '\\' && l->at[1] && strchr("$\"\\", l->at[1]))
			l->at++;
		else if (l->at[0] == '\\' && l->at[1] == '\0')
			return false;
		keep(l);
	}
	return *l->at && l->at++;
}

/* "${NAME}": its braces are no blocks. Anything else after '$' is ordinary. */
static void variable(struct grub_lexer *l)
{
	size_t n = l->at[1] == '{' ? strcspn(l->at, "} \t\n;") : 0;

	keep(l);
	if (n && l->at[n - 1] == '}')
		while (n--)
			keep(l);
}

static bool word_goes_on(char c)
{
	return c && !strchr("{}|&;<> \t\n", c);
}

static enum grub_token word(struct grub_lexer *l)
{
	bool whole = true;

	l->word = l->out;
	l->word_line = l->line;
	l->plain = true;
	while (whole && word_goes_on(*l->at)) {
		char c = *l->at;

		if (skip_joint(l))
			continue;
		l->plain = l->plain && !strchr("'\"\\$", c);
		if (c == '$' && l->at[1] == '"') { /* a text to be translated */
			l->at++;
			c = '"';
		}
		if (c == '\'' || c == '"') {
			l->at++;
			whole = c == '"' ? double_quoted(l) : single_quoted(l);
		} else if (c == '$') {
			variable(l);
		} else {
			l->at += c == '\\';
			whole = *l->at;
			if (whole)
				keep(l);
		}
	}
	*l->out++ = '\0';
	return whole ? GRUB_WORD : GRUB_CUT;
}

static void skip_blanks(struct grub_lexer *l)
{
	for (;;) {
		if (*l->at == ' ' || *l->at == '\t')
			l->at++;
		else if (*l->at == '#') /* only where a word could begin */
			l->at += strcspn(l->at, "\n");
		else if (!skip_joint(l))
			return;
	}
}

enum grub_token grub_lexer_next(struct grub_lexer *l)
{
	skip_blanks(l);
	switch (*l->at) {
	case '\0':
		return GRUB_END;
	case '{':
		l->at++;
		return GRUB_OPEN;
	case '}':
		l->at++;
		return GRUB_CLOSE;
	case '\n':
		l->line++;
		l->at++;
		return GRUB_DELIMITER;
	case ';':
	case '|':
	case '&':
	case '<':
	case '>':
		l->at++;
		return GRUB_DELIMITER;
	default:
		return word(l);
	}
}
