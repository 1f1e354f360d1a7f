/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words of the shell: quoting and expansions, with dash's rules where POSIX leaves a choice. */
#include <errno.h>
#include <string.h>

#include "shell.h"

#define DIGITS "0123456789"
#define NAME   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"

size_t shell_name_length(const char *p)
{
	size_t first = strspn(p, NAME);

	return first ? first + strspn(p + first, NAME DIGITS) : 0;
}

void shell_scanned(struct shell *s, enum shell_effect_kind kind, const char *name, const char *why)
{
	struct shell_effect e = {.kind = kind, .name = name, .line = s->line, .why = why};

	if (array_push(s->arena, &s->scanned.list, e) < 0)
		shell_fail(s, -ENOMEM, s->line, "out of memory");
}

void shell_doubt(struct shell *s, const char *why)
{
	if (s->sink && !s->sink->why) {
		s->sink->why = why;
		s->sink->why_line = s->line;
	}
}

static void add_unit(struct shell *s, struct shell_unit unit)
{
	if (array_push(s->arena, &s->sink->units.list, unit) < 0)
		shell_fail(s, -ENOMEM, s->line, "out of memory");
}

void shell_emit(struct shell *s, char c, size_t at, size_t len, enum shell_quote quote)
{
	if (!s->sink)
		return;
	add_unit(s, (struct shell_unit){at, len, s->sink->value.len, 1, quote, false});
	strbuf_addc(&s->sink->value, c);
}

void shell_emit_expansion(struct shell *s, const struct shell_variable *v, size_t at,
			  enum shell_quote quote)
{
	const char *value = v->value ? v->value : "";
	struct shell_unit unit = {.at = at, .quote = quote, .expansion = true};

	if (!s->sink)
		return;
	if (v->why) {
		bool first = !s->sink->why;

		shell_doubt(s, v->why);
		if (first && v->placed)
			s->sink->why_line = 0;
	} else if (s->sink->argument && quote == QUOTE_NONE) {
		shell_doubt(s, "an unquoted expansion in an argument");
	}
	unit.len = (size_t)(s->at - s->text) - at;
	unit.from = s->sink->value.len;
	unit.size = strlen(value);
	strbuf_add(&s->sink->value, value);
	add_unit(s, unit);
}

size_t shell_offset(const struct shell *s)
{
	return (size_t)(s->at - s->text);
}

/* A byte that stands for itself. */
void shell_take_byte(struct shell *s, enum shell_quote quote)
{
	char c = *s->at++;

	shell_emit(s, c, shell_offset(s) - 1, 1, quote);
	if (c == '\n')
		s->line++;
}

void shell_single_quoted(struct shell *s)
{
	unsigned line = s->line;

	for (s->at++; *s->at != '\'';) {
		if (!*s->at) {
			shell_fail(s, -EBADMSG, line, "unterminated single quote");
			return;
		}
		shell_take_byte(s, QUOTE_SINGLE);
	}
	s->at++;
}

/* Backslash inside double quotes: special only before these. */
static void double_quoted_escape(struct shell *s)
{
	if (s->at[1] == '\n') {
		s->at += 2;
		s->line++;
	} else if (s->at[1] && strchr("$`\"\\", s->at[1])) {
		s->at += 2;
		shell_emit(s, s->at[-1], shell_offset(s) - 2, 2, QUOTE_DOUBLE);
	} else {
		shell_take_byte(s, QUOTE_DOUBLE);
	}
}

void shell_double_quoted(struct shell *s)
{
	unsigned line = s->line;

	for (s->at++; *s->at != '"' && !s->failed;) {
		if (!*s->at)
			shell_fail(s, -EBADMSG, line, "unterminated double quote");
		else if (*s->at == '\\')
			double_quoted_escape(s);
		else if (*s->at == '$')
			shell_scan_dollar(s, QUOTE_DOUBLE);
		else if (*s->at == '`')
			shell_scan_backquote(s, QUOTE_DOUBLE);
		else
			shell_take_byte(s, QUOTE_DOUBLE);
	}
	if (!s->failed)
		s->at++;
}

static void escape(struct shell *s)
{
	if (s->at[1] == '\n') {
		s->at += 2;
		s->line++;
	} else if (!s->at[1]) { /* the last byte of the file stands for itself */
		shell_take_byte(s, QUOTE_NONE);
	} else {
		s->at += 2;
		shell_emit(s, s->at[-1], shell_offset(s) - 2, 2, QUOTE_NONE);
	}
}

/* Home directories, and file names where the word is an argument. */
static void doubt_unquoted(struct shell *s, bool first)
{
	if (*s->at == '~' && (first || s->at[-1] == ':' || s->at[-1] == '='))
		shell_doubt(s, "a home directory");
	if (s->sink && s->sink->argument && strchr("*?[{", *s->at))
		shell_doubt(s, "a pattern of file names");
}

void shell_scan_word(struct shell *s)
{
	bool first = true;

	for (; !s->failed && *s->at && !strchr(" \t\n;&|<>()", *s->at); first = false) {
		switch (*s->at) {
		case '\'':
			shell_single_quoted(s);
			break;
		case '"':
			shell_double_quoted(s);
			break;
		case '\\':
			escape(s);
			break;
		case '$':
			shell_scan_dollar(s, QUOTE_NONE);
			break;
		case '`':
			shell_scan_backquote(s, QUOTE_NONE);
			break;
		default:
			doubt_unquoted(s, first);
			shell_take_byte(s, QUOTE_NONE);
		}
	}
}

int shell_expand(const struct shell *s, size_t at, unsigned line, struct shell_sink *sink)
{
	struct shell again = {
		.arena = s->arena,
		.text = s->text,
		.at = s->text + at,
		.line = line,
		.functions = s->functions,
		.sink = sink,
	};

	shell_scan_word(&again);
	if (again.failed && !sink->why) {
		sink->why = again.why;
		sink->why_line = again.why_line;
	}
	return again.failed == -ENOMEM || sink->value.error ? -ENOMEM : 0;
}
