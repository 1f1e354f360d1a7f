/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boot loaders: edits of their configuration, and the one refresh of their entries. */
#include <string.h>

#include "budget.h"
#include "planning.h"

#define FLAGS KIND(ITEM_KERNEL_FLAG)

static bool has_flags(const struct planning *p)
{
	array_foreach(it, &p->plan->items)
		if (it->kind == ITEM_KERNEL_FLAG)
			return true;
	return false;
}

/* The one refresh of all entries: 1, 0 when there is none or none is needed, -ENOMEM. */
static int find_refresh(struct planning *p, struct step *ret)
{
	int found = 0;

	for (size_t i = 0; found == 0 && i < boot_loaders_n; i++)
		if (boot_loaders[i]->present(p->host))
			found = boot_loaders[i]->refresh(p->a, p->host, ret);
	return found;
}

/* /etc/kernel/cmdline alone needs no refresh of ours; GRUB and proxmox-boot-tool do. */
static int refresh_missing(struct planning *p)
{
	struct step probe = {0};
	int found;

	if (!boot_loader(LOADER_GRUB)->present(p->host) &&
	    !boot_loader(LOADER_PROXMOX)->present(p->host))
		return 0;
	found = find_refresh(p, &probe);
	return found < 0 ? found : !found;
}

/* Blocks what would need an edit where none can reach the entries; ret_shut says so. */
static int check_gates(struct planning *p, bool *ret_shut)
{
	int missing = refresh_missing(p);

	if (missing < 0)
		return missing;
	*ret_shut = true;
	if (p->host->boot.boot_read_only)
		return block_kinds(
			p, FLAGS, CODE_READ_ONLY,
			"/boot is mounted read-only, and the boot loader's entries there would "
			"have to be rewritten; remount it writable");
	if (missing)
		return block_kinds(
			p, FLAGS, CODE_NO_BUILDER,
			"the command that rewrites the boot loader's entries (update-grub, "
			"proxmox-boot-tool) is not installed");
	*ret_shut = false;
	return 0;
}

static int split_flags(struct planning *p, struct words *wanted, struct words *surplus)
{
	array_foreach(it, &p->flags)
		if (!item_blocked(p, it->item) && words_add(p->a, wanted, it->text) < 0)
			return -ENOMEM;
	array_foreach(it, &p->plan->items)
		if (it->kind == ITEM_KERNEL_FLAG && it->surplus && it->state != STATE_BLOCKED &&
		    words_add(p->a, surplus, strchr(it->id, ':') + 1) < 0)
			return -ENOMEM;
	return 0;
}

static int plan_edits(struct planning *p, const struct loader_edits *edits)
{
	array_foreach(it, &edits->warnings)
		if (plan_note(p, SEVERITY_WARNING, CODE_BAD_FILE, "%s", *it) < 0)
			return -ENOMEM;
	array_foreach(it, &edits->list) {
		struct file_wish wish = {.path = it->path,
					 .text = it->text ? it->text : "",
					 .why = why_of_kinds(p, FLAGS),
					 .mode = it->mode ? it->mode : 0644,
					 .owned = it->owned,
					 .restore = it->restore && it->text,
					 .tokens = &it->tokens};
		size_t before = p->plan->steps.n;

		if (plan_shared_check(p, it->path, FLAGS) < 0 || plan_file(p, &wish) < 0)
			return -ENOMEM;
		p->refresh = p->refresh || p->plan->steps.n > before;
	}
	return 0;
}

static int edit_one(struct planning *p, const struct boot_loader *loader)
{
	struct words wanted = {0}, surplus = {0};
	struct loader_files files = {0};
	struct loader_edits edits = {0};
	const char *conflict = NULL;
	int err = loader->files(p->a, p->host, &files);

	/* What cannot be read safely is not edited either. */
	if (err < 0 || !files.known)
		return err;
	if (split_flags(p, &wanted, &surplus) < 0)
		return -ENOMEM;
	err = loader->edit(p->a, p->host, p->ledger, &wanted, &surplus, &edits, &conflict);
	if (err < 0)
		return err;
	if (conflict)
		return block_kinds(p, FLAGS, CODE_FOREIGN_CONFLICT, conflict);
	return plan_edits(p, &edits);
}

static bool entries_wrong(const struct planning *p)
{
	array_foreach(it, &p->flags)
		if (!item_blocked(p, it->item) && ITEM(p, it->item)->boot == LAYER_WRONG)
			return true;
	return false;
}

static int check_length(struct planning *p)
{
	struct words wanted = {0}, surplus = {0};
	int excess = split_flags(p, &wanted, &surplus);

	if (excess == 0)
		excess = cmdline_excess(p->host, &wanted, &surplus);
	if (excess <= 0)
		return excess;
	return block_kinds(
		p, FLAGS, CODE_CMDLINE_TOO_LONG,
		arena_printf(p->a,
			     "the kernel's line would be %d bytes too long, and what does "
			     "not fit is dropped without a word; remove flags",
			     excess));
}

int plan_loaders(struct planning *p)
{
	bool shut;
	int err;

	if (!has_flags(p))
		return 0;
	err = check_gates(p, &shut);
	if (err == 0)
		err = check_length(p);
	for (size_t i = 0; err == 0 && !shut && i < boot_loaders_n; i++)
		if (boot_loaders[i]->present(p->host))
			err = edit_one(p, boot_loaders[i]);
	p->refresh = p->refresh || entries_wrong(p);
	return err;
}

int plan_refresh(struct planning *p)
{
	struct step found = {0}, *step;
	const char *why = p->refresh_why && !entries_wrong(p) ? p->refresh_why
							      : why_of_kinds(p, FLAGS);
	int err = find_refresh(p, &found);

	if (err <= 0 || p->host->boot.boot_read_only)
		return err < 0 ? err : 0;
	if (!p->refresh && !words_has(&p->ledger->unbuilt, found.target))
		return 0;
	step = step_add(p, STEP_REFRESH_LOADER, found.target,
			why ? why
			    : "kernel-flag: the last apply did not come to refresh the entries");
	if (!step)
		return -ENOMEM;
	step->argv = found.argv;
	step->check = found.check;
	step->env = found.env;
	step->produces = found.produces;
	step->staged = found.staged;
	return 0;
}
