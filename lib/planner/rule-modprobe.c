/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Module options and blacklisted drivers: what modprobe.d says here, in images, and what runs. */
#include <stdio.h>
#include <string.h>

#include "paths.h"
#include "planning.h"

/* --- options ---------------------------------------------------------------------------------- */

static bool option_in(struct planning *p, const struct modprobe *m, const struct option_wish *wish)
{
	const char *value = modprobe_option(p->a, m, wish->module, wish->param, NULL);

	return value && param_value_equal(value, wish->value);
}

/* module.param= on the running line is appended after modprobe.d and wins (6.22). */
static const struct kparam *line_option(const struct planning *p, const char *name)
{
	const struct kparam *found = NULL;

	array_foreach(it, &p->running.params)
		if (!it->for_init && kparam_name_equal(it->name, name))
			found = it;
	return found;
}

static int option_conflict(struct planning *p, const struct option_wish *wish)
{
	const struct modprobe_line *where = NULL;
	const char *value = modprobe_option(p->a, &p->foreign, wish->module, wish->param, &where);
	const char *name = arena_printf(p->a, "%s.%s", wish->module, wish->param);
	const struct kparam *line = name ? line_option(p, name) : NULL;

	if (!name)
		return -ENOMEM;
	/* Ours sorts first, and the last one wins (6.7). */
	if (value && !param_value_equal(value, wish->value))
		return item_block(p, wish->item, CODE_FOREIGN_CONFLICT,
				  "%s:%u sets %s.%s=%s; remove it there or here", where->path,
				  where->line, wish->module, wish->param, value);
	if (line && line->value && !param_value_equal(line->value, wish->value))
		return item_block(p, wish->item, CODE_FOREIGN_CONFLICT,
				  "the kernel's line has %s, which wins over any option; remove it",
				  line->raw);
	return 0;
}

static int option_boot(struct planning *p, const struct option_wish *wish)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i < p->kernels.n; i++)
		err = image_says(p, i, wish->item,
				 image_leaves(p, i, wish->module) ||
					 option_in(p, &p->kernels.at[i].modprobe, wish),
				 NULL);
	return err;
}

/*
 * A parameter without a file in sysfs cannot be read back. It was written before this boot, then
 * it is in force; otherwise nobody can tell until the next one.
 */
static enum layer_state unreadable_param(const struct planning *p)
{
	bool this_boot = *p->ledger->boot_id && strcmp(p->ledger->boot_id, p->host->boot_id) == 0;

	return this_boot ? LAYER_WRONG : LAYER_NONE;
}

static int option_live(struct planning *p, const struct option_wish *wish)
{
	struct plan_item *item = ITEM(p, wish->item);
	const struct host_param *param = host_param(p->host, wish->module, wish->param);

	if (!host_module(p->host, wish->module))
		return 0;
	if (!param) {
		item->live = unreadable_param(p);
		return item->live == LAYER_WRONG
			       ? item_reason(p, wish->item,
					     "the module is loaded and its value cannot be read")
			       : 0;
	}
	item->live = param_value_equal(param->value, wish->value) ? LAYER_RIGHT : LAYER_WRONG;
	return item->live == LAYER_RIGHT
		       ? 0
		       : item_reason(p, wish->item, "the running value is %s", param->value);
}

/* modprobe.d never reaches what is built in (6.17). */
static int option_builtin(struct planning *p, const struct option_wish *wish)
{
	if (ITEM(p, wish->item)->live == LAYER_RIGHT ||
	    !kernels_any_have(p, wish->module, MODULE_BUILTIN))
		return 0;
	return item_block(p, wish->item, CODE_NO_EFFECT,
			  "%s is built into a kernel here; use kernel-flags: [%s.%s=%s]",
			  wish->module, wish->module, wish->param, wish->value);
}

