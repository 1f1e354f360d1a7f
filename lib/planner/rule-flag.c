/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel flags: what is wished, what each boot loader's files, its entries and the kernel say. */
#include <string.h>

#include "deployment.h"
#include "dracut-line.h"
#include "extlinux.h"
#include "paths.h"
#include "planning.h"
#include "shell-edit.h"

/* --- what is wished --------------------------------------------------------------------------- */

static bool all_default_on(const struct host *host)
{
	size_t n = 0;

	array_foreach(it, &host->kernels) {
		if (it->vmlinuz && it->iommu_default_on != YES)
			return false;
		n += it->vmlinuz != NULL;
	}
	return n > 0;
}

/* Facts 7.29 and 7.30: Intel may need to be told, AMD never. */
static int iommu_flags(struct planning *p, struct words *ret)
{
	enum cpu_vendor vendor = p->host->cpu.vendor;

	if (!p->spec->iommu_enable || vendor == CPU_OTHER)
		return 0;
	if (vendor == CPU_INTEL && !all_default_on(p->host) &&
	    words_add(p->a, ret, "intel_iommu=on") < 0)
		return -ENOMEM;
	return p->spec->iommu_mode == IOMMU_PT && words_add(p->a, ret, "iommu=pt") < 0 ? -ENOMEM
										       : 0;
}

/* "AMD-Vi: Unknown option - 'on'": harmless and without effect (7.30). */
static int amd_iommu_on(struct planning *p, const char *line, const char *where)
{
	struct kcmdline parsed = {0};

	if (kcmdline_parse(p->a, line, &parsed) < 0)
		return -ENOMEM;
	array_foreach(it, &parsed.params)
		if (!it->for_init && kparam_name_equal(it->name, "amd_iommu") && it->value &&
		    strcmp(it->value, "on") == 0)
			return plan_note(
				p, SEVERITY_WARNING, CODE_NO_EFFECT,
				"amd_iommu=on in %s has no effect: the kernel knows no such "
				"option, and an AMD IOMMU is on unless switched off; it can go",
				where);
	return 0;
}

/* --- files ------------------------------------------------------------------------------------ */

static int judge_files(struct planning *p, size_t item, const char *flag,
		       const struct loader_files *files)
{
	struct kcmdline line = {0};
	const struct kparam *conflict;

	if (!files->known) {
		layer_add(&ITEM(p, item)->files, LAYER_UNKNOWN);
		return item_block(p, item, CODE_BAD_FILE, "%s cannot be followed: %s",
				  files->where ? files->where : "the boot loader's configuration",
				  files->why ? files->why : "unknown form");
	}
	if (kcmdline_parse(p->a, files->line, &line) < 0)
		return -ENOMEM;
	if (kcmdline_satisfies(&line, flag)) {
		layer_add(&ITEM(p, item)->files, LAYER_RIGHT);
		return 0;
	}
	layer_add(&ITEM(p, item)->files, LAYER_WRONG);
	conflict = kcmdline_conflict(&line, flag);
	if (conflict && !words_has(&p->flags_ours, conflict->raw))
		return item_block(p, item, CODE_FOREIGN_CONFLICT,
				  "%s has %s, which contradicts %s; remove it there or here",
				  files->where ? files->where : "the boot loader's configuration",
				  conflict->raw, flag);
	return item_reason(p, item, "not on the line of %s",
			   files->where ? files->where : "the boot loader");
}

/* --- entries ---------------------------------------------------------------------------------- */

static bool is_installed(const struct host *host, const char *version)
{
	array_foreach(it, &host->kernels)
		if (it->vmlinuz && version && strcmp(it->version, version) == 0)
			return true;
	return false;
}

static bool has_kernels(const struct host *host)
{
	array_foreach(it, &host->kernels)
		if (it->vmlinuz)
			return true;
	return false;
}

/* Where images are signed because of Secure Boot, one that came out otherwise is not started. */
static bool would_start(const struct planning *p, const struct host_entry *entry)
{
	return entry->loader != LOADER_UNIFIED || p->host->boot.secure != YES ||
	       !p->host->boot.unified.signs || entry->has_signature;
}

