/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be made true now, without a reboot: modules, parameters, bindings. */
#include <string.h>

#include "planning.h"

/* Blocks what somebody else keeps changing back. Whether it is; -ENOMEM. */
static int contested(struct planning *p, size_t item, const char *target)
{
	int err;

	if (!words_has(&p->ledger->contested, target))
		return 0;
	err = item_block(p, item, CODE_FOREIGN_CONFLICT,
			 "%s is changed back by something else again and again, and is left alone "
			 "for now; find out what does it, then reload passthroughd",
			 target);
	return err < 0 ? err : 1;
}

static int load_modules(struct planning *p)
{
	array_foreach(it, &p->modules) {
		if (item_blocked(p, it->item) || ITEM(p, it->item)->live != LAYER_WRONG ||
		    running_kernel_has(p, it->text) != MODULE_LOADABLE)
			continue;
		if (!step_add(p, STEP_LOAD_MODULE, it->text,
			      item_why(p, it->item, "not loaded now")))
			return -ENOMEM;
	}
	return 0;
}

static int add_parameter(struct planning *p, const struct ledger_param *to, const char *now,
			 const char *why)
{
	const char *target = arena_printf(p->a, "%s.%s", to->module, to->param);
	struct step *step = step_add(p, STEP_SET_PARAMETER, target, why);

	if (!step)
		return -ENOMEM;
	step->module = to->module;
	step->param = to->param;
	step->value = to->before;
	step->value_before = now;
	return 0;
}

