/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Spec files from string literals, and what came of them as text. For the tests of lib/config. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config.h"

#define FILES_MAX 5

struct loaded {
	struct arena *arena;
	struct diags diags;
	struct spec *spec;  /* NULL: refused */
	struct strbuf text; /* "line:column code" of each diagnostic, one a line */
};

static inline void loaded_done(struct loaded *l)
{
	strbuf_done(&l->text);
	spec_free(l->spec);
	arena_free(l->arena);
}
#define _cleanup_loaded_ _cleanup_(loaded_done)

static inline void load_inputs(const struct config_input *inputs, size_t n,
			       const struct config_facts *facts, struct loaded *ret)
{
	int err;

	*ret = (struct loaded){.arena = arena_new()};
	ret->diags.arena = ret->arena;
	err = config_load(inputs, n, facts, &ret->diags, &ret->spec);
	assert_int_equal(err, diags_failed(&ret->diags) ? -EINVAL : 0);
	assert_int_equal(ret->spec != NULL, err == 0);
	array_foreach(it, &ret->diags.list) {
		if (n > 1 && it->place.file)
			strbuf_addf(&ret->text, "%s:", it->place.file);
		strbuf_addf(&ret->text, "%s%u:%u %s\n",
			    it->severity == SEVERITY_ERROR ? "" : "warning ", it->place.line,
			    it->place.column, code_name(it->code));
	}
	assert_int_equal(ret->text.error, 0);
}

/* Files "a", "b", ... in this order; a NULL ends them. */
static inline void load_files(const char *const *yaml, const struct config_facts *facts,
			      struct loaded *ret)
{
	static const char *const names[FILES_MAX] = {"a", "b", "c", "d", "e"};
	struct config_input inputs[FILES_MAX];
	size_t n = 0;

	for (; n < FILES_MAX && yaml[n]; n++)
		inputs[n] = (struct config_input){names[n], yaml[n], strlen(yaml[n])};
	load_inputs(inputs, n, facts, ret);
}

static inline void load_text(const char *yaml, struct loaded *ret)
{
	load_files((const char *const[]){yaml, NULL}, NULL, ret);
}

/* What came of it in one text: the canonical form, or the diagnostics. */
static inline const char *outcome(const struct loaded *l)
{
	return l->spec ? l->spec->canonical : strbuf_text(&l->text);
}

static inline const char *message(const struct loaded *l, size_t i)
{
	assert_true(i < l->diags.list.n);
	return l->diags.list.at[i].message;
}

/* Compares, prints what differs and goes on, so that one run shows every wrong row. */
static inline unsigned differs(const char *yaml, const char *got, const char *wanted)
{
	if (strcmp(got, wanted) == 0)
		return 0;
	print_error("%s\ngave\n%s\nwanted\n%s\n\n", yaml, got, wanted);
	return 1;
}

static inline unsigned lacks(const char *yaml, const char *got, const char *wanted)
{
	if (strstr(got, wanted))
		return 0;
	print_error("%s\ngave\n%s\nwithout\n%s\n\n", yaml, got, wanted);
	return 1;
}
