/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a device is bound: by override or by ids, and when the ids method cannot be had. */
#include <string.h>

#include "module-list.h"
#include "planning.h"

int device_refuse(struct planning *p, struct device_wish *wish, enum code code, const char *message)
{
	struct plan_device *device = &p->plan->devices.at[wish->device];
	struct verdict *verdict = message ? array_add(p->a, &device->verdicts) : NULL;

	if (!verdict)
		return -ENOMEM;
	verdict->code = code;
	verdict->severity = SEVERITY_ERROR;
	verdict->message = message;
	return 0;
}

bool ids_list_has(const char *list, const struct pci_id *id)
{
	while (list && *list) {
		size_t n = strcspn(list, ",");
		char word[64] = "";
		struct pci_id pattern;

		/* vendor:device[:subvendor:subdevice[:class[:mask]]] (7.3); the rest narrows. */
		if (n < sizeof(word))
			memcpy(word, list, n);
		if (pci_id_parse(word, &pattern) == 0 && pci_id_match(&pattern, id))
			return true;
		list += n + (list[n] == ',');
	}
	return false;
}

static const char *foreign_ids(const struct planning *p)
{
	const char *ids = modprobe_option(p->a, &p->foreign, "vfio_pci", "ids", NULL);

	/* What the kernel's line says is appended last and wins (6.22). */
	array_foreach(it, &p->running.params)
		if (!it->for_init && kparam_name_equal(it->name, "vfio-pci.ids") && it->value)
			ids = it->value;
	return ids;
}

/* Note 14: on its target, by a setup that is not ours and that will do the same again. */
static bool served_by_others(const struct planning *p, const struct plan_device *device,
			     const struct spec_device *wish)
{
	const char *ids = foreign_ids(p);

	array_foreach(addr, &device->addrs) {
		const struct host_device *d = host_device(p->host, *addr);
		const struct ledger_device *known = ledger_device(p->ledger, *addr);

		if (!d || !host_device_on(d, wish->driver) || (known && known->bound))
			return false;
		if (strcmp(wish->driver, SPEC_DEFAULT_DRIVER) != 0 || !ids_list_has(ids, &d->id))
			return false;
	}
	return device->addrs.n > 0;
}

/* Another function of the same model that nobody chose: ids= would take it as well (7.3). */
static const struct host_device *twin_of(const struct planning *p, const struct plan_device *device)
{
	array_foreach(addr, &device->addrs) {
		const struct host_device *chosen = host_device(p->host, *addr);

		array_foreach(it, &p->host->devices)
			if (chosen && pci_id_same_model(&it->id, &chosen->id) &&
			    !guard_takes(device, it->addr))
				return it;
	}
	return NULL;
}

static int ids_refusals(struct planning *p, struct device_wish *wish)
{
	const struct plan_device *device = &p->plan->devices.at[wish->device];
	const struct host_device *twin = twin_of(p, device);
	const char *others = foreign_ids(p);
	char addr[PCI_ADDR_TEXT_SIZE];

	if (twin)
		return device_refuse(
			p, wish, CODE_AMBIGUOUS_DEVICE,
			arena_printf(p->a,
				     "method ids would take %s as well, which has the same "
				     "ids; use method: override",
				     pci_addr_format(twin->addr, addr)));
	if (others)
		return device_refuse(
			p, wish, CODE_FOREIGN_CONFLICT,
			arena_printf(p->a,
				     "another hand sets vfio-pci ids=%s, and only one list "
				     "counts; remove it or use method: override",
				     others));
	array_foreach(it, &wish->drivers)
		if (kernels_any_have(p, *it, MODULE_BUILTIN))
			return device_refuse(
				p, wish, CODE_NO_EFFECT,
				arena_printf(p->a,
					     "%s is built into the kernel and binds before "
					     "any module; use method: override",
					     *it));
	return 0;
}

/* What the ledger knows of a function that ours has, NULL without. */
static const struct ledger_device *
known_of(const struct planning *p, const struct device_wish *wish, const struct host_device *d)
{
	return host_device_on(d, wish->spec->driver) ? guard_known(&p->guard, wish->spec->name, d)
						     : NULL;
}

/*
 * The module of the driver that it has without us, also while ours has it; NULL: none is known. No
 * index of modules tells which built-in driver takes what.
 */
static const char *own_module(const struct planning *p, const struct device_wish *wish,
			      const struct host_device *d)
{
	const struct ledger_device *known = known_of(p, wish, d);

	if (d->driver && !host_device_on(d, wish->spec->driver))
		return d->driver_module ? d->driver_module : d->driver;
	if (known && *known->host_drivers)
		return known->host_drivers;
	return known && known->previous && *known->previous ? known->previous : NULL;
}

/* Modules that would bind the function without us: by alias, and the driver of its own. */
static int function_drivers(struct planning *p, const struct device_wish *wish,
			    const struct host_device *d, struct words *found)
{
	const char *own = own_module(p, wish, d);
	const char *module = own ? module_name_kernel(p->a, own) : NULL;

	if (d->modalias)
		array_foreach(k, &p->host->kernels)
			if (*k->modules_alias || k->builtin_modinfo)
				if (module_alias_lookup(p->a, k->modules_alias,
							k->builtin_modinfo ? k->builtin_modinfo
									   : "",
							d->modalias, found) < 0)
					return -ENOMEM;
	if (own && (!module || words_add(p->a, found, module) < 0))
		return -ENOMEM;
	return 0;
}