static int judge_option(struct planning *p, struct option_wish *wish)
{
	int err;

	wish->ours = !option_in(p, &p->foreign, wish);
	ITEM(p, wish->item)->files = !wish->ours || option_in(p, &p->own, wish) ? LAYER_RIGHT
										: LAYER_WRONG;
	err = ITEM(p, wish->item)->files == LAYER_WRONG
		      ? item_reason(p, wish->item, "not in modprobe.d")
		      : 0;
	if (err == 0)
		err = option_boot(p, wish);
	if (err == 0)
		err = option_live(p, wish);
	if (err == 0)
		err = option_conflict(p, wish);
	return err < 0 ? err : option_builtin(p, wish);
}

static int add_option(struct planning *p, const char *module, const char *param, const char *value)
{
	ssize_t item = item_add(p, ITEM_MODULE_OPTION, "%s.%s", module, param);
	struct option_wish *wish = array_add(p->a, &p->options);

	if (item < 0 || !wish)
		return -ENOMEM;
	*wish = (struct option_wish){
		.item = (size_t)item, .module = module, .param = param, .value = value};
	return judge_option(p, wish);
}

/* Contract note 9: where interrupts are remapped nobody needs it, and nothing is written. */
static int unsafe_interrupts(struct planning *p)
{
	ssize_t item;

	if (!p->spec->unsafe_interrupts)
		return 0;
	if (p->host->iommu.remapping != YES)
		return add_option(p, "vfio_iommu_type1", "allow_unsafe_interrupts", "1");
	item = item_add(p, ITEM_MODULE_OPTION, "vfio_iommu_type1.allow_unsafe_interrupts");
	if (item < 0)
		return (int)item;
	if (item_reason(p, (size_t)item, "not written: interrupts are remapped here") < 0)
		return -ENOMEM;
	return plan_note(
		p, SEVERITY_WARNING, CODE_NOT_NEEDED,
		"iommu.unsafe-interrupts is not needed here and was not written: this host "
		"remaps interrupts (%s), and the option would let a guest inject them",
		p->host->iommu.remapping_evidence ? p->host->iommu.remapping_evidence
						  : "seen in the kernel's log");
}

bool option_wished(const struct planning *p, const char *module, const char *param)
{
	array_foreach(it, &p->options)
		if (strcmp(it->module, module) == 0 && strcmp(it->param, param) == 0)
			return true;
	return false;
}

/* Each "param=value" of an options line of ours that nobody wishes any more. */
static int surplus_options(struct planning *p, const struct modprobe_line *line)
{
	for (const char *at = line->rest; *at;) {
		size_t n = strcspn(at, " \t"), name = strcspn(at, "= \t");
		const char *param = arena_strndup(p->a, at, name);
		bool ids = param && strcmp(line->module, "vfio_pci") == 0 &&
			   strcmp(param, "ids") == 0;

		if (!param)
			return -ENOMEM;
		if (*param && !ids && !option_wished(p, line->module, param)) {
			const char *id = arena_printf(p->a, "%s.%s", line->module, param);

			if (!id || surplus_add(p, ITEM_MODULE_OPTION, id) < 0)
				return -ENOMEM;
		}
		at += n + strspn(at + n, " \t");
	}
	return 0;
}

int rule_options(struct planning *p)
{
	int err = unsafe_interrupts(p);

	array_foreach(it, &p->spec->options)
		if (err == 0 && !option_wished(p, it->module, it->param))
			err = add_option(p, it->module, it->param, it->value);
	array_foreach(it, &p->own.lines)
		if (err == 0 && strcmp(it->keyword, "options") == 0)
			err = surplus_options(p, it);
	return err;
}

/* --- blacklist -------------------------------------------------------------------------------- */

static int blacklist_boot(struct planning *p, const struct word_wish *wish)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i < p->kernels.n; i++)
		err = image_says(
			p, i, wish->item,
			image_leaves(p, i, wish->text) ||
				modprobe_blacklisted(&p->kernels.at[i].modprobe, wish->text),
			p->builder && p->builder->bare
				? "has the driver inside, where no blacklist counts"
				: NULL);
	return err;
}

