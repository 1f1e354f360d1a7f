/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tokens of the shell: operators, words, and the bodies of here-documents. */
#include <errno.h>
#include <string.h>

#include "shell.h"

void shell_fail(struct shell *s, int error, unsigned line, const char *fmt, ...)
{
	va_list ap;

	if (s->failed)
		return;
	va_start(ap, fmt);
	s->why = arena_vprintf(s->arena, fmt, ap);
	va_end(ap);
	s->failed = s->why ? error : -ENOMEM;
	s->why_line = line;
	s->at += strlen(s->at);
	s->token = (struct shell_token){.kind = TOKEN_END, .line = line};
}

const char *shell_token_text(const struct shell *s, const struct shell_token *t)
{
	return arena_strndup(s->arena, s->text + t->at, t->len);
}

bool shell_token_is(const struct shell *s, const struct shell_token *t, const char *word)
{
	return t->kind == TOKEN_WORD && t->plain && strlen(word) == t->len &&
	       memcmp(s->text + t->at, word, t->len) == 0;
}

/* Backslash and newline vanish wherever they are not quoted. */
static bool skip_joint(struct shell *s)
{
	if (s->at[0] != '\\' || s->at[1] != '\n')
		return false;
	s->at += 2;
	s->line++;
	return true;
}

static void skip_blanks(struct shell *s)
{
	for (;;) {
		if (*s->at == ' ' || *s->at == '\t')
			s->at++;
		else if (*s->at == '#') /* only where a token could begin */
			s->at += strcspn(s->at, "\n");
		else if (!skip_joint(s))
			return;
	}
}

/* One line of a here-document without its newline; false at the end of the text. */
static bool take_line(struct shell *s, bool strip, const char **ret, size_t *ret_len)
{
	if (!*s->at)
		return false;
	if (strip)
		s->at += strspn(s->at, "\t");
	*ret = s->at;
	*ret_len = strcspn(s->at, "\n");
	s->at += *ret_len;
	if (*s->at) {
		s->at++;
		s->line++;
	}
	return true;
}

/* Here-documents follow the line that names them. */
static void skip_heredocs(struct shell *s)
{
	array_foreach(it, &s->heredocs) {
		unsigned number = s->line;
		const char *line;
		size_t len;

		for (; take_line(s, it->strips_tabs, &line, &len); number++) {
			if (strlen(it->end) == len && memcmp(line, it->end, len) == 0)
				break;
			/* Expansions there may do anything, and may span lines. */
			if (!it->literal && (memchr(line, '$', len) || memchr(line, '`', len) ||
					     memchr(line, '\\', len))) {
				shell_fail(s, -EOPNOTSUPP, number, "expansions in a here-document");
				return;
			}
		}
	}
	s->heredocs.n = 0;
}

static const struct operator
{
	const char *text;
	enum shell_token_kind kind;
}
operators[] = {
	/* longer ones first */
	{"<<-", TOKEN_HEREDOC}, {";;", TOKEN_DSEMI},	{"&&", TOKEN_AND},
	{"||", TOKEN_OR},	{"<<", TOKEN_HEREDOC},	{"<&", TOKEN_REDIRECT},
	{"<>", TOKEN_REDIRECT}, {">>", TOKEN_REDIRECT}, {">&", TOKEN_REDIRECT},
	{">|", TOKEN_REDIRECT}, {"<", TOKEN_REDIRECT},	{">", TOKEN_REDIRECT},
	{";", TOKEN_SEMI},	{"&", TOKEN_AMP},	{"|", TOKEN_PIPE},
	{"(", TOKEN_OPEN},	{")", TOKEN_CLOSE},
};

static bool take_operator(struct shell *s)
{
	for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
		size_t n = strlen(operators[i].text);

		if (strncmp(s->at, operators[i].text, n) != 0)
			continue;
		s->token.kind = operators[i].kind;
		s->token.strips_tabs = n == 3;
		s->at += n;
		/* Its second byte could stand on the next line: "&\<newline>&". */
		if (n == 1 && strchr(";&|<>", s->at[-1]) && s->at[0] == '\\' && s->at[1] == '\n')
			shell_fail(s, -EOPNOTSUPP, s->line, "an operator before a joined line");
		return true;
	}
	return false;
}

static void take_word(struct shell *s)
{
	struct shell_token *t = &s->token;

	shell_scan_word(s);
	if (s->failed)
		return;
	t->kind = TOKEN_WORD;
	t->len = (size_t)(s->at - s->text) - t->at;
	t->plain = true;
	for (size_t i = t->at; i < t->at + t->len; i++) {
		t->plain = t->plain && !strchr("'\"\\$`", s->text[i]);
		t->expands = t->expands || strchr("$`", s->text[i]);
	}
	/* "2>file": the digit belongs to the operator. */
	if (t->len == 1 && strchr("0123456789", s->text[t->at]) && strchr("<>", *s->at) && *s->at)
		shell_next(s);
}

void shell_next(struct shell *s)
{
	if (s->failed) /* the token is the last already */
		return;
	s->scanned.list.n = 0;
	skip_blanks(s);
	s->token = (struct shell_token){.at = (size_t)(s->at - s->text), .line = s->line};
	if (!*s->at) {
		s->token.kind = TOKEN_END;
	} else if (*s->at == '\n') {
		s->token.kind = TOKEN_NEWLINE;
		s->at++;
		s->line++;
		skip_heredocs(s);
	} else if (!take_operator(s)) {
		take_word(s);
	}
}
