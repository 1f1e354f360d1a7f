/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shell's grammar: what is a command, and under which condition it runs. */
#include <errno.h>
#include <string.h>

#include "shell-command.h"
#include "shell.h"

static void and_or(struct shell *s);
static void command(struct shell *s);

static bool at_word(const struct shell *s, const char *word)
{
	return shell_token_is(s, &s->token, word);
}

static void unexpected(struct shell *s)
{
	const char *text = s->token.kind == TOKEN_END	    ? "end of the file"
			   : s->token.kind == TOKEN_NEWLINE ? "end of the line"
			   : s->token.kind == TOKEN_WORD    ? shell_token_text(s, &s->token)
							    : "operator";

	shell_fail(s, text ? -EBADMSG : -ENOMEM, s->token.line, "unexpected %s", text ? text : "");
}

static bool take(struct shell *s, const char *word)
{
	if (!at_word(s, word))
		return false;
	shell_next(s);
	return true;
}

static void expect(struct shell *s, const char *word)
{
	if (!take(s, word))
		unexpected(s);
}

static void skip_newlines(struct shell *s)
{
	while (s->token.kind == TOKEN_NEWLINE)
		shell_next(s);
}

/* Where a list ends; these are words of their own only where a command could begin. */
static bool at_list_end(const struct shell *s)
{
	static const char *const words[] = {"then", "else", "elif", "fi",
					    "do",   "done", "esac", "}"};

	if (s->token.kind == TOKEN_END || s->token.kind == TOKEN_CLOSE ||
	    s->token.kind == TOKEN_DSEMI)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (at_word(s, words[i]))
			return true;
	return false;
}

static void list(struct shell *s, bool may_be_empty)
{
	skip_newlines(s);
	while (!s->failed && !(may_be_empty && at_list_end(s))) {
		size_t mark = s->effects.list.n;

		may_be_empty = true;
		and_or(s);
		if (s->token.kind == TOKEN_AMP) /* another process's variables */
			s->effects.list.n = mark;
		else if (s->token.kind != TOKEN_SEMI && s->token.kind != TOKEN_NEWLINE)
			return;
		if (s->token.kind != TOKEN_NEWLINE)
			shell_next(s);
		if (s->token.kind == TOKEN_NEWLINE && !s->depth)
			s->complete = s->effects.list.n;
		skip_newlines(s);
	}
}

/* What was parsed since mark happens or not. */
static void make_conditional(struct shell *s, size_t mark)
{
	for (size_t i = mark; i < s->effects.list.n; i++)
		s->effects.list.at[i].conditional = true;
}

static void pipeline(struct shell *s)
{
	size_t mark = s->effects.list.n;

	take(s, "!");
	command(s);
	while (!s->failed && s->token.kind == TOKEN_PIPE) {
		shell_next(s);
		skip_newlines(s);
		command(s);
		/* Shells differ on which part, if any, runs in this process. */
		make_conditional(s, mark);
	}
}

static void and_or(struct shell *s)
{
	pipeline(s);
	while (!s->failed && (s->token.kind == TOKEN_AND || s->token.kind == TOKEN_OR)) {
		size_t mark = s->effects.list.n;

		shell_next(s);
		skip_newlines(s);
		pipeline(s);
		make_conditional(s, mark);
	}
}

static void if_command(struct shell *s)
{
	do {
		shell_next(s);
		list(s, false);
		expect(s, "then");
		list(s, false);
	} while (!s->failed && at_word(s, "elif"));
	if (take(s, "else"))
		list(s, false);
	expect(s, "fi");
}

static void do_group(struct shell *s)
{
	expect(s, "do");
	list(s, false);
	expect(s, "done");
}

static void while_command(struct shell *s)
{
	shell_next(s);
	list(s, false);
	do_group(s);
}

static void for_command(struct shell *s)
{
	const char *name;

	shell_next(s);
	name = shell_token_text(s, &s->token);
	if (!name)
		shell_fail(s, -ENOMEM, s->line, "out of memory");
	else if (s->token.kind != TOKEN_WORD || !*name || name[shell_name_length(name)])
		unexpected(s);
	shell_effect(s, EFFECT_TAINT, name, "a loop");
	shell_next(s);
	skip_newlines(s);
	if (take(s, "in")) {
		while (s->token.kind == TOKEN_WORD)
			shell_take_word(s);
		if (s->token.kind != TOKEN_NEWLINE && s->token.kind != TOKEN_SEMI)
			unexpected(s);
		shell_next(s);
	} else if (s->token.kind == TOKEN_SEMI) {
		shell_next(s);
	}
	skip_newlines(s);
	do_group(s);
}

