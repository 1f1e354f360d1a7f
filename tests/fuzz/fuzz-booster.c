/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as booster's two files. What is put behind a configuration that can be followed is read
 * there too, and comments change nothing; what is kept of an image's file says all that the whole
 * said, and nothing of a key that is not kept.
 */
#include "must.h"

#include <stdbool.h>

#include "booster-yaml.h"

static struct booster_config parse(struct arena *a, const char *text)
{
	struct booster_config c;

	MUST(booster_config_parse(a, text, &c) == 0);
	array_foreach(it, &c.modules)
		MUST(*it->text && it->line && !strchr(it->text, ','));
	array_foreach(it, &c.force_load)
		MUST(*it->text && it->line && !strchr(it->text, '\n'));
	return c;
}

static void check_config(struct arena *a, const char *text)
{
	struct booster_config c = parse(a, text), more;

	more = parse(a, arena_printf(a, "%s\n\n# modules: x\n", text));
	MUST(more.modules.n == c.modules.n && more.strange == c.strange &&
	     more.network == c.network);
	if (c.strange)
		return;
	more = parse(a, arena_printf(a, "%s\nmodules: zz\n", text));
	if (c.modules.n)
		MUST(more.strange);
	else
		MUST(!more.strange && more.modules.n == 1 &&
		     strcmp(more.modules.at[0].text, "zz") == 0);
	more = parse(a, arena_printf(a, "%s\nmodules: [zz]\n", text));
	MUST(more.strange);
}

static void check_init(struct arena *a, const char *text)
{
	const char *kept, *again, *kernel, *other, *options, *same;

	MUST(booster_init_reduce(a, text, &kept) == 0);
	MUST(booster_init_reduce(a, kept, &again) == 0 && strcmp(kept, again) == 0);
	MUST(booster_init_options(a, text, &options) == 0);
	MUST(booster_init_options(a, kept, &same) == 0 && strcmp(options, same) == 0);
	MUST(booster_init_kernel(a, kept, &kernel) == 0);
	MUST(booster_init_reduce(a, arena_printf(a, "%s\nsecret: x\n    more\n", text), &again) ==
	     0);
	MUST(strstr(kept, "secret: x") || !strstr(again, "secret: x"));
	MUST(booster_init_kernel(a, arena_printf(a, "%s\nkernel: 6.1\n", kept), &other) == 0);
	MUST(strcmp(other, "6.1") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text;

	must_split(a, data, size, &text, 1);
	check_config(a, text);
	check_init(a, text);
	return 0;
}
