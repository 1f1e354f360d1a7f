/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A HOST, a LEDGER and word lists from text, for tables. Include after cmocka.h. */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "ledger.h"

static inline struct words split(struct arena *a, const char *text)
{
	char *copy = arena_strdup(a, text ? text : ""), *rest = NULL;
	struct words w = {};

	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		assert_int_equal(array_push(a, &w, word), 0);
	return w;
}

static inline void assert_words(const struct words *w, const char *joined)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *all = "";

	for (size_t i = 0; i < w->n; i++)
		all = arena_printf(a, "%s%s%s", all, i ? " " : "", w->at[i]);
	assert_string_equal(all, joined);
}

/* Files are to be added in the order of their paths, as observe leaves them. */
static inline struct host_file *host_add_file(struct host *host, const char *path, const char *text)
{
	struct host_file *file = array_add(host->arena, &host->files);

	assert_non_null(file);
	*file = (struct host_file){
		.path = path,
		.status = text ? FILE_PRESENT : FILE_ABSENT,
		.text = text ? text : "",
		.size = text ? strlen(text) : 0,
		.mode = 0644,
	};
	return file;
}

static inline void ledger_add_file(struct ledger *ledger, const char *path, const char *tokens)
{
	struct ledger_file *file = array_add(ledger->arena, &ledger->files);

	assert_non_null(file);
	*file = (struct ledger_file){
		.path = path, .existed = true, .tokens = split(ledger->arena, tokens)};
}
