/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a guest is wished and possible, and what its hypervisor's row answers to that. */
#include <string.h>

#include "guests.h"

/* --- which parts ------------------------------------------------------------------------------ */

/* Leaves out the parts that are blocked. */
int guest_keep_possible(struct planning *p, struct vm_wish *wish)
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

bool guest_wishes(const struct spec_vm *vm, const char *device)
{
	for (size_t i = 0; vm && i < vm->devices.n; i++)
		if (strcmp(vm->devices.at[i].device, device) == 0)
			return true;
	return false;
}

bool guest_has_part(const struct guest_task *task, const char *device)
{
	array_foreach(it, &task->parts)
		if (strcmp(it->device, device) == 0)
			return true;
	return false;
}

bool guest_holds(const struct ledger_guest *list, size_t n, const struct ledger_guest *entry)
{
	for (size_t i = 0; i < n; i++)
		if (ledger_guest_same(&list[i], entry))
			return true;
	return false;
}

static bool is_claimed(const struct guest_task *task, const struct ledger_guest *entry)
{
	array_foreach(it, &task->parts)
		if (guest_holds(it->ours.at, it->ours.n, entry))
			return true;
	return guest_holds(task->machine_ours.at, task->machine_ours.n, entry);
}

bool guest_owns(const struct vm_wish *wish, const struct ledger_guest *entry)
{
	return entry->hypervisor == wish->task.guest->hypervisor &&
	       strcmp(entry->guest, wish->task.guest->name) == 0;
}

/* Nobody wishes it: its device is not listed for the guest, nor is a machine. */
bool guest_is_surplus(const struct vm_wish *wish, const struct ledger_guest *entry)
{
	if (!*entry->device)
		return !wish->task.machine;
	return !guest_wishes(wish->spec, entry->device);
}

/* Before match(): what it may count as free. Afterwards: what it makes no use of any more. */
static int find_surplus(struct planning *p, struct vm_wish *wish, bool matched)
{
	wish->task.surplus.n = 0;
	array_foreach(it, &p->ledger->guests) {
		bool surplus =
			guest_owns(wish, it) &&
			(guest_is_surplus(wish, it) ||
			 (matched && (!*it->device || guest_has_part(&wish->task, it->device)) &&
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
	for (size_t i = 0; wish->task.machine && i < p->plan->items.n; i++) {
		struct plan_item *item = ITEM(p, i);

		if (!item_of_guest(item, wish->spec->name) || item->surplus)
			continue;
		layer_add(&item->files, wish->task.machine_why ? LAYER_WRONG : LAYER_RIGHT);
		if (wish->task.machine_why && item_reason(p, i, "%s", wish->task.machine_why) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* A rollback puts the snapshot's lines in the place of ours (9.8). */
static int tell_snapshots(struct planning *p, const struct vm_wish *wish)
{
	if (wish->spec && wish->spec->devices.n)
		array_foreach(it, &wish->task.guest->snapshots)
			if (plan_note(
				    p, SEVERITY_NOTE, CODE_SNAPSHOT_DIFFERS,
				    "guest %s: its snapshot %s has other devices of the host than "
				    "the guest now; who goes back to it gets those until the next "
				    "look",
				    wish->spec->name, *it) < 0)
				return -ENOMEM;
	return 0;
}

int guest_match(struct planning *p, struct vm_wish *wish)
{
	int err = find_surplus(p, wish, false);

	if (err == 0)
		err = wish->row->match(p->a, &wish->task);
	for (size_t i = 0; err == 0 && i < wish->task.parts.n; i++)
		err = take_answer(p, wish, i);
	if (err == 0 && wish->spec)
		err = take_machine(p, wish);
	if (err == 0)
		err = tell_snapshots(p, wish);
	if (err == 0)
		err = guest_keep_possible(p, wish);
	return err < 0 ? err : find_surplus(p, wish, true);
}
