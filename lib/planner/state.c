/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sum: a state per item and device, what only a reboot brings, what the ledger will know. */
#include <string.h>

#include "paths.h"
#include "planning.h"

static enum item_state state_of(const struct plan_item *item)
{
	if (item->files == LAYER_WRONG)
		return STATE_WANTED;
	if (item->boot == LAYER_WRONG)
		return STATE_CONFIGURED;
	return item->live == LAYER_WRONG || item->live == LAYER_UNKNOWN ? STATE_ARMED
									: STATE_ACTIVE;
}

/* Whether a live step of this plan serves the item. */
static bool done_live(const struct plan *plan, const struct plan_item *item)
{
	size_t n = strlen(item->id);

	array_foreach(it, &plan->steps)
		if (it->kind != STEP_RETURN && step_kind_class(it->kind) == CLASS_LIVE &&
		    strncmp(it->why, item->id, n) == 0 && it->why[n] == ':')
			return true;
	return false;
}

static int reboot_for(struct planning *p, const struct plan_item *item, const char *text)
{
	const char *why = arena_printf(p->a, "%s: %s", item->id, text);

	if (!why)
		return -ENOMEM;
	p->plan->reboot_required = true;
	return words_add(p->a, &p->plan->reboot_why, why) < 0 ? -ENOMEM : 0;
}

static int sum_item(struct planning *p, struct plan_item *item)
{
	if (item->state == STATE_BLOCKED || item->kind == ITEM_VM)
		return 0;
	item->state = state_of(item);
	if (item->state == STATE_ACTIVE && plan_known_flag(p, item) < 0)
		return -ENOMEM;
	if (item->live != LAYER_WRONG || done_live(p->plan, item))
		return 0;
	if (item->state == STATE_ARMED && plan_promise(p, item) < 0)
		return -ENOMEM;
	if (item->state == STATE_BLOCKED)
		return 0;
	switch (item->kind) {
	case ITEM_KERNEL_FLAG:
		return reboot_for(p, item, "not on the running kernel's line");
	case ITEM_MODULE:
		return reboot_for(p, item, "not loaded now");
	case ITEM_MODULE_OPTION:
		return reboot_for(p, item, "the running value is another one");
	case ITEM_BLACKLIST:
		return reboot_for(p, item, "the driver is loaded");
	case ITEM_DEVICE:
		return reboot_for(p, item, "not on its driver yet");
	case ITEM_VM:
	case _ITEM_KIND_MAX:
	case _ITEM_KIND_INVALID:
		break;
	}
	return 0;
}

/* A flag of ours that nobody wishes any more stays in force until the kernel is started anew. */
static int sum_surplus(struct planning *p, struct plan_item *item)
{
	const char *flag = strchr(item->id, ':') + 1;

	if (item->kind == ITEM_KERNEL_FLAG && item->state != STATE_BLOCKED &&
	    kcmdline_satisfies(&p->running, flag))
		return reboot_for(p, item, "taken back, and still on the running kernel's line");
	return 0;
}

static void sum_devices(struct planning *p)
{
	array_foreach(it, &p->devices) {
		struct plan_device *device = &p->plan->devices.at[it->device];

		device->state = ITEM(p, it->item)->state;
		if (device->state == STATE_BLOCKED)
			device->method = _METHOD_INVALID;
	}
}

/* --- the ledger's view ------------------------------------------------------------------------ */

/* On its target and our early binding in place: it is there by us, live step or not. */
static bool ours_now(const struct planning *p, const struct device_wish *wish,
		     const struct host_device *device, const struct ledger_device *known)
{
	if (!host_device_on(device, wish->spec->driver))
		return false;
	return (known && known->bound) ||
	       (!wish->foreign && ITEM(p, wish->item)->files == LAYER_RIGHT);
}

/* The group that the consent is about: as it was when that was given, less what has gone. */
static int claim_group(struct planning *p, const struct device_wish *wish,
		       const struct host_device *device, const struct ledger_device *known,
		       struct ledger_device *claim)
{
	struct words now = {0}, gone = {0};

	claim->wish = guard_wish_text(p->a, wish->spec);
	claim->consent = guard_consent_text(p->a, wish->spec);
	if (!claim->wish || !claim->consent || guard_group_ids(&p->guard, device, &now) < 0)
		return -ENOMEM;
	if (known && known->group_known && strcmp(known->name, claim->name) == 0 &&
	    strcmp(known->wish, claim->wish) == 0 && strcmp(known->consent, claim->consent) == 0) {
		claim->group_known = true;
		claim->group = known->group;
		if (device->group < 0)
			return 0;
		return guard_ids_less(p->a, &known->group, &now, &gone) < 0
			       ? -ENOMEM
			       : guard_ids_less(p->a, &known->group, &gone, &claim->group);
	}
	claim->group_known = device->group >= 0;
	claim->group = now;
	return 0;
}

