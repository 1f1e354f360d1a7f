/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices: which functions, may they go, how they are bound, how far that is in each layer. */
#include <stdio.h>
#include <string.h>

#include "paths.h"
#include "planning.h"
#include "udev.h"

#define IDS_MAX 1023 /* bytes that vfio-pci's ids= takes (6.21) */

/* What no consent helps against comes before what one would. */
static const struct verdict *worst_error(const struct plan_device *device)
{
	const struct verdict *worst = NULL;

	array_foreach(it, &device->verdicts)
		if (it->severity == SEVERITY_ERROR &&
		    (!worst || (code_acceptable(worst->code) && !code_acceptable(it->code))))
			worst = it;
	return worst;
}

/* The device's verdict is the diagnostic: the item only repeats its words. */
static void refuse(struct planning *p, struct device_wish *wish)
{
	const struct verdict *verdict = worst_error(&p->plan->devices.at[wish->device]);

	wish->refused = true;
	ITEM(p, wish->item)->state = STATE_BLOCKED;
	ITEM(p, wish->item)->reason = verdict ? verdict->message : "refused";
}

/* --- what has to be where ------------------------------------------------------------------- */

static int want_modules(struct planning *p, struct device_wish *wish)
{
	const char *module = module_name_kernel(p->a, wish->spec->driver);

	if (!module || words_add(p->a, &wish->early.modules, module) < 0)
		return -ENOMEM;
	return strcmp(wish->spec->driver, SPEC_DEFAULT_DRIVER) == 0 &&
			       words_add(p->a, &wish->early.modules, "vfio_iommu_type1") < 0
		       ? -ENOMEM
		       : 0;
}

static bool stays_away(const struct planning *p, const char *module)
{
	array_foreach(it, &p->spec->blacklist)
		if (strcmp(it->text, module) == 0)
			return true;
	return modprobe_blacklisted(&p->foreign, module);
}

static int want_early(struct planning *p, struct device_wish *wish)
{
	const struct plan_device *device = &p->plan->devices.at[wish->device];

	if (want_modules(p, wish) < 0)
		return -ENOMEM;
	array_foreach(it, &wish->drivers)
		if (words_add(p->a, &wish->early.outside, *it) < 0)
			return -ENOMEM;
	if (wish->method != METHOD_OVERRIDE)
		return 0;
	array_foreach(it, &wish->drivers)
		if (!stays_away(p, *it) && words_add(p->a, &wish->early.rivals, *it) < 0)
			return -ENOMEM;
	for (size_t i = 0; i < device->addrs.n; i++) {
		const struct host_device *d = host_device(p->host, device->addrs.at[i]);
		struct early_device one = {.addr = d->addr,
					   .id = d->id,
					   .driver = wish->spec->driver,
					   .rebind = wish->builtin.at[i]};

		if (p->host->pci_serial_tool &&
		    guard_own_serial(&p->guard, wish->spec->name, d, &one.serial) < 0)
			return -ENOMEM;
		if (array_push(p->a, &wish->early.overrides, one) < 0)
			return -ENOMEM;
	}
	return 0;
}

static void sort_overrides(struct early_wish *early)
{
	for (size_t i = 1; i < early->overrides.n; i++) {
		struct early_device one = early->overrides.at[i];
		size_t to = i;

		for (; to > 0 && pci_addr_compare(one.addr, early->overrides.at[to - 1].addr) < 0;
		     to--)
			early->overrides.at[to] = early->overrides.at[to - 1];
		early->overrides.at[to] = one;
	}
}

int collect_early(struct planning *p)
{
	p->early = (struct early_wish){0};
	array_foreach(it, &p->devices) {
		if (it->refused || it->foreign || item_blocked(p, it->item))
			continue;
		array_foreach(module, &it->early.modules)
			if (words_add(p->a, &p->early.modules, *module) < 0)
				return -ENOMEM;
		array_foreach(rival, &it->early.rivals)
			if (words_add(p->a, &p->early.rivals, *rival) < 0)
				return -ENOMEM;
		array_foreach(module, &it->early.outside)
			if (words_add(p->a, &p->early.outside, *module) < 0)
				return -ENOMEM;
		array_foreach(one, &it->early.overrides)
			if (array_push(p->a, &p->early.overrides, *one) < 0)
				return -ENOMEM;
	}
	array_foreach(it, &p->blacklist)
		if (!item_blocked(p, it->item) && words_add(p->a, &p->early.outside, it->text) < 0)
			return -ENOMEM;
	sort_overrides(&p->early);
	return 0;
}

