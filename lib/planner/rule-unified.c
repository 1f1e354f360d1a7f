/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What other hands say of the line of unified images (3.16): addons beside one, which its stub
 * appends, and entries that start one with options of their own, which stand in for those inside
 * while Secure Boot is off. None of it is made anew with the image.
 */
#include <string.h>

#include "planning.h"

static bool is_of_counted(const struct planning *p, const struct host_addon *addon)
{
	array_foreach(it, &p->host->boot.entries)
		if (it->loader == LOADER_UNIFIED && entry_counts(p, it) &&
		    (!addon->of || strcmp(addon->of, it->source) == 0))
			return true;
	return false;
}

static int judge_addon(struct planning *p, size_t item, const char *flag,
		       const struct host_addon *addon)
{
	struct kcmdline line = {0};
	const struct kparam *against;

	if (kcmdline_parse(p->a, addon->options, &line) < 0)
		return -ENOMEM;
	against = kcmdline_satisfies(&line, flag) ? NULL : kcmdline_conflict(&line, flag);
	if (!against)
		return 0;
	return item_block(p, item, CODE_FOREIGN_CONFLICT,
			  "the addon %s puts %s behind the line of the unified kernel image, which "
			  "contradicts %s; remove it there or here",
			  addon->path, against->raw, flag);
}

static int judge_start(struct planning *p, size_t item, const char *flag,
		       const struct host_entry *entry)
{
	struct kcmdline line = {0};

	if (kcmdline_parse(p->a, entry->options, &line) < 0)
		return -ENOMEM;
	if (kcmdline_satisfies(&line, flag))
		return 0;
	return item_block(p, item, CODE_FOREIGN_CONFLICT,
			  "%s starts %s with options of its own in place of those inside it, and "
			  "lacks %s; add it there, or remove its options",
			  entry->source, entry->starts, flag);
}

int judge_unified(struct planning *p, size_t item, const char *flag)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i < p->host->boot.unified.addons.n; i++) {
		const struct host_addon *addon = &p->host->boot.unified.addons.at[i];

		if (!item_blocked(p, item) && is_of_counted(p, addon))
			err = judge_addon(p, item, flag, addon);
	}
	for (size_t i = 0; err == 0 && i < p->host->boot.entries.n; i++) {
		const struct host_entry *entry = &p->host->boot.entries.at[i];

		if (entry->starts && !item_blocked(p, item) && entry_counts(p, entry))
			err = judge_start(p, item, flag, entry);
	}
	return err;
}
