/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expansions of the shell: variables are followed, everything else is only passed over. */
#include <errno.h>
#include <string.h>

#include "shell.h"

#define DIGITS "0123456789"

static void emit_unknown(struct shell *s, const char *why, size_t at, enum shell_quote quote)
{
	shell_emit_expansion(s, &(struct shell_variable){.why = why}, at, quote);
}

/* What a variable's value is in the sink's eyes. */
static struct shell_variable look_up(struct shell *s, const char *name)
{
	struct shell_variable v = {.name = name};

	if (!s->sink)
		return v;
	if (s->sink->self && strcmp(name, s->sink->self) == 0)
		s->sink->keeps_self = true;
	v = shell_lookup(s->sink->env, name);
	if (v.why && !v.placed) {
		v.why = arena_printf(s->arena, "$%s %s", name, v.why);
		if (!v.why)
			shell_fail(s, -ENOMEM, s->line, "out of memory");
	}
	return v;
}

static const char *take_name(struct shell *s, size_t len)
{
	const char *name = arena_strndup(s->arena, s->at, len);

	if (!name) { /* the scan is at its end then */
		shell_fail(s, -ENOMEM, s->line, "out of memory");
		return NULL;
	}
	s->at += len;
	/* The name could go on there: "$NA\<newline>ME". */
	if (s->at[0] == '\\' && s->at[1] == '\n')
		shell_fail(s, -EOPNOTSUPP, s->line, "a joined line after a variable's name");
	return name;
}

static void plain_variable(struct shell *s, enum shell_quote quote)
{
	size_t at = shell_offset(s);
	struct shell_variable v;
	const char *name;

	s->at++;
	name = take_name(s, shell_name_length(s->at));
	if (s->failed)
		return;
	v = look_up(s, name);
	shell_emit_expansion(s, &v, at, quote);
}

/* One byte inside "$((...))"; level counts open parentheses. */
static void arithmetic_byte(struct shell *s, size_t *level)
{
	if (*s->at == '=')
		shell_scanned(s, EFFECT_TAINT_ALL, NULL, "arithmetic");
	*level += *s->at == '(';
	*level -= *s->at == ')' && *level;
	s->line += *s->at == '\n';
	if (!s->failed)
		s->at++;
}

/* Its end is found by counting parentheses, as dash does. */
static void arithmetic(struct shell *s, enum shell_quote quote)
{
	size_t at = shell_offset(s), level = 0;
	unsigned line = s->line;

	s->at += 3;
	while (!s->failed && (level || strncmp(s->at, "))", 2) != 0)) {
		if (!*s->at)
			shell_fail(s, -EBADMSG, line, "unterminated $((");
		else if (strchr("'\"\\`$#", *s->at))
			shell_fail(s, -EOPNOTSUPP, line, "arithmetic with quotes or expansions");
		else
			arithmetic_byte(s, &level);
	}
	if (s->failed)
		return;
	s->at += 2;
	emit_unknown(s, "arithmetic", at, quote);
}

static bool deeper(struct shell *s)
{
	if (s->depth >= SHELL_DEPTH_MAX)
		shell_fail(s, -EOPNOTSUPP, s->line, "nested too deeply");
	return !s->failed && ++s->depth;
}

static void substitution(struct shell *s, enum shell_quote quote)
{
	struct shell_sink *sink = s->sink;
	size_t at = shell_offset(s);

	if (!deeper(s))
		return;
	s->at += 2;
	s->sink = NULL;
	shell_parse_nested(s);
	s->sink = sink;
	s->depth--;
	if (!s->failed)
		emit_unknown(s, "the output of a command", at, quote);
}

/* The byte that a backslash between back quotes protects is the command's own. */
static bool protects(const char *at, enum shell_quote quote)
{
	return at[0] == '\\' && at[1] &&
	       (strchr("$`\\", at[1]) || (quote == QUOTE_DOUBLE && at[1] == '"'));
}

/* The commands between back quotes, one level of backslashes removed. */
static const char *backquoted(struct shell *s, enum shell_quote quote)
{
	const char *end = s->at + 1;
	char *text;
	size_t n = 0;

	while (*end && *end != '`')
		end += protects(end, quote) ? 2 : 1;
	if (!*end) {
		shell_fail(s, -EBADMSG, s->line, "unterminated `");
		return NULL;
	}
	text = arena_alloc(s->arena, (size_t)(end - s->at));
	if (!text) {
		shell_fail(s, -ENOMEM, s->line, "out of memory");
		return NULL;
	}
	for (s->at++; s->at < end; s->at++) {
		s->at += protects(s->at, quote);
		text[n++] = *s->at;
		s->line += *s->at == '\n';
	}
	return text;
}

void shell_scan_backquote(struct shell *s, enum shell_quote quote)
{
	size_t at = shell_offset(s);
	struct shell inner = {
		.arena = s->arena, .line = s->line, .functions = s->functions, .depth = s->depth};

	inner.text = inner.at = backquoted(s, quote);
	if (s->failed || !deeper(s))
		return;
	inner.depth = s->depth--;
	s->at++;
	shell_parse_nested(&inner);
	if (inner.failed == -EBADMSG || inner.failed == -ENOMEM)
		shell_fail(s, inner.failed, inner.why_line, "%s", inner.why ? inner.why : "");
	else
		emit_unknown(s, "the output of a command", at, quote);
}

