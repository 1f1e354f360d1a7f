/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of observe: the HOST of a capture that stands in the test. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "observe.h"
#include "strbuf.h"

#define CAPTURE(text) "# passthroughd capture 1\n" text "# end\n"

/* A host's description without the lines of the format around it; live: as if it ran here. */
static inline struct host *observe_as(const char *body, const struct observe_options *options,
				      bool live)
{
	_cleanup_strbuf_ struct strbuf text = {0};
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_tree_ struct tree *tree = NULL;
	struct diags diags = {.arena = a};
	struct host *host = NULL;

	strbuf_addf(&text, CAPTURE("%s"), body);
	if (tree_capture_new("host", strbuf_text(&text), text.len, &diags, &tree) < 0) {
		print_error("%s:%u: %s\n", diags.list.at[0].place.file, diags.list.at[0].place.line,
			    diags.list.at[0].message);
		fail();
	}
	tree->live = live;
	assert_int_equal(host_observe(tree, options, &host), 0);
	return host;
}

static inline struct host *observe_text(const char *body, const struct observe_options *options)
{
	return observe_as(body, options, false);
}

static inline void assert_text(const char *seen, const char *expected)
{
	if (!expected)
		assert_null(seen);
	else if (!seen)
		fail_msg("nothing instead of \"%s\"", expected);
	else
		assert_string_equal(seen, expected);
}
