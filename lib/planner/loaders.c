/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boot loaders: edits of their configuration, and the one refresh of their entries. */
#include <string.h>

#include "budget.h"
#include "deployment.h"
#include "planning.h"
#include "systemd-boot.h"
#include "unified.h"

#define FLAGS KIND(ITEM_KERNEL_FLAG)

/* What cannot be made anew is not waited for either. */
static int find_sealed(struct planning *p)
{
	bool boots = p->chain.unified || (p->chain.used == LOADER_NONE && unified_present(p->host));
	int err = boots ? unified_refusal(p->a, p->host, &p->sealed) : 0;

	p->left[LOADER_UNIFIED] = p->left[LOADER_UNIFIED] || p->sealed;
	return err;
}

int loaders_open(struct planning *p)
{
	int err = boot_chain_find(p->a, p->host, &p->chain);

	for (size_t i = 0; err >= 0 && i < boot_loaders_n; i++) {
		err = loader_left(p->a, p->host, p->chain.used, boot_loaders[i]);
		p->left[boot_loaders[i]->loader] = err > 0;
	}
	return err < 0 ? err : find_sealed(p);
}

bool loader_kept(const struct planning *p, const struct boot_loader *loader)
{
	return loader->present(p->host) && !p->left[loader->loader] && !p->host->boot.ostree;
}

static bool has_flags(const struct planning *p)
{
	array_foreach(it, &p->plan->items)
		if (it->kind == ITEM_KERNEL_FLAG)
			return true;
	return false;
}

/*
 * GRUB and proxmox-boot-tool, which does for both (4.15), need a refresh; /etc/kernel/cmdline alone
 * is for kernels to come, and loader entries of GRUB's are edited themselves. 1, 0, -ENOMEM.
 */
static int refresh_missing(struct planning *p)
{
	static const enum loader need[] = {LOADER_GRUB, LOADER_PROXMOX, LOADER_EXTLINUX};
	bool present = false;

	for (size_t i = 0; i < ARRAY_LEN(need); i++) {
		struct step probe = {0};
		int found;

		if (!loader_kept(p, boot_loader(need[i])) ||
		    !loader_refreshed(p->host, boot_loader(need[i])))
			continue;
		present = true;
		found = boot_loader(need[i])->refresh(p->a, p->host, &probe);
		if (found != 0)
			return found < 0 ? found : 0;
	}
	return present;
}

/* Blocks what would need an edit where none can reach the entries; ret_shut says so. */
static int check_gates(struct planning *p, bool *ret_shut)
{
	int missing = refresh_missing(p);
	const char *stuck;

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
			"proxmox-boot-tool, u-boot-update) is not installed");
	stuck = p->left[LOADER_SYSTEMD_BOOT] ? NULL : systemd_boot_stuck(p->host);
	if (stuck)
		return block_kinds(p, FLAGS, CODE_NO_BUILDER, stuck);
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

/* A file that two rows share is edited by the first. */
static bool is_planned(const struct planning *p, const char *path)
{
	array_foreach(it, &p->plan->steps)
		if (strcmp(it->target, path) == 0)
			return true;
	return false;
}

static int plan_edits(struct planning *p, enum loader loader, const struct loader_edits *edits)
{
	array_foreach(it, &edits->warnings)
		if (plan_note(p, SEVERITY_WARNING, CODE_BAD_FILE, "%s", *it) < 0)
			return -ENOMEM;
	array_foreach(it, &edits->inherited)
		if (array_push(p->a, &p->plan->inherited, *it) < 0)
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

		if (is_planned(p, it->path)) {
			p->refresh[loader] = true;
			continue;
		}
		if (plan_shared_check(p, it->path, FLAGS) < 0 || plan_file(p, &wish) < 0)
			return -ENOMEM;
		p->refresh[loader] = p->refresh[loader] || p->plan->steps.n > before;
	}
	return 0;
}

/* 1 when nothing is edited there, for a reason that blocks flags everywhere; 0, -ENOMEM. */
static int edit_one(struct planning *p, const struct boot_loader *loader, struct loader_edits *ret)
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
		return block_kinds(p, FLAGS, CODE_FOREIGN_CONFLICT, conflict) < 0 ? -ENOMEM : 1;
	*ret = edits;
	return 0;
}