/* The word of "${NAME-word}" up to the '}'. */
static void braced_word(struct shell *s, enum shell_quote quote, unsigned line)
{
	while (!s->failed && *s->at != '}') {
		if (!*s->at) {
			shell_fail(s, -EBADMSG, line, "unterminated ${");
		} else if (*s->at == '$') {
			shell_scan_dollar(s, quote);
		} else if (*s->at == '`') {
			shell_scan_backquote(s, quote);
		} else if (quote == QUOTE_DOUBLE && strchr("'\"", *s->at)) {
			shell_fail(s, -EOPNOTSUPP, s->line, "quotes inside a quoted ${...}");
		} else if (*s->at == '\'') {
			shell_single_quoted(s);
		} else if (*s->at == '"') {
			shell_double_quoted(s);
		} else {
			if (*s->at == '~' || *s->at == '\\')
				shell_doubt(s, "a backslash or ~ in ${...}");
			if (*s->at == '\\' && s->at[1])
				shell_take_byte(s, quote);
			if (!s->failed)
				shell_take_byte(s, quote);
		}
	}
}

struct braced {
	const char *name; /* NULL: a positional or special parameter */
	bool colon;
	char op; /* '\0' for none */
	size_t at;
};

static const char *const unknown_parameter = "a positional or special parameter";

/*
 * The value of "${NAME:-word}" and its kin; word is what braced_word gave. Those that assign or
 * stop the shell, or cut the value, are beyond us.
 */
static void emit_braced(struct shell *s, const struct braced *b, const struct shell_sink *word,
			enum shell_quote quote)
{
	struct shell_variable v = look_up(s, b->name ? b->name : "");
	bool empty = !v.value || (b->colon && !*v.value);

	if (!b->name || (b->op && !strchr("+-", b->op)))
		v = (struct shell_variable){.why = b->name ? "an expansion that assigns or cuts"
							   : unknown_parameter};
	else if (!v.why && b->op && empty == (b->op == '-'))
		v = (struct shell_variable){.value = strbuf_text(&word->value),
					    .why = word->why,
					    .placed = !word->why_line};
	else if (!v.why && b->op == '+')
		v.value = "";
	shell_emit_expansion(s, &v, b->at, quote);
}

static void sink_done(struct shell_sink *sink)
{
	strbuf_done(&sink->value);
}

/* "${" before something that POSIX does not know, if it ends at all. */
static void odd_braces(struct shell *s, unsigned line)
{
	if (strchr(s->at, '}'))
		shell_fail(s, -EOPNOTSUPP, line, "an expansion of its own kind");
	else
		shell_fail(s, -EBADMSG, line, "unterminated ${");
}

/* At the operator of "${NAME": what it does to NAME, and the word after it. */
static void braced_operation(struct shell *s, struct braced *b, enum shell_quote quote,
			     unsigned line)
{
	_cleanup_(sink_done) struct shell_sink word = {0};
	struct shell_sink *sink = s->sink;

	b->colon = *s->at == ':';
	s->at += b->colon;
	if (*s->at != '}' || b->colon) {
		if (!*s->at || !strchr(b->colon ? "-=?+" : "-=?+%#", *s->at)) {
			odd_braces(s, line);
			return;
		}
		b->op = *s->at++;
	}
	if (b->op == '=')
		shell_scanned(s, b->name ? EFFECT_TAINT : EFFECT_LOSE, b->name, "${...=...}");
	if (b->op == '?')
		shell_scanned(s, EFFECT_LOSE, NULL, "${...?...} may stop the shell");
	if (sink) {
		word.env = sink->env;
		word.self = sink->self;
		s->sink = &word;
	}
	braced_word(s, quote, line);
	s->sink = sink;
	if (s->failed)
		return;
	s->at++;
	if (word.value.error)
		shell_fail(s, -ENOMEM, line, "out of memory");
	if (sink) {
		sink->keeps_self = sink->keeps_self || word.keeps_self;
		emit_braced(s, b, &word, quote);
	}
}

static void braced(struct shell *s, enum shell_quote quote)
{
	struct braced b = {.at = shell_offset(s)};
	unsigned line = s->line;
	size_t n;

	if (!deeper(s))
		return;
	s->at += 2;
	n = shell_name_length(s->at);
	if (n) {
		b.name = take_name(s, n);
	} else if (*s->at && strchr(DIGITS "@*?$!-", *s->at)) {
		n = strspn(s->at, DIGITS);
		s->at += n ? n : 1;
	} else {
		odd_braces(s, line);
	}
	if (!s->failed)
		braced_operation(s, &b, quote, line);
	s->depth--;
}

void shell_scan_dollar(struct shell *s, enum shell_quote quote)
{
	size_t at = shell_offset(s);
	char next = s->at[1];

	if (next == '(' && s->at[2] == '(') {
		arithmetic(s, quote);
	} else if (next == '(') {
		substitution(s, quote);
	} else if (next == '{') {
		braced(s, quote);
	} else if (shell_name_length(s->at + 1)) {
		plain_variable(s, quote);
	} else if (next && strchr(DIGITS "@*#?$!-", next)) {
		s->at += 2;
		emit_unknown(s, unknown_parameter, at, quote);
	} else if (next == '\\' && s->at[2] == '\n') {
		shell_fail(s, -EOPNOTSUPP, s->line, "a joined line after $");
	} else {
		/* Shells differ on $'...' and $"..."; elsewhere the byte stands for itself. */
		if (quote == QUOTE_NONE && (next == '\'' || next == '"'))
			shell_doubt(s, "$ before a quote");
		shell_take_byte(s, quote);
	}
}
