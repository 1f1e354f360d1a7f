/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Simple commands: which of them change variables. */
#include "shell-command.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

void shell_effect(struct shell *s, enum shell_effect_kind kind, const char *name, const char *why)
{
	struct shell_effect e = {.kind = kind, .name = name, .line = s->token.line, .why = why};

	if (!s->failed && array_push(s->arena, &s->effects.list, e) < 0)
		shell_fail(s, -ENOMEM, s->line, "out of memory");
}

void shell_take_word(struct shell *s)
{
	array_foreach(it, &s->scanned.list)
		if (array_push(s->arena, &s->effects.list, *it) < 0)
			shell_fail(s, -ENOMEM, s->line, "out of memory");
	if (!s->failed)
		shell_next(s);
}

/*
 * The line that ends a here-document: a word of harmless bytes, bare or quoted as a whole, as
 * people write it. Others could end where we do not see it.
 */
static void note_heredoc(struct shell *s, bool strips_tabs)
{
	struct shell_heredoc doc = {.strips_tabs = strips_tabs, .literal = !s->token.plain};
	const char *at = s->text + s->token.at;
	size_t len = s->token.len;

	if (len > 2 && strchr("'\"", at[0]) && at[len - 1] == at[0]) {
		at++;
		len -= 2;
	}
	for (size_t i = 0; i < len; i++)
		if (!strchr("-_.", at[i]) && !isalnum((unsigned char)at[i]))
			shell_fail(s, -EOPNOTSUPP, s->line, "a here-document with an odd end");
	doc.end = arena_strndup(s->arena, at, len);
	if (!doc.end || array_push(s->arena, &s->heredocs, doc) < 0)
		shell_fail(s, -ENOMEM, s->line, "out of memory");
}

void shell_take_redirection(struct shell *s)
{
	bool heredoc = s->token.kind == TOKEN_HEREDOC, strips_tabs = s->token.strips_tabs;

	shell_next(s);
	if (s->token.kind != TOKEN_WORD) {
		shell_fail(s, -EBADMSG, s->token.line, "a redirection without a file");
		return;
	}
	if (heredoc)
		note_heredoc(s, strips_tabs);
	shell_take_word(s);
}

enum builtin_kind {
	BUILTIN_HARMLESS,
	BUILTIN_SPECIAL, /* harmless, but variables set before it stay set */
	BUILTIN_EXPORT,
	BUILTIN_UNSET,
	BUILTIN_READ,
	BUILTIN_PRINTF,
	BUILTIN_LOSE,
};

/*
 * Commands known to the shells that may run grub-mkconfig. A name that is not here is a program,
 * which cannot touch the shell's variables.
 */
static const struct builtin {
	const char *name;
	enum builtin_kind kind;
} builtins[] = {
	{":", BUILTIN_SPECIAL},	     {"true", BUILTIN_HARMLESS},  {"echo", BUILTIN_HARMLESS},
	{"test", BUILTIN_HARMLESS},  {"[", BUILTIN_HARMLESS},	  {"export", BUILTIN_EXPORT},
	{"unset", BUILTIN_UNSET},    {"read", BUILTIN_READ},	  {".", BUILTIN_LOSE},
	{"source", BUILTIN_LOSE},    {"eval", BUILTIN_LOSE},	  {"exec", BUILTIN_LOSE},
	{"exit", BUILTIN_LOSE},	     {"return", BUILTIN_LOSE},	  {"break", BUILTIN_LOSE},
	{"continue", BUILTIN_LOSE},  {"set", BUILTIN_LOSE},	  {"shopt", BUILTIN_LOSE},
	{"shift", BUILTIN_LOSE},     {"trap", BUILTIN_LOSE},	  {"alias", BUILTIN_LOSE},
	{"readonly", BUILTIN_LOSE},  {"local", BUILTIN_LOSE},	  {"declare", BUILTIN_LOSE},
	{"typeset", BUILTIN_LOSE},   {"getopts", BUILTIN_LOSE},	  {"command", BUILTIN_LOSE},
	{"builtin", BUILTIN_LOSE},   {"let", BUILTIN_LOSE},	  {"mapfile", BUILTIN_LOSE},
	{"readarray", BUILTIN_LOSE}, {"wait", BUILTIN_LOSE},	  {"enable", BUILTIN_LOSE},
	{"printf", BUILTIN_PRINTF},  {"kill", BUILTIN_LOSE},	  {"times", BUILTIN_SPECIAL},
	{"time", BUILTIN_LOSE},	     {"coproc", BUILTIN_LOSE},	  {"function", BUILTIN_LOSE},
	{"select", BUILTIN_LOSE},    {"chdir", BUILTIN_HARMLESS}, {"cd", BUILTIN_HARMLESS},
	{"pushd", BUILTIN_LOSE},     {"popd", BUILTIN_LOSE},	  {"suspend", BUILTIN_LOSE},
	{"logout", BUILTIN_LOSE},    {"false", BUILTIN_HARMLESS}, {"[[", BUILTIN_HARMLESS},
};

