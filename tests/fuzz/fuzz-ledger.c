/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a ledger. What is taken renders to a text that reads as the same ledger, and any
 * bytes as a file's former content come back as they were.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "apply.h"

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "not so: %s\n", #condition);                               \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct ledger *l)
{
	_cleanup_strbuf_ struct strbuf text = {0}, again = {0};
	_cleanup_ledger_ struct ledger *back = NULL;

	MUST(ledger_render(l, &text) == 0);
	MUST(ledger_parse(text.text, text.len, &back) == 0);
	MUST(ledger_render(back, &again) == 0);
	MUST(text.len == again.len && memcmp(text.text, again.text, text.len) == 0);
}

static void check_bytes(const uint8_t *data, size_t size)
{
	_cleanup_ledger_ struct ledger *l = ledger_new(), *back = NULL;
	_cleanup_strbuf_ struct strbuf text = {0};
	struct ledger_file *f = l ? array_add(l->arena, &l->files) : NULL;

	MUST(f);
	*f = (struct ledger_file){.path = "/f",
				  .existed = true,
				  .before = (const char *)data,
				  .before_size = size,
				  .after = "",
				  .intent = ""};
	MUST(ledger_render(l, &text) == 0);
	MUST(ledger_parse(text.text, text.len, &back) == 0);
	MUST(back->files.at[0].before_size == size);
	MUST(memcmp(back->files.at[0].before, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_ledger_ struct ledger *l = NULL;

	if (ledger_parse((const char *)data, size, &l) == 0)
		check_again(l);
	check_bytes(data, size);
	return 0;
}
