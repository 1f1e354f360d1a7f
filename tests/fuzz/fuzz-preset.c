/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a preset of mkinitcpio. What is not strange says of its lines what they say: lines
 * put behind it are read, comments and other names change nothing, and what ends inside a list or a
 * quote is strange from there on.
 */
#include "must.h"

#include <stdbool.h>

#include "mkinitcpio-preset.h"

static struct mkinitcpio_preset parse(struct arena *a, const char *text)
{
	struct mkinitcpio_preset p;

	MUST(mkinitcpio_preset_parse(a, text, &p) == 0);
	MUST(!p.config == !p.variable && !p.config == !p.line);
	MUST(p.name || (!p.config && !p.image && !p.uki));
	return p;
}

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct mkinitcpio_preset p, more;
	const char *text;

	must_split(a, data, size, &text, 1);
	p = parse(a, text);
	more = parse(a, arena_printf(a, "%s\n# PRESETS=(x)\nother='%%*'\n", text));
	MUST(more.strange == p.strange && more.line == p.line);
	MUST(same(more.name, p.name) && same(more.config, p.config) && same(more.image, p.image) &&
	     same(more.uki, p.uki));
	more = parse(a,
		     arena_printf(a, "%s\nPRESETS=(zz y)\nzz_config='/a b'\nzz_image=/c\n", text));
	MUST(same(more.name, "zz") && same(more.config, "/a b") && same(more.image, "/c"));
	MUST(same(more.variable, "zz_config") && more.line > p.line);
	more = parse(a, arena_printf(a, "%s\nPRESETS=(zz\n", text));
	MUST(more.strange);
	more = parse(a, arena_printf(a, "%s\nother='\n", text));
	MUST(more.strange);
	return 0;
}
