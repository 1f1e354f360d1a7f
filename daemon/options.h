/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of passthroughctl: one table of options, one of verbs. Parsing, help, nothing else. */
#pragma once

#include <stdbool.h>

#include "passthrough.h"

struct call;
struct strbuf;

enum option_id {
	OPTION_ROOT,
	OPTION_HOST,
	OPTION_SPEC,
	OPTION_JSON,
	OPTION_COLOR,
	OPTION_PLAN,
	OPTION_EXPLAIN_MERGE,
	OPTION_DRY_RUN,
	OPTION_TIMEOUT,
	OPTION_HELP,
	OPTION_VERSION,
	_OPTION_MAX,
};

#define OPTION_BIT(option) (1u << (option))

enum color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER, _COLOR_MAX };

struct verb {
	const char *name;
	enum pthru_exit (*run)(struct call *call);
	unsigned options;	      /* bits: what it knows besides OPTIONS_OF_ALL */
	int min_args, max_args;	      /* -1: any number */
	const char *args;	      /* as shown in help, "" */
	const char *help;	      /* one line */
	const char *const *paragraph; /* lines, NULL-terminated: what `VERB --help` says besides */
};

/* All verbs; the first is the default. Defined beside their functions, in verbs.c. */
extern const struct verb verbs[];
extern const size_t verbs_n;

struct options {
	const struct verb *verb;
	bool verb_given;
	unsigned given; /* bits */
	const char *root, *host, *spec, *plan_id;
	enum color color;
	bool json;
	unsigned timeout; /* seconds */
	char **args;	  /* of the verb */
	int n_args;
};

/*
 * Reads the command line. Everything wrong with it is told in diags, and what could be read is in
 * ret all the same, so that the answer comes in the form that was asked for. 0 or -EINVAL.
 */
int options_parse(int argc, char **argv, struct options *ret, struct pthru_diags *diags);

/* Help for everything, or for the one verb that was given. */
void options_help(const struct options *options, bool color, struct strbuf *out);