static int set_parameters(struct planning *p)
{
	array_foreach(it, &p->options) {
		const struct host_param *param = host_param(p->host, it->module, it->param);
		int left;
		struct ledger_param to = {
			.module = it->module, .param = it->param, .before = it->value};

		if (item_blocked(p, it->item) || ITEM(p, it->item)->live != LAYER_WRONG || !param ||
		    !param->writable)
			continue;
		left = contested(p, it->item, strchr(ITEM(p, it->item)->id, ':') + 1);
		if (left < 0)
			return left;
		if (left)
			continue;
		if (add_parameter(p, &to, param->value,
				  item_why(p, it->item, ITEM(p, it->item)->reason)) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Running values that we changed and nobody wishes any more go back to what they were. */
static int reset_parameters(struct planning *p)
{
	array_foreach(it, &p->ledger->params) {
		const struct host_param *param = host_param(p->host, it->module, it->param);
		const char *why;

		if (option_wished(p, it->module, it->param) || !param || !param->writable ||
		    param_value_equal(param->value, it->before))
			continue;
		why = arena_printf(p->a, "module-option:%s.%s: no longer wished", it->module,
				   it->param);
		if (add_parameter(p, it, param->value, why) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Somebody lives on it and consents to losing it: at the next boot, not under his feet. */
static bool lived_on(const struct plan_device *device)
{
	array_foreach(it, &device->verdicts)
		if (it->accepted && (it->code == CODE_IN_USE || it->code == CODE_BOOT_DISPLAY ||
				     it->code == CODE_MANAGEMENT_NIC))
			return true;
	return false;
}

static int add_bind(struct planning *p, const struct device_wish *wish,
		    const struct host_device *device)
{
	char addr[PCI_ADDR_TEXT_SIZE];
	struct step *step = step_add(p, STEP_BIND,
				     arena_strdup(p->a, pci_addr_format(device->addr, addr)),
				     item_why(p, wish->item, ITEM(p, wish->item)->reason));

	if (!step)
		return -ENOMEM;
	step->addr = device->addr;
	step->id = device->id;
	step->device = wish->spec->name;
	step->driver = wish->spec->driver;
	return 0;
}

static bool is_elsewhere(const struct planning *p, const struct device_wish *wish,
			 struct pci_addr addr)
{
	const struct host_device *d = host_device(p->host, addr);

	return d && !host_device_on(d, wish->spec->driver);
}

/* The functions of one device that are not on its driver. */
static int bind_device(struct planning *p, const struct device_wish *wish)
{
	const struct plan_device *device = &p->plan->devices.at[wish->device];
	char text[PCI_ADDR_TEXT_SIZE];
	int left = 0;

	array_foreach(addr, &device->addrs)
		if (!left && is_elsewhere(p, wish, *addr))
			left = contested(p, wish->item, pci_addr_format(*addr, text));
	if (left)
		return left < 0 ? left : 0;
	array_foreach(addr, &device->addrs)
		if (is_elsewhere(p, wish, *addr) &&
		    add_bind(p, wish, host_device(p->host, *addr)) < 0)
			return -ENOMEM;
	return 0;
}

static int bind_devices(struct planning *p)
{
	/* The way back into a headless host: that boot leaves every device alone. */
	if (!p->host->iommu.active || switched_off(p))
		return 0;
	array_foreach(wish, &p->devices) {
		const struct plan_device *device = &p->plan->devices.at[wish->device];

		if (!wish->refused && !item_blocked(p, wish->item) && !lived_on(device) &&
		    bind_device(p, wish) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Wished still, and refused as it cannot be told: what may be it stays where it is. */
static bool in_doubt(const struct planning *p, const struct ledger_device *known,
		     const struct host_device *now)
{
	const struct plan_device *device = plan_device_named(p->plan, known->name);

	return device && plan_device_refused(device) && !guard_differs(known, now);
}

/* Never unbound: what we did not bind, and what somebody has bound to another driver since. */
static bool to_return(const struct planning *p, const struct ledger_device *it,
		      const struct host_device *d)
{
	return it->bound && !guard_taker(p->plan, it->addr) && d &&
	       pci_id_same_model(&d->id, &it->id) && !in_doubt(p, it, d) &&
	       (!d->driver || host_device_on(d, it->driver));
}

/* Who has it open, NULL: nobody. An unbind would wait for them, and not to be stopped (7.11). */
static const char *holder(const struct host_device *d)
{
	array_foreach(it, &d->uses)
		if (it->kind == USE_OPEN)
			return it->what;
	return NULL;
}

bool device_held(const struct planning *p, const struct ledger_device *known)
{
	const struct host_device *d = host_device(p->host, known->addr);

	return d && holder(d) && to_return(p, known, d);
}

static int wait_for(struct planning *p, const struct ledger_device *it, const char *who)
{
	char addr[PCI_ADDR_TEXT_SIZE];
	const char *why = arena_printf(p->a, "%s is open as %s: it goes back once that lets go",
				       pci_addr_format(it->addr, addr), who);

	if (!why)
		return -ENOMEM;
	for (size_t i = 0; i < p->plan->items.n; i++) {
		struct plan_item *item = ITEM(p, i);

		if (item->kind != ITEM_DEVICE || !item->surplus ||
		    strcmp(strchr(item->id, ':') + 1, it->name) != 0)
			continue;
		item->live = LAYER_WRONG;
		return item_block(p, i, CODE_IN_USE, "%s", why);
	}
	return plan_note(p, SEVERITY_WARNING, CODE_IN_USE, "%s", why);
}

static int return_device(struct planning *p, const struct ledger_device *it,
			 const struct host_device *d)
{
	char addr[PCI_ADDR_TEXT_SIZE];
	struct step *step = step_add(
		p, STEP_RETURN, arena_strdup(p->a, pci_addr_format(it->addr, addr)),
		arena_printf(p->a, "device:%s: %s", it->name,
			     plan_device_named(p->plan, it->name) ? "not the one that is wished"
								  : "no longer wished"));

	if (!step)
		return -ENOMEM;
	step->addr = it->addr;
	step->id = d->id;
	step->device = it->name;
	step->driver = it->driver;
	return 0;
}

static int return_devices(struct planning *p)
{
	array_foreach(it, &p->ledger->devices) {
		const struct host_device *d = host_device(p->host, it->addr);
		int err;

		if (!to_return(p, it, d))
			continue;
		err = holder(d) ? wait_for(p, it, holder(d)) : return_device(p, it, d);
		if (err < 0)
			return err;
	}
	return 0;
}

int plan_live(struct planning *p)
{
	int err = load_modules(p);

	if (err == 0)
		err = set_parameters(p);
	if (err == 0)
		err = reset_parameters(p);
	if (err == 0)
		err = return_devices(p);
	return err < 0 ? err : bind_devices(p);
}