/* One "(pattern|pattern) list" with its ";;" */
static void case_item(struct shell *s)
{
	if (s->token.kind == TOKEN_OPEN)
		shell_next(s);
	for (;;) {
		if (s->token.kind != TOKEN_WORD)
			unexpected(s);
		shell_take_word(s);
		if (s->token.kind != TOKEN_PIPE)
			break;
		shell_next(s);
	}
	if (s->token.kind != TOKEN_CLOSE)
		unexpected(s);
	shell_next(s);
	list(s, true);
	if (s->token.kind == TOKEN_DSEMI)
		shell_next(s);
	else if (!at_word(s, "esac"))
		unexpected(s);
	skip_newlines(s);
}

static void case_command(struct shell *s)
{
	shell_next(s);
	if (s->token.kind != TOKEN_WORD)
		unexpected(s);
	shell_take_word(s);
	skip_newlines(s);
	expect(s, "in");
	skip_newlines(s);
	while (!s->failed && !at_word(s, "esac"))
		case_item(s);
	expect(s, "esac");
}

static void subshell(struct shell *s)
{
	size_t mark = s->effects.list.n;

	/* "((": a subshell in a subshell to dash, arithmetic to others. */
	if (*s->at == '(') {
		shell_fail(s, -EOPNOTSUPP, s->line, "((");
		return;
	}
	shell_next(s);
	list(s, false);
	if (s->token.kind != TOKEN_CLOSE)
		unexpected(s);
	s->effects.list.n = mark;
	shell_next(s);
}

static void braces(struct shell *s)
{
	shell_next(s);
	list(s, false);
	expect(s, "}");
}

/* "NAME()" was taken; the body runs whenever NAME is called, and nobody says when. */
void shell_function_body(struct shell *s)
{
	size_t mark = s->effects.list.n;

	skip_newlines(s);
	command(s);
	s->effects.list.n = mark;
}

static const struct compound {
	const char *word;
	void (*parse)(struct shell *s);
	bool conditional;
} compounds[] = {
	{"if", if_command, true},   {"while", while_command, true}, {"until", while_command, true},
	{"for", for_command, true}, {"case", case_command, true},   {"{", braces, false},
};

static const struct compound *find_compound(const struct shell *s)
{
	for (size_t i = 0; i < ARRAY_LEN(compounds); i++)
		if (at_word(s, compounds[i].word))
			return &compounds[i];
	return NULL;
}

static void redirections(struct shell *s, size_t mark)
{
	while (!s->failed && (s->token.kind == TOKEN_REDIRECT || s->token.kind == TOKEN_HEREDOC)) {
		shell_take_redirection(s);
		/* A file that cannot be opened stops the command. */
		make_conditional(s, mark);
	}
}

static void command(struct shell *s)
{
	const struct compound *c = find_compound(s);
	size_t mark = s->effects.list.n;

	if (s->depth >= SHELL_DEPTH_MAX)
		shell_fail(s, -EOPNOTSUPP, s->line, "nested too deeply");
	if (s->failed)
		return;
	s->depth++;
	if (c) {
		c->parse(s);
		if (c->conditional)
			make_conditional(s, mark);
		redirections(s, mark);
	} else if (s->token.kind == TOKEN_OPEN) {
		subshell(s);
		redirections(s, mark);
	} else if (at_list_end(s) || at_word(s, "!")) {
		unexpected(s);
	} else {
		shell_simple_command(s);
	}
	s->depth--;
}

void shell_parse_nested(struct shell *s)
{
	struct shell_token token = s->token;
	struct shell_effects scanned = s->scanned;
	size_t mark = s->effects.list.n;
	bool whole = s->at == s->text;

	if (s->heredocs.n) { /* whose text would be taken for commands */
		shell_fail(s, -EOPNOTSUPP, s->line, "a substitution after a here-document");
		return;
	}
	s->scanned = (struct shell_effects){0};
	shell_next(s);
	list(s, true);
	if (s->failed)
		return;
	/* Between back quotes dash stops where a list could end, and never looks at the rest. */
	if (!whole && s->token.kind != TOKEN_CLOSE)
		unexpected(s);
	else if (s->heredocs.n)
		shell_fail(s, -EOPNOTSUPP, s->line, "a here-document in a substitution");
	if (s->failed)
		return;
	s->effects.list.n = mark;
	s->scanned = scanned;
	s->token = token;
}

void shell_parse(struct shell *s, struct arena *a, const char *text, struct words *functions)
{
	*s = (struct shell){
		.arena = a, .text = text, .at = text, .line = 1, .functions = functions};
	shell_next(s);
	list(s, true);
	if (!s->failed && s->token.kind != TOKEN_END)
		unexpected(s);
	if (s->failed)
		s->effects.list.n = s->complete;
}
