/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guests, last of all: the host's side is decided, so that no guest is ever pointed at a device
 * that will not be armed. The hypervisor's row says what is right and what is to be done.
 */
#include "guests.h"

#include <string.h>

/* --- what is ours afterwards ------------------------------------------------------------------ */

static int claim(struct planning *p, const struct ledger_guest *entry)
{
	if (guest_holds(p->plan->guests.at, p->plan->guests.n, entry))
		return 0;
	return array_push(p->a, &p->plan->guests, *entry);
}

static int claim_all(struct planning *p, const struct vm_wish *wish)
{
	array_foreach(part, &wish->task.parts)
		array_foreach(it, &part->ours)
			if (claim(p, it) < 0)
				return -ENOMEM;
	array_foreach(it, &wish->task.machine_ours)
		if (claim(p, it) < 0)
			return -ENOMEM;
	return 0;
}

/* Of a guest that cannot be looked at or changed now, or of a device that is blocked. */
static int claim_kept(struct planning *p, const struct vm_wish *wish, bool all)
{
	array_foreach(it, &p->ledger->guests)
		if (guest_owns(wish, it) &&
		    (all || (*it->device && guest_wishes(wish->spec, it->device) &&
			     !guest_has_part(&wish->task, it->device))) &&
		    claim(p, it) < 0)
			return -ENOMEM;
	return 0;
}

/* --- one guest -------------------------------------------------------------------------------- */

static void sum_items(struct planning *p, const struct vm_wish *wish)
{
	for (size_t i = 0; wish->spec && i < p->plan->items.n; i++) {
		struct plan_item *item = ITEM(p, i);

		if (!item_of_guest(item, wish->spec->name) || item->state == STATE_BLOCKED)
			continue;
		item->state = item->files == LAYER_WRONG  ? STATE_WANTED
			      : item->live == LAYER_RIGHT ? STATE_ACTIVE
							  : STATE_CONFIGURED;
		if (item->state == STATE_CONFIGURED)
			item->reason =
				item->live == LAYER_WRONG
					? "it runs, and has it once it was stopped and started"
					: "it is not running";
	}
}

static int plan_guest(struct planning *p, struct vm_wish *wish)
{
	const struct host_guest *guest = wish->task.guest;
	bool kept = guest && (guest->node || guest->bad);
	int err = 0;

	if (!guest)
		return 0;
	if (!kept)
		err = guest_match(p, wish);
	if (err == 0 && !kept)
		err = guest_steps(p, wish, &kept);
	sum_items(p, wish);
	if (err == 0 && !kept)
		err = claim_all(p, wish);
	return err < 0 ? err : claim_kept(p, wish, kept);
}

/* None of them is seen: /etc/pve may not be mounted yet. What is ours is not forgotten for that. */
static bool hidden(const struct planning *p, enum hypervisor hypervisor)
{
	array_foreach(it, &p->host->guests.list)
		if (it->hypervisor == hypervisor)
			return false;
	return true;
}

static bool is_looked_at(const struct planning *p, const struct host_guest *guest)
{
	array_foreach(it, &p->vms)
		if (it->task.guest == guest)
			return true;
	return false;
}

/* Guests that have entries of ours, and that the spec does not name any more. */
static int add_forgotten(struct planning *p)
{
	array_foreach(it, &p->ledger->guests) {
		const struct host_guest *guest = guest_named(&p->host->guests, it->hypervisor,
							     it->guest);
		struct vm_wish wish = {
			.row = hypervisor_row(it->hypervisor),
			.task = {.host = p->host,
				 .ledger = p->ledger,
				 .guest = guest,
				 .machine_code = _CODE_INVALID},
		};

		if (hidden(p, it->hypervisor) && claim(p, it) < 0)
			return -ENOMEM;
		if (guest && wish.row && !is_looked_at(p, guest) &&
		    array_push(p->a, &p->vms, wish) < 0)
			return -ENOMEM;
	}
	return 0;
}

static bool mapping_wished(const struct planning *p, const char *name)
{
	array_foreach(vm, &p->spec->vms)
		array_foreach(it, &vm->devices)
			if (it->mapping && strcmp(it->mapping, name) == 0)
				return true;
	return false;
}

/* A guest of any node's has an entry by it that does not go now. */
static bool mapping_used(const struct planning *p, const char *name)
{
	array_foreach(guest, &p->host->guests.list)
		array_foreach(it, &guest->next.devices)
			if (it->mapping && strcmp(it->mapping, name) == 0 &&
			    !guest_loses(p, guest, it->key))
				return true;
	return false;
}

/* Mappings go when the guests that had them are without. */
static int drop_mappings(struct planning *p)
{
	array_foreach(it, &p->ledger->guests) {
		const struct hypervisor_row *row = hypervisor_row(it->hypervisor);
		struct guest_steps steps = {0};

		if (*it->guest || !row || !row->drop)
			continue;
		if (mapping_wished(p, it->key) || mapping_used(p, it->key) ||
		    p->host->guests.quorate == NO || hidden(p, it->hypervisor)) {
			if (claim(p, it) < 0)
				return -ENOMEM;
			continue;
		}
		if (row->drop(p->a, p->host, it, &steps) < 0 ||
		    guest_add_steps(p, &steps,
				    arena_printf(p->a,
						 "device:%s: no mapping of it is wished any more",
						 it->device)) < 0)
			return -ENOMEM;
	}
	return 0;
}

static bool loses(const struct planning *p, const struct vm_wish *wish)
{
	array_foreach(it, &p->ledger->guests)
		if (wish->task.guest && guest_owns(wish, it) && guest_is_surplus(wish, it))
			return true;
	return false;
}

int plan_guests(struct planning *p)
{
	array_foreach(it, &p->vms)
		if (guests_judge(p, it) < 0 || guest_keep_possible(p, it) < 0)
			return -ENOMEM;
	if (add_forgotten(p) < 0)
		return -ENOMEM;
	/* Those that lose a device come before one that gets it. */
	for (int pass = 0; pass < 2; pass++)
		array_foreach(it, &p->vms)
			if (loses(p, it) == (pass == 0) && plan_guest(p, it) < 0)
				return -ENOMEM;
	return drop_mappings(p) < 0 ? -ENOMEM : guests_tell(p);
}