/* --- layers ----------------------------------------------------------------------------------- */

/* Whether text has every line of part that is more than a comment. */
static bool holds_lines(struct planning *p, const char *text, const char *part)
{
	while (*part) {
		size_t n = strcspn(part, "\n");
		const char *line = arena_strndup(p->a, part, n);

		if (line && *line && *line != '#' && !strstr(text, line))
			return false;
		part += n + (part[n] == '\n');
	}
	return true;
}

static int override_files(struct planning *p, const struct device_wish *wish, enum layer_state *ret)
{
	const char *rules;
	int err = udev_rules_render(p->a, &wish->early, &rules);

	if (err < 0)
		return err;
	*ret = holds_lines(p, host_text(p->host, PATH_UDEV_RULES), rules) ? LAYER_RIGHT
									  : LAYER_WRONG;
	for (size_t i = 0; p->builder && p->kernels.n && p->builder->owned[i]; i++) {
		const char *text;
		unsigned mode;

		err = p->builder->render(p->a, p->host, &p->early, i, &text, &mode);
		if (err < 0)
			return err;
		if (strcmp(host_text(p->host, p->builder->owned[i]), text) != 0)
			*ret = LAYER_WRONG;
	}
	return 0;
}

static bool softdeps_hold(const struct modprobe *m, const struct words *drivers)
{
	array_foreach(it, drivers) {
		const struct modprobe_line *line = modprobe_softdep(m, *it);

		if (!modprobe_install(m, *it) && (!line || !modprobe_softdep_pre(line, "vfio_pci")))
			return false;
	}
	return true;
}

static bool ids_named(struct planning *p, const struct device_wish *wish, const struct modprobe *m)
{
	const char *ids = modprobe_option(p->a, m, "vfio_pci", "ids", NULL);

	array_foreach(addr, &p->plan->devices.at[wish->device].addrs) {
		const struct host_device *d = host_device(p->host, *addr);

		if (!d || !ids_list_has(ids ? ids : "", &d->id))
			return false;
	}
	return true;
}

static bool ids_hold(struct planning *p, const struct device_wish *wish, const struct modprobe *m)
{
	return ids_named(p, wish, m) && (wish->foreign || softdeps_hold(m, &wish->drivers));
}

/* Where softdeps do not count, nothing inside may need them: that is proven. */
static bool ids_inside(struct planning *p, const struct device_wish *wish, size_t view)
{
	const struct modprobe *m = &p->kernels.at[view].modprobe;

	if (p->builder && p->builder->bare)
		return image_leaves(p, view, "vfio_pci") || ids_named(p, wish, m);
	return ids_hold(p, wish, m);
}

static int boot_layer(struct planning *p, const struct device_wish *wish)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i < p->kernels.n; i++) {
		const struct kernel_view *view = &p->kernels.at[i];
		const char *why = NULL;
		bool right = (wish->method != METHOD_IDS || ids_inside(p, wish, i)) &&
			     (wish->foreign || !p->builder ||
			      p->builder->proof(&p->early, view->kernel, p->a, &why));

		if (why)
			why = arena_printf(p->a, "does not %s: %s",
					   p->builder->bare ? "leave it alone" : "bind it early",
					   why);
		err = image_says(p, i, wish->item, right, why);
	}
	return err;
}