/* What one loader's files refuse is not written to those of another: then all begins anew. */
static int edit_all(struct planning *p)
{
	struct loader_edits edits[_LOADER_MAX] = {0};
	bool refused[_LOADER_MAX] = {0};
	int err = 0;

	for (size_t i = 0; err == 0 && i < boot_loaders_n; i++) {
		enum loader loader = boot_loaders[i]->loader;

		if (refused[loader] || !loader_kept(p, boot_loaders[i]))
			continue;
		err = edit_one(p, boot_loaders[i], &edits[loader]);
		if (err > 0) {
			memset(edits, 0, sizeof(edits));
			refused[loader] = true;
			err = 0;
			i = (size_t)-1;
		}
	}
	for (size_t i = 0; err == 0 && i < boot_loaders_n; i++)
		err = plan_edits(p, boot_loaders[i]->loader, &edits[boot_loaders[i]->loader]);
	return err;
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

static int plan_deployment(struct planning *p)
{
	struct words wanted = {0}, surplus = {0};
	int err = check_length(p);

	if (err == 0)
		err = split_flags(p, &wanted, &surplus);
	return err < 0 ? err : deployment_plan(p, &wanted, &surplus);
}

int plan_loaders(struct planning *p)
{
	bool shut;
	int err;

	if (!has_flags(p))
		return 0;
	if (p->host->boot.ostree)
		return plan_deployment(p);
	err = check_gates(p, &shut);
	if (err == 0)
		err = check_length(p);
	return err < 0 || shut ? err : edit_all(p);
}

/* --- refreshing ------------------------------------------------------------------------------- */

/* Whether a flag that is to come waits for the loader's entries, or for those of one version. */
static int entries_wrong(struct planning *p, enum loader loader, const char *version)
{
	array_foreach(it, &p->flags) {
		int r = 0;

		if (!item_blocked(p, it->item) && ITEM(p, it->item)->boot == LAYER_WRONG)
			r = entries_lack(p, it->text, loader, version);
		if (r != 0)
			return r;
	}
	return 0;
}

static const char *refresh_why(struct planning *p, int flags_wait)
{
	const char *why = p->refresh_why && !flags_wait ? p->refresh_why : why_of_kinds(p, FLAGS);

	return why ? why : "kernel-flag: the last apply did not come to refresh the entries";
}

/* Only an image that is made anew, or a copy that is not of it, becomes longer. */
static bool copy_grows(const struct planning *p, const struct step_copy *copy)
{
	array_foreach(it, &p->kernels)
		if (it->stale && (strcmp(it->kernel->image.path, copy->from) == 0 ||
				  strcmp(it->kernel->image.path, copy->to) == 0))
			return true;
	return false;
}

static int add_refresh(struct planning *p, const struct step *found, const char *why)
{
	struct step *step = step_add(p, STEP_REFRESH_LOADER, found->target, why);

	if (!step)
		return -ENOMEM;
	*step = *found;
	step->kind = STEP_REFRESH_LOADER;
	step->why = why;
	array_foreach(it, &step->copies)
		it->grows = copy_grows(p, it);
	return 0;
}

/* need: a row before this one, whose entries this row's command writes too (4.15), waits for it. */
static int refresh_all(struct planning *p, const struct boot_loader *loader, bool *need)
{
	struct step found = {0};
	int wait = entries_wrong(p, loader->loader, NULL), there;

	there = wait < 0 ? wait : loader->refresh(p->a, p->host, &found);
	*need = *need || wait > 0 || p->refresh[loader->loader];
	if (there <= 0)
		return there;
	if (!*need && !words_has(&p->ledger->unbuilt, found.target))
		return 0;
	*need = false;
	return add_refresh(p, &found, refresh_why(p, wait));
}

/* Why the image that the entries of that kernel boot with is behind; NULL: it is not. */
static const char *copy_behind(const struct planning *p, const struct host_kernel *kernel)
{
	array_foreach(it, &p->kernels)
		if (it->stale && strcmp(it->kernel->version, kernel->version) == 0)
			return it->why;
	return NULL;
}

static int refresh_kernel(struct planning *p, const struct boot_loader *loader,
			  const struct host_kernel *kernel)
{
	const char *behind = copy_behind(p, kernel);
	struct step found = {0};
	int wait = entries_wrong(p, loader->loader, kernel->version), there;

	there = wait < 0 ? wait : loader->refresh_kernel(p->a, p->host, kernel, &found);
	if (there <= 0)
		return there;
	if (!wait && !behind && !p->refresh[loader->loader] &&
	    !words_has(&p->ledger->unbuilt, found.target))
		return 0;
	return add_refresh(p, &found, behind && !wait ? behind : refresh_why(p, wait));
}

static int refresh_each(struct planning *p, const struct boot_loader *loader)
{
	int err = 0;

	array_foreach(it, &p->host->kernels)
		if (err == 0 && it->vmlinuz)
			err = refresh_kernel(p, loader, it);
	return err;
}

int plan_refresh(struct planning *p)
{
	bool need = false;
	int err = 0;

	for (size_t i = 0; err == 0 && !p->host->boot.boot_read_only && i < boot_loaders_n; i++) {
		const struct boot_loader *loader = boot_loaders[i];

		if (!loader_kept(p, loader))
			continue;
		err = loader->refresh_kernel ? refresh_each(p, loader)
					     : refresh_all(p, loader, &need);
	}
	return err;
}
