/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a boot did not keep a promise: the most that its line, its log and sysfs say. */
#include <string.h>

#include "budget.h"
#include "planning.h"

static const struct device_wish *wish_of(const struct planning *p, const struct plan_item *item)
{
	array_foreach(it, &p->devices)
		if (ITEM(p, it->item) == item)
			return it;
	return NULL;
}

static bool is_installed(const struct host *host, const char *version)
{
	array_foreach(it, &host->kernels)
		if (it->vmlinuz && strcmp(it->version, version) == 0)
			return true;
	return false;
}

static const char *why_not(struct planning *p, const struct plan_item *item)
{
	bool bare = p->builder && p->builder->bare;

	if (*p->host->running_version && !is_installed(p->host, p->host->running_version))
		return arena_printf(
			p->a,
			"every installed kernel's initramfs %s: %s, which runs, is none "
			"of these",
			bare ? "leaves it alone" : "binds it early", p->host->running_version);
	if (item->boot != LAYER_RIGHT)
		return "early binding is configured";
	return bare ? "the initramfs leaves it alone" : "the initramfs binds it early";
}

static const char *device_seen(struct planning *p, const struct plan_item *item)
{
	const struct device_wish *wish = wish_of(p, item);
	const char *off = p->host->iommu.off_evidence;

	if (!p->host->iommu.active)
		return off ? arena_printf(p->a, "the IOMMU is off: %s", off)
			   : "the IOMMU is not active in this boot";
	array_foreach(addr, &p->plan->devices.at[wish->device].addrs) {
		const struct host_device *d = host_device(p->host, *addr);
		char text[PCI_ADDR_TEXT_SIZE];

		if (!d || host_device_on(d, wish->spec->driver))
			continue;
		pci_addr_format(*addr, text);
		if (!d->driver)
			return arena_printf(p->a, "%s is on no driver: %s did not take it", text,
					    wish->spec->driver);
		return arena_printf(p->a, "%s is on %s, which %s%s%s although %s", text, d->driver,
				    d->taken ? "had it by second " : "took it",
				    d->taken ? d->taken : "",
				    d->taken ? " of the kernel's log" : "", why_not(p, item));
	}
	return item->reason;
}

/* What loaders put there themselves (1.16 to 1.19), beside the entry's options. */
static bool is_the_loaders(const struct kparam *param)
{
	return strcmp(param->name, "BOOT_IMAGE") == 0 || strcmp(param->name, "initrd") == 0;
}

/*
 * The first word of the running line that the options lack, NULL: it has them all, *ret_word.
 * 0 or -ENOMEM.
 */
static int first_foreign(struct planning *p, const char *options, const char **ret_word)
{
	struct kcmdline line = {0};

	if (kcmdline_parse(p->a, options, &line) < 0)
		return -ENOMEM;
	*ret_word = NULL;
	array_foreach(it, &p->running.params) {
		bool found = is_the_loaders(it);

		for (size_t i = 0; !found && i < line.params.n; i++)
			found = strcmp(line.params.at[i].raw, it->raw) == 0;
		if (!found) {
			*ret_word = it->raw;
			return 0;
		}
	}
	return 0;
}

/* GRUB fills in variables of others (2.27): what they bring stands in no entry. */
static bool has_variables(const struct host *host)
{
	array_foreach(it, &host->boot.entries)
		if (strchr(it->options, '$'))
			return true;
	return false;
}

/* The entry that may have been booted, by its words; ret_word: one that the last entry lacks. */
static int find_booted(struct planning *p, bool recovery, const struct host_entry **ret_entry,
		       const char **ret_word)
{
	array_foreach(it, &p->host->boot.entries) {
		const char *word;

		if (it->recovery != recovery)
			continue;
		if (first_foreign(p, it->options, &word) < 0)
			return -ENOMEM;
		if (!word) {
			*ret_entry = it;
			return 0;
		}
		*ret_word = word;
	}
	return 0;
}

static const char *flag_seen(struct planning *p, const char *flag)
{
	const struct host_entry *normal = NULL, *recovery = NULL;
	const char *word = NULL, *other = NULL;
	size_t length = strlen(p->host->cmdline);

	if (length + 1 + strlen(flag) >= CMDLINE_SIZE)
		return arena_printf(p->a,
				    "the boot loader dropped %s: the running kernel's line has %zu "
				    "bytes, and more than %d do not fit",
				    flag, length, CMDLINE_SIZE - 1);
	if (find_booted(p, false, &normal, &word) < 0 ||
	    find_booted(p, true, &recovery, &other) < 0)
		return NULL;
	if (normal)
		return arena_printf(p->a,
				    "the running kernel's line lacks %s, which the entry in %s, "
				    "line %u, has: the boot loader dropped it",
				    flag, normal->source, normal->line);
	if (recovery)
		return arena_printf(
			p->a, "the running kernel's line lacks %s: a recovery entry was booted",
			flag);
	if (word && !has_variables(p->host))
		return arena_printf(p->a,
				    "the running kernel's line lacks %s, and has %.60s, which the "
				    "boot loader's entries lack: it was booted by another one",
				    flag, word);
	return arena_printf(p->a,
			    "the running kernel's line lacks %s: the boot loader dropped it, or "
			    "another entry was booted",
			    flag);
}

const char *promise_seen(struct planning *p, const struct plan_item *item)
{
	const char *name = strchr(item->id, ':') + 1;

	switch (item->kind) {
	case ITEM_KERNEL_FLAG:
		return flag_seen(p, name);
	case ITEM_DEVICE:
		return device_seen(p, item);
	case ITEM_BLACKLIST:
		return arena_printf(p->a,
				    "%s is loaded all the same, by its name or since another "
				    "module needs it",
				    name);
	case ITEM_MODULE:
		return arena_printf(p->a, "%s is not loaded", name);
	case ITEM_MODULE_OPTION:
		return arena_printf(p->a, "%s: %s", name,
				    item->reason ? item->reason : "another value is in force");
	case ITEM_VM:
	case _ITEM_KIND_MAX:
	case _ITEM_KIND_INVALID:
		break;
	}
	return item->reason ? item->reason : "not active";
}