static const struct builtin *find_builtin(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(builtins); i++)
		if (strcmp(name, builtins[i].name) == 0)
			return &builtins[i];
	return NULL;
}

struct simple {
	ARRAY_OF(struct shell_token) assignments, arguments;
	struct shell_token first; /* the command's name; kind is TOKEN_END when there is none */
	bool redirected;
};

static bool is_assignment(const struct shell *s, const struct shell_token *t)
{
	size_t n = shell_name_length(s->text + t->at);

	return n && n < t->len && s->text[t->at + n] == '=';
}

static const char *assigned_name(const struct shell *s, const struct shell_token *t)
{
	return arena_strndup(s->arena, s->text + t->at, shell_name_length(s->text + t->at));
}

/* Whether the effect is on one variable, which then has a name. */
static bool is_named(enum shell_effect_kind kind)
{
	return kind == EFFECT_ASSIGN || kind == EFFECT_UNSET || kind == EFFECT_TAINT;
}

static void add(struct shell *s, const struct shell_token *t, struct shell_effect e)
{
	e.line = t->line;
	if ((!e.name && is_named(e.kind)) || array_push(s->arena, &s->effects.list, e) < 0)
		shell_fail(s, -ENOMEM, t->line, "out of memory");
}

static void assign(struct shell *s, const struct simple *c)
{
	array_foreach(it, &c->assignments)
		add(s, it,
		    (struct shell_effect){.kind = EFFECT_ASSIGN,
					  .name = assigned_name(s, it),
					  .at = it->at + shell_name_length(s->text + it->at) + 1,
					  .conditional = c->redirected});
}

/* Assignments before a command's name: whether they last depends on the command. */
static void taint_assigned(struct shell *s, const struct simple *c)
{
	array_foreach(it, &c->assignments)
		add(s, it,
		    (struct shell_effect){.kind = EFFECT_TAINT,
					  .name = assigned_name(s, it),
					  .why = "set before a command"});
}

static void lose(struct shell *s, const struct simple *c, const char *name)
{
	const char *why = arena_printf(s->arena, "\"%s\" may change it", name);

	if (!why)
		shell_fail(s, -ENOMEM, s->line, "out of memory");
	add(s, &c->first, (struct shell_effect){.kind = EFFECT_LOSE, .why = why});
}

static void export(struct shell *s, const struct simple *c)
{
	array_foreach(it, &c->arguments) {
		const char *text = s->text + it->at;

		if (*text == '-' || (it->plain && text[shell_name_length(text)] != '=' &&
				     shell_name_length(text) != it->len))
			lose(s, c, "export");
		else if (!it->plain || shell_name_length(text) < it->len)
			add(s, it,
			    (struct shell_effect){.kind = EFFECT_EXPORT,
						  .at = it->at,
						  .conditional = c->redirected});
	}
}

/* The token's text; on failure s->failed is set. */
static const char *text_of(struct shell *s, const struct shell_token *t)
{
	const char *text = shell_token_text(s, t);

	if (!text)
		shell_fail(s, -ENOMEM, t->line, "out of memory");
	return text;
}

static void unset(struct shell *s, const struct simple *c)
{
	array_foreach(it, &c->arguments) {
		const char *name = text_of(s, it);

		if (!name)
			return;
		if (!it->plain || shell_name_length(name) != it->len)
			lose(s, c, "unset");
		else
			add(s, it,
			    (struct shell_effect){.kind = EFFECT_UNSET,
						  .name = name,
						  .conditional = c->redirected});
	}
}

/*
 * "read A B": any argument may begin with a variable's name, and dash even takes "A=x" for A.
 */
static void read_into(struct shell *s, const struct simple *c)
{
	array_foreach(it, &c->arguments) {
		struct shell_effect e = {.kind = EFFECT_TAINT_ALL, .why = "read into a variable"};

		if (it->plain) {
			e.kind = EFFECT_TAINT;
			e.name = assigned_name(s, it);
		}
		add(s, it, e);
	}
}