bool entry_counts(const struct planning *p, const struct host_entry *entry)
{
	return !entry->recovery && is_installed(p->host, entry->kernel) &&
	       !p->left[entry->loader] && entry_boots(p->host, entry);
}

int entries_lack(struct planning *p, const char *flag, enum loader loader, const char *version)
{
	bool seen = false;

	array_foreach(it, &p->host->boot.entries) {
		struct kcmdline line = {0};

		if (it->loader != loader || !entry_counts(p, it) ||
		    (version && strcmp(it->kernel, version) != 0))
			continue;
		if (kcmdline_parse(p->a, it->options, &line) < 0)
			return -ENOMEM;
		if (!kcmdline_satisfies(&line, flag) || !would_start(p, it))
			return 1;
		seen = true;
	}
	return !seen && !version;
}

static int judge_entries(struct planning *p, size_t item, const char *flag)
{
	size_t seen = 0;

	array_foreach(it, &p->host->boot.entries) {
		struct kcmdline line = {0};
		const char *place = entry_place(p->a, it);

		if (!entry_counts(p, it))
			continue;
		seen++;
		if (!place || kcmdline_parse(p->a, it->options, &line) < 0)
			return -ENOMEM;
		if (kcmdline_satisfies(&line, flag) && would_start(p, it)) {
			layer_add(&ITEM(p, item)->boot, LAYER_RIGHT);
			continue;
		}
		layer_add(&ITEM(p, item)->boot, LAYER_WRONG);
		if (item_reason(p, item,
				would_start(p, it) ? "the boot entry of %s (%s) lacks it"
						   : "the image of %s (%s) is not signed, and "
						     "Secure Boot is on",
				it->kernel, place) < 0)
			return -ENOMEM;
	}
	if (seen)
		return 0;
	if (p->host->boot.proxmox || p->host->boot.blscfg ||
	    !loader_kept(p, boot_loader(LOADER_GRUB)) || !has_kernels(p->host)) {
		layer_add(&ITEM(p, item)->boot, LAYER_UNKNOWN);
		return 0;
	}
	layer_add(&ITEM(p, item)->boot, LAYER_WRONG);
	return item_reason(p, item, "%s has no entry of an installed kernel",
			   p->host->boot.grub_cfg);
}

static int unproven_entries(struct planning *p)
{
	array_foreach(it, &p->host->boot.esps)
		if (!it->seen &&
		    plan_note(p, SEVERITY_WARNING, CODE_UNPROVEN,
			      it->there ? "the ESP %s cannot be read: what its entries say cannot "
					  "be seen before the next boot"
					: "the ESP %s is listed in " PATH_PROXMOX_UUIDS
					  " and is not there: proxmox-boot-tool passes over it "
					  "without a word",
			      it->uuid) < 0)
			return -ENOMEM;
	for (size_t i = 0; i < boot_loaders_n; i++)
		if (p->left[boot_loaders[i]->loader] && !p->sealed &&
		    plan_note(p, SEVERITY_WARNING, CODE_UNPROVEN,
			      "%s is left over on this host, which %s started, and no command is "
			      "there that could rewrite its entries: they stay as they are",
			      boot_loaders[i]->name, boot_loader(p->chain.used)->name) < 0)
			return -ENOMEM;
	return 0;
}

/* --- the rule --------------------------------------------------------------------------------- */

static int judge_live(struct planning *p, size_t item, const char *flag)
{
	struct plan_item *it = ITEM(p, item);

	it->live = !p->host->cmdline_known		   ? LAYER_UNKNOWN
		   : kcmdline_satisfies(&p->running, flag) ? LAYER_RIGHT
							   : LAYER_WRONG;
	return it->live == LAYER_WRONG ? item_reason(p, item, "not on the running kernel's line")
				       : 0;
}