static bool goes_away(const struct planning *p, struct pci_addr addr)
{
	array_foreach(device, &p->devices)
		if (!device->refused)
			array_foreach(it, &p->plan->devices.at[device->device].addrs)
				if (pci_addr_compare(*it, addr) == 0)
					return true;
	return false;
}

/* What the host itself needs of a device, or NULL. */
static const struct host_use *vital_use(const struct host_device *device, enum code *ret_code)
{
	array_foreach(it, &device->uses) {
		if (it->kind == USE_ROOT || it->kind == USE_BOOT || it->kind == USE_ESP) {
			*ret_code = CODE_BOOT_DISK;
			return it;
		}
		if (it->kind == USE_DEFAULT_ROUTE) {
			*ret_code = CODE_MANAGEMENT_NIC;
			return it;
		}
	}
	return NULL;
}

/* Without this driver the host would not boot, or nobody would reach it. */
static int blacklist_vital(struct planning *p, const struct word_wish *wish)
{
	array_foreach(it, &p->host->devices) {
		const char *module = it->driver && it->uses.n ? module_name_kernel(p->a, it->driver)
							      : NULL;
		char addr[PCI_ADDR_TEXT_SIZE];
		const struct host_use *use;
		enum code code;

		if (!module || strcmp(module, wish->text) != 0 || goes_away(p, it->addr))
			continue;
		use = vital_use(it, &code);
		if (use)
			return item_block(p, wish->item, code,
					  "the host needs the driver %s for %s (%s)", wish->text,
					  pci_addr_format(it->addr, addr), use->what);
	}
	return 0;
}

static int judge_blacklist(struct planning *p, struct word_wish *wish)
{
	struct plan_item *item = ITEM(p, wish->item);
	const struct host_module *loaded = host_module(p->host, wish->text);
	int err = 0;

	wish->ours = !modprobe_blacklisted(&p->foreign, wish->text);
	item->files = !wish->ours || modprobe_blacklisted(&p->own, wish->text) ? LAYER_RIGHT
									       : LAYER_WRONG;
	if (item->files == LAYER_WRONG)
		err = item_reason(p, wish->item, "not in modprobe.d");
	if (err == 0)
		err = blacklist_boot(p, wish);
	ITEM(p, wish->item)->live = loaded		     ? LAYER_WRONG
				    : p->host->modules_known ? LAYER_RIGHT
							     : LAYER_UNKNOWN;
	if (err == 0 && loaded)
		err = item_reason(p, wish->item, "the driver is loaded");
	if (err == 0)
		err = blacklist_vital(p, wish);
	if (err == 0 && kernels_any_have(p, wish->text, MODULE_BUILTIN))
		err = item_block(
			p, wish->item, CODE_NO_EFFECT,
			"%s is built into a kernel here, and a blacklist only reaches modules",
			wish->text);
	return err;
}

static bool word_wished(const struct word_wish *at, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(at[i].text, text) == 0)
			return true;
	return false;
}

int rule_blacklist(struct planning *p)
{
	int err = 0;

	array_foreach(it, &p->spec->blacklist) {
		ssize_t item = item_add(p, ITEM_BLACKLIST, "%s", it->text);
		struct word_wish *wish = array_add(p->a, &p->blacklist);

		if (item < 0 || !wish)
			return -ENOMEM;
		*wish = (struct word_wish){.item = (size_t)item, .text = it->text};
		err = judge_blacklist(p, wish);
		if (err < 0)
			return err;
	}
	array_foreach(it, &p->own.lines)
		if (err == 0 && strcmp(it->keyword, "blacklist") == 0 &&
		    !word_wished(p->blacklist.at, p->blacklist.n, it->module))
			err = surplus_add(p, ITEM_BLACKLIST, it->module);
	return err;
}