/* Its own driver where that is built in and no module's, also while ours has it; NULL otherwise. */
static const char *own_builtin(const struct planning *p, const struct device_wish *wish,
			       const struct host_device *d)
{
	const struct ledger_device *known = known_of(p, wish, d);

	if (known)
		return known->builtin ? known->previous : NULL;
	return d->driver_builtin && !host_device_on(d, wish->spec->driver) ? d->driver : NULL;
}

int device_drivers(struct planning *p, struct device_wish *wish)
{
	const struct plan_device *device = &p->plan->devices.at[wish->device];
	const char *target = module_name_kernel(p->a, wish->spec->driver);

	if (!target)
		return -ENOMEM;
	array_foreach(addr, &device->addrs) {
		const struct host_device *d = host_device(p->host, *addr);
		const char *builtin = d ? own_builtin(p, wish, d) : NULL;
		struct words found = {0};

		if (d && function_drivers(p, wish, d, &found) < 0)
			return -ENOMEM;
		array_foreach(it, &found) {
			if (strcmp(*it, target) == 0)
				continue;
			if (!builtin && kernels_any_have(p, *it, MODULE_BUILTIN))
				builtin = *it;
			if (words_add(p->a, &wish->drivers, *it) < 0)
				return -ENOMEM;
		}
		if (array_push(p->a, &wish->builtin, builtin) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* --- why auto takes override: each says it, or leaves *ret NULL. 0 or -ENOMEM --------------- */

static int why_twin(struct planning *p, const struct device_wish *wish, const char **ret)
{
	if (twin_of(p, &p->plan->devices.at[wish->device]))
		*ret = "its twin stays with the host: only an address tells them apart";
	return 0;
}

static int why_builtin(struct planning *p, const struct device_wish *wish, const char **ret)
{
	array_foreach(it, &wish->builtin) {
		if (!*it)
			continue;
		*ret = arena_printf(p->a,
				    "%s is built into the kernel: it has to be taken from it, as "
				    "no module comes before",
				    *it);
		return *ret ? 0 : -ENOMEM;
	}
	return 0;
}

static int why_target_builtin(struct planning *p, const struct device_wish *wish, const char **ret)
{
	if (!kernels_any_have(p, wish->spec->driver, MODULE_BUILTIN))
		return 0;
	*ret = arena_printf(p->a, "%s is built into the kernel: no option file reaches it",
			    wish->spec->driver);
	return *ret ? 0 : -ENOMEM;
}

static int why_drivers(struct planning *p, const struct device_wish *wish, const char **ret)
{
	const char *one = NULL, *other = NULL;

	array_foreach(addr, &p->plan->devices.at[wish->device].addrs) {
		const struct host_device *d = host_device(p->host, *addr);
		const char *own = d ? own_module(p, wish, d) : NULL;

		if (!one)
			one = own;
		else if (own && strcmp(own, one) != 0)
			other = own;
	}
	if (!one && !wish->drivers.n)
		*ret = "no driver knows it: its address is enough";
	if (!other)
		return 0;
	*ret = arena_printf(p->a,
			    "its functions have drivers of their own (%s, %s), and none is "
			    "waited for",
			    one, other);
	return *ret ? 0 : -ENOMEM;
}

/* The first that says something. Nothing speaks for ids where override is to be had. */
static int (*const reasons[])(struct planning *p, const struct device_wish *wish,
			      const char **ret) = {
	why_twin,
	why_builtin,
	why_target_builtin,
	why_drivers,
};

int device_method(struct planning *p, struct device_wish *wish)
{
	struct plan_device *device = &p->plan->devices.at[wish->device];

	if (served_by_others(p, device, wish->spec)) {
		wish->foreign = true;
		wish->method = METHOD_IDS;
		device->method_why = "another hand's ids= list binds it already";
		return 0;
	}
	switch (wish->spec->method) {
	case METHOD_IDS:
		wish->method = METHOD_IDS;
		device->method_why = "asked for";
		if (strcmp(wish->spec->driver, SPEC_DEFAULT_DRIVER) != 0)
			return device_refuse(p, wish, CODE_BAD_VALUE,
					     "method ids is vfio-pci's own; use method: override");
		return ids_refusals(p, wish);
	case METHOD_OVERRIDE:
		wish->method = METHOD_OVERRIDE;
		device->method_why = "asked for";
		return 0;
	case METHOD_AUTO:
	case _METHOD_MAX:
	case _METHOD_INVALID:
		break;
	}
	wish->method = METHOD_OVERRIDE;
	for (size_t i = 0; i < ARRAY_LEN(reasons) && !device->method_why; i++)
		if (reasons[i](p, wish, &device->method_why) < 0)
			return -ENOMEM;
	if (!device->method_why)
		device->method_why = "it names this address alone and waits for no module's turn";
	return 0;
}
