/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What keeps a guest from being given a device: the device is not to be had, or another guest that
 * may be started has it too. And the guest that starts with the host without it is named.
 */
#include <string.h>

#include "guests.h"

static const struct plan_item *device_item(const struct planning *p, const char *device)
{
	array_foreach(it, &p->plan->items)
		if (it->kind == ITEM_DEVICE && !it->surplus &&
		    strcmp(strchr(it->id, ':') + 1, device) == 0)
			return it;
	return NULL;
}

/* --- blocked devices -------------------------------------------------------------------------- */

static int judge_device(struct planning *p, size_t item)
{
	const char *name = strchr(strchr(ITEM(p, item)->id, ':') + 1, '/');
	const struct plan_item *device = name ? device_item(p, name + 1) : NULL;

	if (!device || device->state != STATE_BLOCKED)
		return 0;
	/* The device's own diagnostic says it all: the item only points there. */
	ITEM(p, item)->state = STATE_BLOCKED;
	ITEM(p, item)->reason = arena_printf(p->a, "%s is blocked, and no guest is pointed at it",
					     device->id);
	return ITEM(p, item)->reason ? 0 : -ENOMEM;
}

/* --- two guests, one device ------------------------------------------------------------------- */

static const char *has_any(const struct host_guest *guest, const struct guest_part *part)
{
	array_foreach(addr, &part->addrs) {
		const struct guest_device *entry = guest_gives(guest, *addr);

		if (entry)
			return entry->key;
	}
	return NULL;
}

static bool is_wished(const struct planning *p, const char *guest, const char *device)
{
	array_foreach(vm, &p->spec->vms)
		if (strcmp(vm->name, guest) == 0 && guest_wishes(vm, device))
			return true;
	return false;
}

bool guest_loses(const struct planning *p, const struct host_guest *guest, const char *key)
{
	const struct ledger_guest *known = ledger_guest(p->ledger, guest->hypervisor, guest->name,
							key);

	return known && !*known->before && !is_wished(p, guest->name, known->device);
}

static int judge_others(struct planning *p, const struct vm_wish *wish,
			const struct guest_part *part, size_t item)
{
	array_foreach(it, &p->host->guests.list) {
		const char *key = has_any(it, part);

		if (it == wish->task.guest || it->node || it->template_ || !key ||
		    guest_loses(p, it, key))
			continue;
		return item_block(
			p, item, CODE_GUEST_CONFLICT,
			"guest %s%s%s%s has %s too (%s), and both may be started; take it "
			"from one of them",
			it->name, it->title ? " (" : "", it->title ? it->title : "",
			it->title ? ")" : "", part->device, key);
	}
	return 0;
}

static int judge_wishes(struct planning *p, const struct vm_wish *wish, const char *device,
			size_t item)
{
	array_foreach(vm, &p->spec->vms)
		if (vm != wish->spec && guest_wishes(vm, device))
			return item_block(p, item, CODE_GUEST_CONFLICT,
					  "guest %s, %s: it is wished for guest %s too, and both "
					  "may be started; list it for one of them",
					  wish->spec->name, device, vm->name);
	return 0;
}

int guests_judge(struct planning *p, const struct vm_wish *wish)
{
	for (size_t i = 0; i < p->plan->items.n; i++)
		if (item_of_guest(ITEM(p, i), wish->spec->name) && judge_device(p, i) < 0)
			return -ENOMEM;
	for (size_t i = 0; i < wish->task.parts.n; i++) {
		const struct guest_part *part = &wish->task.parts.at[i];
		size_t item = wish->items.at[i];

		if (judge_wishes(p, wish, part->device, item) < 0 ||
		    judge_others(p, wish, part, item) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* --- guests that start with the host ---------------------------------------------------------- */

static bool gives(const struct planning *p, const struct host_guest *guest,
		  const struct guest_device *entry, const char *device)
{
	const struct plan_device *known = plan_device_named(p->plan, device);
	const struct ledger_guest *ours = ledger_guest(p->ledger, guest->hypervisor, guest->name,
						       entry->key);

	if (ours && strcmp(ours->device, device) == 0)
		return true;
	for (size_t i = 0; known && !entry->mediated && i < known->addrs.n; i++)
		if (guest_device_has(entry, known->addrs.at[i]))
			return true;
	return false;
}

static int tell_guest(struct planning *p, const struct host_guest *guest)
{
	for (size_t i = 0; i < p->plan->items.n; i++) {
		const struct plan_item *item = ITEM(p, i);
		const char *name = strchr(item->id, ':') + 1;

		if (item->kind != ITEM_DEVICE || item->surplus || item->state != STATE_BLOCKED)
			continue;
		array_foreach(it, &guest->next.devices)
			if (gives(p, guest, it, name) &&
			    plan_note(p, SEVERITY_ERROR, CODE_GUEST_BLOCKED,
				      "guest %s starts with the host and has %s (%s), which is "
				      "blocked: %s",
				      guest->name, name, it->key, item->reason) < 0)
				return -ENOMEM;
	}
	return 0;
}

int guests_tell(struct planning *p)
{
	array_foreach(it, &p->host->guests.list)
		if (it->autostart && !it->node && !it->template_ && tell_guest(p, it) < 0)
			return -ENOMEM;
	return 0;
}