/* Nothing is written where it would not reach what boots this host. */
static int judge_chain(struct planning *p, size_t item, const char *flag, bool any)
{
	/* Deployments have a tool of their own (2.26); an edit of theirs would not last (2.18). */
	if (p->host->boot.ostree)
		return deployment_refusal(p, item, flag);
	if (p->sealed)
		return item_block(p, item, CODE_AMBIGUOUS_BOOT_LOADER, "%s", p->sealed);
	if (p->chain.stranger)
		return item_block(p, item, CODE_AMBIGUOUS_BOOT_LOADER,
				  "this host was started by %s, whose configuration is not known "
				  "here; add the flag there by hand, and it counts as done once it "
				  "is on the running line",
				  p->chain.stranger);
	if (!any)
		return item_block(
			p, item, CODE_AMBIGUOUS_BOOT_LOADER,
			"no boot loader was found whose configuration holds kernel flags");
	return 0;
}

static int judge_flag(struct planning *p, const char *flag)
{
	ssize_t item = item_add(p, ITEM_KERNEL_FLAG, "%s", flag);
	struct word_wish *wish = array_add(p->a, &p->flags);
	bool any = false;
	int err = 0;

	if (item < 0 || !wish)
		return -ENOMEM;
	*wish = (struct word_wish){.item = (size_t)item, .text = flag};
	for (size_t i = 0; err == 0 && i < boot_loaders_n; i++) {
		struct loader_files files = {0};

		if (!loader_kept(p, boot_loaders[i]))
			continue;
		any = true;
		err = boot_loaders[i]->files(p->a, p->host, &files);
		if (err == 0)
			err = judge_files(p, (size_t)item, flag, &files);
	}
	if (err == 0)
		err = p->host->boot.ostree ? deployment_judge(p, (size_t)item, flag)
					   : judge_entries(p, (size_t)item, flag);
	if (err == 0)
		err = esps_say(p, (size_t)item);
	if (err == 0)
		err = judge_unified(p, (size_t)item, flag);
	if (err == 0)
		err = judge_live(p, (size_t)item, flag);
	if (err < 0 || ITEM(p, item)->live == LAYER_RIGHT)
		return err;
	return judge_chain(p, (size_t)item, flag, any);
}

static int wanted_flags(struct planning *p, struct words *ret)
{
	int err = iommu_flags(p, ret);

	array_foreach(it, &p->spec->kernel_flags)
		if (err == 0 && words_add(p->a, ret, it->text) < 0)
			err = -ENOMEM;
	return err;
}

/* Tokens that we put somewhere: the ledger's, and without a ledger those of our own drop-ins. */
static int find_ours(struct planning *p)
{
	int err;

	array_foreach(file, &p->ledger->files)
		array_foreach(it, &file->tokens)
			if (words_add(p->a, &p->flags_ours, *it) < 0)
				return -ENOMEM;
	err = deployment_ours(p);
	if (err == 0)
		err = shell_own_flags(p->a, p->host, PATH_GRUB_DROPIN, grub_variable(p->host),
				      &p->flags_ours);
	if (err == 0)
		err = shell_own_flags(p->a, p->host, PATH_UBOOT_DROPIN, UBOOT_VARIABLE,
				      &p->flags_ours);
	return err < 0 ? err
		       : shell_own_flags(p->a, p->host, PATH_DRACUT_LINE, DRACUT_VARIABLE,
					 &p->flags_ours);
}

static int surplus_flags(struct planning *p, const struct words *wanted)
{
	array_foreach(it, &p->flags_ours)
		if (!words_has(wanted, *it) && surplus_add(p, ITEM_KERNEL_FLAG, *it) < 0)
			return -ENOMEM;
	return 0;
}

int rule_flags(struct planning *p)
{
	struct words wanted = {0};
	int err = wanted_flags(p, &wanted);

	if (err == 0)
		err = find_ours(p);
	for (size_t i = 0; err == 0 && i < wanted.n; i++)
		err = judge_flag(p, wanted.at[i]);
	if (err == 0 && wanted.n)
		err = unproven_entries(p);
	if (err == 0 && p->host->cpu.vendor == CPU_AMD)
		err = amd_iommu_on(p, p->host->cmdline, "the running kernel's line");
	return err < 0 ? err : surplus_flags(p, &wanted);
}