/* What the ledger knows of this very function where it was until it moved. */
static const struct ledger_device *moved_from(const struct planning *p,
					      const struct device_wish *wish,
					      const struct host_device *device)
{
	const struct plan_device *plan = &p->plan->devices.at[wish->device];
	const struct ledger_device *known = guard_known(&p->guard, wish->spec->name, device);

	if (known || plan->identity != IDENTITY_MOVED)
		return known;
	array_foreach(it, &p->ledger->devices)
		if (strcmp(it->name, wish->spec->name) == 0 && !guard_differs(it, device) &&
		    it->addr.fn == device->addr.fn && !guard_takes(plan, it->addr))
			return it;
	return NULL;
}

static int claim(struct planning *p, const struct device_wish *wish,
		 const struct host_device *device)
{
	const struct ledger_device *here = ledger_device(p->ledger, device->addr), *known;
	struct ledger_device *claim = array_add(p->a, &p->plan->claims);

	if (!claim || guard_fingerprint(&p->guard, wish->spec->name, device, &claim->serial) < 0)
		return -ENOMEM;
	if (here && guard_differs(here, device))
		here = NULL;
	known = here ? here : moved_from(p, wish, device);
	claim->name = wish->spec->name;
	claim->addr = device->addr;
	claim->id = device->id;
	claim->path = host_device_path(p->host, device, p->a);
	claim->driver = wish->spec->driver;
	claim->bound = ours_now(p, wish, device, here);
	claim->previous = known				    ? known->previous
			  : device->driver && !claim->bound ? device->driver
							    : "";
	claim->builtin = known ? known->builtin : device->driver_builtin && !claim->bound;
	claim->host_drivers = known && *known->host_drivers	       ? known->host_drivers
			      : device->driver_module && !claim->bound ? device->driver_module
								       : claim->previous;
	return claim->path ? claim_group(p, wish, device, known, claim) : -ENOMEM;
}

/*
 * A device that is refused now keeps what the ledger knows of it. What it consents to is noted: a
 * consent that was taken back and is given again is about the group as it is then.
 */
static int keep(struct planning *p, const struct spec_device *wish)
{
	const char *consent = guard_consent_text(p->a, wish);

	if (!consent)
		return -ENOMEM;
	array_foreach(it, &p->ledger->devices) {
		struct ledger_device kept = *it;

		if (strcmp(it->name, wish->name) != 0)
			continue;
		if (strcmp(it->consent, consent) != 0) {
			kept.group_known = false;
			kept.group = (struct words){0};
		}
		kept.consent = consent;
		if (array_push(p->a, &p->plan->claims, kept) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* What is ours until it can go back. */
static int keep_held(struct planning *p)
{
	array_foreach(it, &p->ledger->devices)
		if (device_held(p, it) && !plan_claim(p->plan, it->addr) &&
		    array_push(p->a, &p->plan->claims, *it) < 0)
			return -ENOMEM;
	return 0;
}

static int make_claims(struct planning *p)
{
	array_foreach(wish, &p->devices) {
		if (item_blocked(p, wish->item)) {
			if (keep(p, wish->spec) < 0)
				return -ENOMEM;
			continue;
		}
		array_foreach(addr, &p->plan->devices.at[wish->device].addrs) {
			const struct host_device *device = host_device(p->host, *addr);

			if (device && !wish->foreign && claim(p, wish, device) < 0)
				return -ENOMEM;
		}
	}
	return keep_held(p);
}

/* --- reboot ----------------------------------------------------------------------------------- */

/* The flag is there and names us (8.1); neither is ever taken away (8.4). */
static bool already_flagged(const struct host *host)
{
	const struct host_file *flag = host_file(host, PATH_REBOOT);
	const char *at = host_text(host, PATH_REBOOT_PKGS);

	if (!flag || flag->status != FILE_PRESENT)
		return false;
	while (*at) {
		size_t n = strcspn(at, "\n");

		if (n == strlen("passthroughd") && strncmp(at, "passthroughd", n) == 0)
			return true;
		at += n + (at[n] == '\n');
	}
	return false;
}

int plan_flag(struct planning *p)
{
	_cleanup_strbuf_ struct strbuf reasons = {0};
	struct step *step;

	if (!p->plan->reboot_required || !p->spec->reboot_flag || already_flagged(p->host))
		return 0;
	array_foreach(it, &p->plan->reboot_why)
		strbuf_addf(&reasons, "%s\n", *it);
	step = step_add(p, STEP_FLAG_REBOOT, PATH_REBOOT, p->plan->reboot_why.at[0]);
	return step ? strbuf_to_arena(&reasons, p->a, &step->reasons) : -ENOMEM;
}

int plan_states(struct planning *p)
{
	array_foreach(it, &p->plan->items)
		if ((it->surplus ? sum_surplus(p, it) : sum_item(p, it)) < 0)
			return -ENOMEM;
	array_foreach(it, &p->plan->items)
		if (!it->surplus && it->state == STATE_ACTIVE && it->live != LAYER_NONE)
			it->reason = NULL;
	sum_devices(p);
	return make_claims(p);
}