/* bash's "printf -v NAME" */
static bool printf_assigns(const struct shell *s, const struct simple *c)
{
	const char *first = c->arguments.n ? s->text + c->arguments.at[0].at : "";

	return *first == '-' || *first == '$' || *first == '`' || *first == '\\' ||
	       ((*first == '"' || *first == '\'') && strchr("-$`\\", first[1]));
}

/* "NAME+=x" and "NAME[0]=x" set a variable in bash and are commands to dash. */
static void bash_assignment(struct shell *s, const struct simple *c)
{
	size_t n = shell_name_length(s->text + c->first.at);

	if (n && n < c->first.len && strchr("+[", s->text[c->first.at + n]))
		add(s, &c->first,
		    (struct shell_effect){.kind = EFFECT_TAINT,
					  .name = assigned_name(s, &c->first),
					  .why = "an assignment that not every shell knows"});
}

static void run_builtin(struct shell *s, const struct simple *c, const struct builtin *b)
{
	switch (b->kind) {
	case BUILTIN_HARMLESS:
		break;
	case BUILTIN_SPECIAL:
		taint_assigned(s, c);
		break;
	case BUILTIN_EXPORT:
		taint_assigned(s, c);
		export(s, c);
		break;
	case BUILTIN_UNSET:
		taint_assigned(s, c);
		unset(s, c);
		break;
	case BUILTIN_READ:
		read_into(s, c);
		break;
	case BUILTIN_PRINTF:
		if (printf_assigns(s, c))
			read_into(s, c);
		break;
	case BUILTIN_LOSE:
		lose(s, c, b->name);
		break;
	}
}

static void run(struct shell *s, const struct simple *c)
{
	const struct builtin *b;
	const char *name;

	if (c->first.kind != TOKEN_WORD) {
		assign(s, c);
		return;
	}
	name = text_of(s, &c->first);
	if (!name)
		return;
	b = find_builtin(name);
	if (!c->first.plain || words_has(s->functions, name))
		lose(s, c, name);
	else if (b)
		run_builtin(s, c, b);
	else
		bash_assignment(s, c);
}

static void function(struct shell *s, const struct simple *c)
{
	const char *name = text_of(s, &c->first);
	const struct builtin *b = name ? find_builtin(name) : NULL;

	if (!name)
		return;
	shell_next(s);
	if (s->token.kind != TOKEN_CLOSE || !c->first.plain ||
	    shell_name_length(name) != c->first.len || (b && b->kind != BUILTIN_HARMLESS)) {
		shell_fail(s, b ? -EOPNOTSUPP : -EBADMSG, s->token.line, "a bad function");
		return;
	}
	if (words_add(s->arena, s->functions, name) < 0)
		shell_fail(s, -ENOMEM, s->line, "out of memory");
	shell_next(s);
	shell_function_body(s);
}

/* The next word of a simple command; false when it ends. */
static bool take_part(struct shell *s, struct simple *c)
{
	struct shell_token t = s->token;
	int e = 0;

	if (t.kind == TOKEN_REDIRECT || t.kind == TOKEN_HEREDOC) {
		c->redirected = true;
		shell_take_redirection(s);
		return !s->failed;
	}
	if (t.kind != TOKEN_WORD)
		return false;
	if (c->first.kind == TOKEN_WORD)
		e = array_push(s->arena, &c->arguments, t);
	else if (is_assignment(s, &t))
		e = array_push(s->arena, &c->assignments, t);
	else
		c->first = t;
	if (e < 0)
		shell_fail(s, e, t.line, "out of memory");
	shell_take_word(s);
	return !s->failed;
}

static void repeat_effects(struct shell *s, size_t from, size_t to)
{
	for (size_t i = from; i < to && !s->failed; i++) {
		struct shell_effect e = s->effects.list.at[i];

		if (array_push(s->arena, &s->effects.list, e) < 0)
			shell_fail(s, -ENOMEM, s->line, "out of memory");
	}
}

void shell_simple_command(struct shell *s)
{
	struct simple c = {.first.kind = TOKEN_END};
	size_t from = s->effects.list.n, to;

	while (take_part(s, &c))
		;
	if (s->failed)
		return;
	if (s->token.kind == TOKEN_OPEN && c.first.kind == TOKEN_WORD && !c.arguments.n &&
	    !c.assignments.n && !c.redirected) {
		function(s, &c);
		return;
	}
	if (c.first.kind != TOKEN_WORD && !c.assignments.n && !c.redirected) {
		shell_fail(s, -EBADMSG, s->token.line, "unexpected operator");
		return;
	}
	/* What expansions do may come before or after an assignment beside them. */
	to = s->effects.list.n;
	run(s, &c);
	repeat_effects(s, from, to);
}
