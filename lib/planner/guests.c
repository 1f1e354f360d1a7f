/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guests, last of all: the host's side is decided, so that no guest is ever pointed at a device
 * that will not be armed. The hypervisor's row says what is right and what is to be done.
 */
#include "guests.h"

#include <string.h>

/* --- which parts ------------------------------------------------------------------------------ */

/* Leaves out the parts that are blocked. */
static int keep_possible(struct planning *p, struct vm_wish *wish)
{
	typeof(wish->task.parts) parts = {0};
	typeof(wish->items) items = {0};

	for (size_t i = 0; i < wish->task.parts.n; i++)
		if (!item_blocked(p, wish->items.at[i]) &&
		    (array_push(p->a, &parts, wish->task.parts.at[i]) < 0 ||
		     array_push(p->a, &items, wish->items.at[i]) < 0))
			return -ENOMEM;
	wish->task.parts = parts;
	wish->items = items;
	return 0;
}

static bool wishes_device(const struct spec_vm *vm, const char *device)
{
	for (size_t i = 0; vm && i < vm->devices.n; i++)
		if (strcmp(vm->devices.at[i].device, device) == 0)
			return true;
	return false;
}

static bool has_part(const struct guest_task *task, const char *device)
{
	array_foreach(it, &task->parts)
		if (strcmp(it->device, device) == 0)
			return true;
	return false;
}

static bool holds(const struct ledger_guest *list, size_t n, const struct ledger_guest *entry)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].hypervisor == entry->hypervisor &&
		    strcmp(list[i].guest, entry->guest) == 0 &&
		    strcmp(list[i].key, entry->key) == 0)
			return true;
	return false;
}

static bool is_claimed(const struct guest_task *task, const struct ledger_guest *entry)
{
	array_foreach(it, &task->parts)
		if (holds(it->ours.at, it->ours.n, entry))
			return true;
	return holds(task->machine_ours.at, task->machine_ours.n, entry);
}

static bool is_entry_of(const struct vm_wish *wish, const struct ledger_guest *entry)
{
	return entry->hypervisor == wish->task.guest->hypervisor &&
	       strcmp(entry->guest, wish->task.guest->name) == 0;
}

/* Nobody wishes it: its device is not listed for the guest, nor is a machine. */
static bool is_surplus(const struct vm_wish *wish, const struct ledger_guest *entry)
{
	if (!*entry->device)
		return !wish->task.machine;
	return !wishes_device(wish->spec, entry->device);
}