static int live_layer(struct planning *p, const struct device_wish *wish)
{
	enum layer_state *live = &ITEM(p, wish->item)->live;

	array_foreach(addr, &p->plan->devices.at[wish->device].addrs) {
		const struct host_device *d = host_device(p->host, *addr);
		bool right = d && host_device_on(d, wish->spec->driver);
		char text[PCI_ADDR_TEXT_SIZE];

		layer_add(live, right ? LAYER_RIGHT : LAYER_WRONG);
		if (!right && switched_off(p) &&
		    item_reason(p, wish->item,
				EARLY_OFF_NAME "=" EARLY_OFF_VALUE
					       " on the kernel's line: not in this boot") < 0)
			return -ENOMEM;
		if (!right &&
		    item_reason(p, wish->item, "%s is on %s, not on %s",
				pci_addr_format(*addr, text),
				d && d->driver ? d->driver : "no driver", wish->spec->driver) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int judge_layers(struct planning *p, struct device_wish *wish)
{
	struct plan_item *item = ITEM(p, wish->item);
	int err = 0;

	if (wish->foreign)
		item->files = LAYER_RIGHT;
	else if (wish->method == METHOD_IDS)
		item->files = ids_hold(p, wish, &p->own) ? LAYER_RIGHT : LAYER_WRONG;
	else
		err = override_files(p, wish, &item->files);
	if (err == 0 && item->files == LAYER_WRONG)
		err = item_reason(p, wish->item, "early binding is not configured");
	if (err == 0)
		err = boot_layer(p, wish);
	if (err == 0)
		err = live_layer(p, wish);
	return err < 0 ? err : judge_loaded_beside(p, wish);
}

/* --- what nobody wishes any more ------------------------------------------------------------ */

static bool surplus_known(const struct planning *p, const char *name)
{
	array_foreach(it, &p->plan->items)
		if (it->kind == ITEM_DEVICE && strcmp(strchr(it->id, ':') + 1, name) == 0)
			return true;
	return false;
}

static bool has_override(const struct planning *p, struct pci_addr addr)
{
	array_foreach(it, &p->early.overrides)
		if (pci_addr_compare(it->addr, addr) == 0)
			return true;
	return false;
}

/* By the ledger's names; without a ledger, by the addresses in our own rules. */
static int surplus_devices(struct planning *p)
{
	static const char mark[] = "KERNEL==\"";

	array_foreach(it, &p->ledger->devices)
		if (!surplus_known(p, it->name) && surplus_add(p, ITEM_DEVICE, it->name) < 0)
			return -ENOMEM;
	for (const char *at = host_text(p->host, PATH_UDEV_RULES); (at = strstr(at, mark));) {
		char text[PCI_ADDR_TEXT_SIZE] = "";
		struct pci_addr addr;
		size_t n;

		at += strlen(mark);
		n = strcspn(at, "\"");
		if (n < sizeof(text))
			memcpy(text, at, n);
		if (pci_addr_parse(text, &addr) < 0 || has_override(p, addr) ||
		    ledger_device(p->ledger, addr) || surplus_known(p, text))
			continue;
		if (surplus_add(p, ITEM_DEVICE, text) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* --- the rule --------------------------------------------------------------------------------- */

static int select_all(struct planning *p)
{
	int err = guard_init(&p->guard, p->a, p->spec, p->host, p->ledger);

	if (err == 0)
		err = guard_devices(&p->guard, p->plan);
	for (size_t i = 0; err == 0 && i < p->spec->devices.n; i++) {
		const struct spec_device *spec = &p->spec->devices.at[i];
		ssize_t item = item_add(p, ITEM_DEVICE, "%s", spec->name);
		struct device_wish *wish = array_add(p->a, &p->devices);

		if (item < 0 || !wish)
			return -ENOMEM;
		*wish = (struct device_wish){.item = (size_t)item, .device = i, .spec = spec};
	}
	return err;
}

static int judge(struct planning *p, struct device_wish *wish)
{
	struct plan_device *device = &p->plan->devices.at[wish->device];
	int err = 0;

	if (!plan_device_refused(device))
		err = device_drivers(p, wish);
	if (err == 0 && !plan_device_refused(device))
		err = device_method(p, wish);
	if (err < 0)
		return err;
	if (plan_device_refused(device)) {
		refuse(p, wish);
		return 0;
	}
	device->method = wish->method;
	return wish->foreign ? 0 : want_early(p, wish);
}

static int check_ids_length(struct planning *p)
{
	size_t n = 0;

	array_foreach(it, &p->devices)
		if (!it->refused && !it->foreign && it->method == METHOD_IDS)
			n += p->plan->devices.at[it->device].addrs.n * strlen("vvvv:dddd,");
	if (n <= IDS_MAX)
		return 0;
	array_foreach(it, &p->devices) {
		if (it->refused || it->foreign || it->method != METHOD_IDS)
			continue;
		if (device_refuse(p, it, CODE_TOO_LARGE,
				  "vfio-pci takes 1023 bytes of ids=; use method: override") < 0)
			return -ENOMEM;
		p->plan->devices.at[it->device].method = _METHOD_INVALID;
		refuse(p, it);
	}
	return 0;
}

int rule_devices(struct planning *p)
{
	int err = select_all(p);

	for (size_t i = 0; err == 0 && i < p->devices.n; i++)
		err = judge(p, &p->devices.at[i]);
	if (err == 0)
		err = check_ids_length(p);
	if (err == 0)
		err = collect_early(p);
	for (size_t i = 0; err == 0 && i < p->devices.n; i++)
		if (!p->devices.at[i].refused)
			err = judge_layers(p, &p->devices.at[i]);
	return err < 0 ? err : surplus_devices(p);
}
