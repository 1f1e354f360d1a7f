/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * POSIX shell as far as a file of assignments needs it, for this folder's own use: cut into
 * words, parsed by the full grammar so that nothing is mistaken for what it is not, and turned
 * into a list of effects on variables. Nothing is ever run. Pure.
 */
#pragma once

#include <stdbool.h>

#include "array.h"
#include "strbuf.h"

/* Commands and substitutions inside one another; each costs a few frames of the stack. */
#define SHELL_DEPTH_MAX 100

enum shell_quote { QUOTE_NONE, QUOTE_SINGLE, QUOTE_DOUBLE };

/* One step of a word's value and the bytes of the source that make it. */
struct shell_unit {
	size_t at, len;	   /* in the source */
	size_t from, size; /* in the value */
	enum shell_quote quote;
	bool expansion; /* the value of a variable, not to be edited */
};

struct shell_units {
	ARRAY_OF(struct shell_unit) list;
};

enum shell_effect_kind {
	EFFECT_ASSIGN,	  /* NAME=value: at is where the value begins */
	EFFECT_EXPORT,	  /* an argument of export: at is where the word begins */
	EFFECT_UNSET,	  /* name loses its value */
	EFFECT_TAINT,	  /* name may get any value */
	EFFECT_TAINT_ALL, /* all names may */
	EFFECT_LOSE,	  /* and what follows may never be reached, or mean something else */
};

struct shell_effect {
	enum shell_effect_kind kind;
	const char *name;
	size_t at; /* in the source */
	unsigned line;
	bool conditional; /* may or may not happen */
	const char *why;
};

enum shell_token_kind {
	TOKEN_END,
	TOKEN_NEWLINE,
	TOKEN_SEMI,
	TOKEN_DSEMI,
	TOKEN_AMP,
	TOKEN_AND,
	TOKEN_OR,
	TOKEN_PIPE,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_REDIRECT,
	TOKEN_HEREDOC,
	TOKEN_WORD,
	_TOKEN_MAX,
};

struct shell_token {
	enum shell_token_kind kind;
	size_t at, len; /* in the source */
	unsigned line;
	bool plain;	  /* a word without quotes, escapes, expansions */
	bool expands;	  /* a word with expansions */
	bool strips_tabs; /* <<- */
};

struct shell_effects {
	ARRAY_OF(struct shell_effect) list;
};

struct shell_heredoc {
	const char *end; /* the line that ends it */
	bool strips_tabs, literal;
};

/* A variable as it is after the effects so far. */
struct shell_variable {
	const char *name;
	const char *value; /* NULL: unset */
	const char *why;   /* not NULL: the value cannot be told, and why */
	bool placed;	   /* why names its file and line */
};

struct shell_env {
	const char *own; /* this variable is unset before it is set */
	ARRAY_OF(struct shell_variable) variables;
	struct words functions; /* names that are defined anywhere */
	const char *all_why;	/* names not listed may have any value */
	const char *lost;	/* nothing can be told any more */
};

/* Collects a word's value while it is scanned. */
struct shell_sink {
	const struct shell_env *env;
	const char *self; /* name whose former value counts as kept; may be NULL */
	bool argument;	  /* fields and file names may be made of it: not an assignment */
	struct strbuf value;
	struct shell_units units;
	const char *why;   /* NULL: the value is certain */
	unsigned why_line; /* 0: why names its place */
	bool keeps_self;
};

struct shell {
	struct arena *arena;
	const char *text, *at;
	unsigned line;
	unsigned depth;
	struct shell_token token;     /* the next one, not yet taken */
	struct shell_effects scanned; /* of the next word's expansions */
	struct shell_effects effects;
	size_t complete; /* effects of whole lines, which happen before the next line is read */
	ARRAY_OF(struct shell_heredoc) heredocs; /* whose bodies begin after this line */
	struct shell_sink *sink;		 /* NULL: only cut */
	struct words *functions;
	/* 0; -EBADMSG: no shell script; -EOPNOTSUPP: beyond us; -ENOMEM. Sticky. */
	int failed;
	const char *why;
	unsigned why_line;
};

/* Notes the first failure and moves to the end of the text. */
void shell_fail(struct shell *s, int error, unsigned line, const char *fmt, ...) _printf_(4, 5);

/* Cuts off the next token into s->token. */
void shell_next(struct shell *s);

/* The source of a token as a string of its own; NULL: out of memory. */
const char *shell_token_text(const struct shell *s, const struct shell_token *t);

/* Whether the token is this word, unquoted. */
bool shell_token_is(const struct shell *s, const struct shell_token *t, const char *word);

/* Length of a variable's name at p, 0 when there is none. */
size_t shell_name_length(const char *p);

/* Scans the word at s->at, which ends before an unquoted blank or operator. */
void shell_scan_word(struct shell *s);

/* Parts of words: a quoted stretch at its opening quote, a byte that stands for itself. */
void shell_single_quoted(struct shell *s);
void shell_double_quoted(struct shell *s);
void shell_take_byte(struct shell *s, enum shell_quote quote);

/* Where in the source the scanner is. */
size_t shell_offset(const struct shell *s);

/* The value that is being collected cannot be told. */
void shell_doubt(struct shell *s, const char *why);

/* What an expansion does besides being expanded; joins s->scanned. */
void shell_scanned(struct shell *s, enum shell_effect_kind kind, const char *name, const char *why);

/* Gives a byte, or the value of an expansion that began at at, to the sink. */
void shell_emit(struct shell *s, char c, size_t at, size_t len, enum shell_quote quote);
void shell_emit_expansion(struct shell *s, const struct shell_variable *v, size_t at,
			  enum shell_quote quote);

/* At '$' or '`': scans an expansion. */
void shell_scan_dollar(struct shell *s, enum shell_quote quote);
void shell_scan_backquote(struct shell *s, enum shell_quote quote);

/* The commands of "$(...)" up to and with the ')', or of a text of their own. No effects. */
void shell_parse_nested(struct shell *s);

/* Parses all of text; then s->failed tells, and s->effects are in order. */
void shell_parse(struct shell *s, struct arena *a, const char *text, struct words *functions);

/*
 * Scans a word again, for its value: it begins at offset at on the given line. 0 or -ENOMEM; the
 * caller frees sink->value.
 */
int shell_expand(const struct shell *s, size_t at, unsigned line, struct shell_sink *sink);

/* What is known of a variable. */
struct shell_variable shell_lookup(const struct shell_env *env, const char *name);