/* Before match(): what it may count as free. Afterwards: what it makes no use of any more. */
static int find_surplus(struct planning *p, struct vm_wish *wish, bool matched)
{
	wish->task.surplus.n = 0;
	array_foreach(it, &p->ledger->guests) {
		bool surplus = is_entry_of(wish, it) &&
			       (is_surplus(wish, it) ||
				(matched && (!*it->device || has_part(&wish->task, it->device)) &&
				 !is_claimed(&wish->task, it)));

		if (surplus && array_push(p->a, &wish->task.surplus, *it) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* --- what was answered ------------------------------------------------------------------------ */

static int take_advice(struct planning *p, const struct vm_wish *wish,
		       const struct guest_part *part)
{
	array_foreach(it, &part->advice)
		if (plan_note(p, it->severity, it->code, "guest %s, %s: %s", wish->spec->name,
			      part->device, it->text) < 0)
			return -ENOMEM;
	return 0;
}

static int take_answer(struct planning *p, const struct vm_wish *wish, size_t i)
{
	const struct guest_part *part = &wish->task.parts.at[i];
	size_t at = wish->items.at[i];

	if (take_advice(p, wish, part) < 0)
		return -ENOMEM;
	if (part->code != _CODE_INVALID)
		return item_block(p, at, part->code, "guest %s, %s: %s", wish->spec->name,
				  part->device, part->why);
	if (part->why && item_reason(p, at, "%s", part->why) < 0)
		return -ENOMEM;
	layer_add(&ITEM(p, at)->files, part->why ? LAYER_WRONG : LAYER_RIGHT);
	layer_add(&ITEM(p, at)->live, part->live);
	return 0;
}

static int take_machine(struct planning *p, const struct vm_wish *wish)
{
	if (wish->task.machine_code != _CODE_INVALID)
		return block_guest(p, wish->spec, wish->task.machine_code,
				   arena_printf(p->a, "guest %s: %s", wish->spec->name,
						wish->task.machine_why));
	for (size_t i = 0; i < p->plan->items.n; i++) {
		struct plan_item *item = ITEM(p, i);

		if (!item_of_guest(item, wish->spec->name) || item->surplus)
			continue;
		layer_add(&item->files, wish->task.machine_why ? LAYER_WRONG : LAYER_RIGHT);
		if (wish->task.machine_why && item_reason(p, i, "%s", wish->task.machine_why) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int match(struct planning *p, struct vm_wish *wish)
{
	int err = find_surplus(p, wish, false);

	if (err == 0)
		err = wish->row->match(p->a, &wish->task);
	for (size_t i = 0; err == 0 && i < wish->task.parts.n; i++)
		err = take_answer(p, wish, i);
	if (err == 0 && wish->spec)
		err = take_machine(p, wish);
	if (err == 0)
		err = keep_possible(p, wish);
	return err < 0 ? err : find_surplus(p, wish, true);
}

/* --- steps ------------------------------------------------------------------------------------ */

static const char *why_of(struct planning *p, const struct vm_wish *wish)
{
	for (size_t i = 0; wish->spec && i < p->plan->items.n; i++) {
		const struct plan_item *item = ITEM(p, i);

		if (item_of_guest(item, wish->spec->name) && item->state != STATE_BLOCKED &&
		    item->files == LAYER_WRONG)
			return item_why(p, i, item->reason);
	}
	array_foreach(it, &wish->task.surplus)
		return arena_printf(p->a, "vm:%s%s%s: no longer wished", it->guest,
				    *it->device ? "/" : "", it->device);
	return NULL;
}

static bool is_planned(const struct plan *plan, const struct step *step)
{
	array_foreach(it, &plan->steps) {
		bool same = it->kind == STEP_SET_GUEST && it->argv.n == step->argv.n;

		for (size_t i = 0; same && i < step->argv.n; i++)
			same = strcmp(it->argv.at[i], step->argv.at[i]) == 0;
		if (same && strcmp(it->input ? it->input : "", step->input ? step->input : "") == 0)
			return true;
	}
	return false;
}

static int add_steps(struct planning *p, const struct guest_steps *steps, const char *why)
{
	array_foreach(it, &steps->list) {
		struct step step = *it;

		step.kind = STEP_SET_GUEST;
		step.why = why;
		/* A mapping that several guests share is made once. */
		if (!why ||
		    (!is_planned(p->plan, &step) && array_push(p->a, &p->plan->steps, step) < 0))
			return -ENOMEM;
	}
	return 0;
}

/* Why the guest cannot be changed now; NULL: it can. */
static const char *obstacle(struct planning *p, const struct vm_wish *wish, enum code *ret)
{
	const struct host_guest *guest = wish->task.guest;

	if (p->host->guests.quorate == NO && guest->hypervisor == HYPERVISOR_PROXMOX) {
		*ret = CODE_NO_QUORUM;
		return arena_printf(p->a,
				    "guest %s: the cluster has no quorum, and takes no "
				    "changes until it has",
				    guest->name);
	}
	if (words_has(&p->ledger->contested, guest->name)) {
		*ret = CODE_FOREIGN_CONFLICT;
		return arena_printf(p->a,
				    "guest %s is changed by something else again and again, "
				    "and is left alone for now; find out what does so, then "
				    "reload passthroughd",
				    guest->name);
	}
	if (!guest->lock)
		return NULL;
	*ret = CODE_GUEST_LOCKED;
	return arena_printf(p->a, "guest %s is locked (%s): it is changed once that is over",
			    guest->name, guest->lock);
}

/* Items that would have been served, and what would have been taken back. */
static int block_work(struct planning *p, struct vm_wish *wish, enum code code, const char *why)
{
	for (size_t i = 0; wish->spec && i < p->plan->items.n; i++)
		if (item_of_guest(ITEM(p, i), wish->spec->name) &&
		    ITEM(p, i)->files == LAYER_WRONG && item_block(p, i, code, "%s", why) < 0)
			return -ENOMEM;
	array_foreach(it, &wish->task.surplus) {
		ssize_t item = item_add(p, ITEM_VM, "%s%s%s", it->guest, *it->device ? "/" : "",
					it->device);

		if (item < 0)
			return -ENOMEM;
		ITEM(p, item)->surplus = true;
		if (item_block(p, (size_t)item, code, "%s", why) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int tell_left(struct planning *p, const struct vm_wish *wish)
{
	array_foreach(it, &wish->task.left)
		if (plan_note(p, SEVERITY_WARNING, CODE_FOREIGN_CONFLICT, "guest %s: %s",
			      wish->task.guest->name, *it) < 0)
			return -ENOMEM;
	return 0;
}

/* ret_kept: nothing is done now, and what is ours there stays so. */
static int make_steps(struct planning *p, struct vm_wish *wish, bool *ret_kept)
{
	struct guest_steps steps = {0};
	enum code code = _CODE_INVALID;
	const char *why;

	*ret_kept = false;
	if (wish->row->steps(p->a, &wish->task, &steps) < 0 || tell_left(p, wish) < 0)
		return -ENOMEM;
	if (!steps.list.n)
		return 0;
	why = obstacle(p, wish, &code);
	if (code == _CODE_INVALID)
		return guests_diff(p, wish, &steps) < 0 ? -ENOMEM
							: add_steps(p, &steps, why_of(p, wish));
	*ret_kept = true;
	return why ? block_work(p, wish, code, why) : -ENOMEM;
}

/* --- what is ours afterwards ------------------------------------------------------------------ */

static int claim(struct planning *p, const struct ledger_guest *entry)
{
	if (holds(p->plan->guests.at, p->plan->guests.n, entry))
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
		if (is_entry_of(wish, it) &&
		    (all || (*it->device && wishes_device(wish->spec, it->device) &&
			     !has_part(&wish->task, it->device))) &&
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
		err = match(p, wish);
	if (err == 0 && !kept)
		err = make_steps(p, wish, &kept);
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
		    add_steps(p, &steps,
			      arena_printf(p->a, "device:%s: no mapping of it is wished any more",
					   it->device)) < 0)
			return -ENOMEM;
	}
	return 0;
}

static bool loses(const struct planning *p, const struct vm_wish *wish)
{
	array_foreach(it, &p->ledger->guests)
		if (wish->task.guest && is_entry_of(wish, it) && is_surplus(wish, it))
			return true;
	return false;
}

int plan_guests(struct planning *p)
{
	array_foreach(it, &p->vms)
		if (guests_judge(p, it) < 0 || keep_possible(p, it) < 0)
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
