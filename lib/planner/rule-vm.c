/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests: which hypervisor's they are, and an item for each device that one is to have. */
#include <string.h>

#include "planning.h"

/* The one that is there; of several the one that knows the guest. */
static enum hypervisor choose(const struct planning *p, const struct spec_vm *vm)
{
	const struct host_guests *guests = &p->host->guests;
	enum hypervisor found = HYPERVISOR_PRESENT_ONE;

	if (vm->hypervisor != HYPERVISOR_PRESENT_ONE)
		return guests->present[vm->hypervisor] ? vm->hypervisor : HYPERVISOR_PRESENT_ONE;
	for (size_t i = 0; i < hypervisor_rows_n; i++) {
		enum hypervisor it = hypervisor_rows[i]->hypervisor;

		if (guests->present[it] &&
		    (found == HYPERVISOR_PRESENT_ONE || guest_named(guests, it, vm->name)))
			found = it;
	}
	return found;
}

/* --- parts ------------------------------------------------------------------------------------ */

/* A virtual function is never alone in its slot for long. */
static bool takes_whole_slot(const struct planning *p, const struct plan_device *device,
			     struct pci_addr first)
{
	array_foreach(it, &p->host->devices)
		if (pci_addr_same_slot(it->addr, first) &&
		    (it->is_vf || !guard_takes(device, it->addr)))
			return false;
	return true;
}

static struct guest_part *part_add(struct planning *p, struct vm_wish *wish, size_t item,
				   const struct spec_vm_device *spec)
{
	struct guest_part *part = array_add(p->a, &wish->task.parts);

	if (!part || array_push(p->a, &wish->items, item) < 0)
		return NULL;
	part->wish = spec;
	part->device = spec->device;
	part->code = _CODE_INVALID;
	return part;
}

/* One a slot: the addresses are sorted. */
static int add_parts(struct planning *p, struct vm_wish *wish, size_t item,
		     const struct spec_vm_device *spec, const struct plan_device *device)
{
	struct guest_part *part = NULL;

	array_foreach(it, &device->addrs) {
		if (!part || !pci_addr_same_slot(part->addrs.at[0], *it)) {
			part = part_add(p, wish, item, spec);
			if (!part)
				return -ENOMEM;
			part->whole_slot = takes_whole_slot(p, device, *it);
		}
		if (array_push(p->a, &part->addrs, *it) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int add_device(struct planning *p, struct vm_wish *wish, const struct spec_vm_device *spec)
{
	const struct plan_device *device = plan_device_named(p->plan, spec->device);
	ssize_t item = item_add(p, ITEM_VM, "%s/%s", wish->spec->name, spec->device);

	if (item < 0)
		return (int)item;
	return device ? add_parts(p, wish, (size_t)item, spec, device) : 0;
}

/* --- guests ----------------------------------------------------------------------------------- */

bool item_of_guest(const struct plan_item *item, const char *guest)
{
	const char *name = strchr(item->id, ':') + 1;
	size_t n = strlen(guest);

	return item->kind == ITEM_VM && strncmp(name, guest, n) == 0 &&
	       (!name[n] || name[n] == '/');
}

int block_guest(struct planning *p, const struct spec_vm *vm, enum code code, const char *why)
{
	for (size_t i = 0; why && i < p->plan->items.n; i++)
		if (item_of_guest(ITEM(p, i), vm->name) && item_block(p, i, code, "%s", why) < 0)
			return -ENOMEM;
	return why ? 0 : -ENOMEM;
}

static int no_hypervisor(struct planning *p, const struct spec_vm *vm)
{
	const struct hypervisor_row *row = hypervisor_row(vm->hypervisor);

	return block_guest(
		p, vm, CODE_NO_HYPERVISOR,
		row ? arena_printf(p->a, "guest %s: %s is not on this host", vm->name, row->title)
		    : arena_printf(p->a, "guest %s: neither Proxmox VE nor libvirt is on this host",
				   vm->name));
}

static int judge_guest(struct planning *p, const struct vm_wish *wish)
{
	const struct host_guest *guest = wish->task.guest;
	const struct spec_vm *vm = wish->spec;
	const char *title = wish->row->title;
	const char *unseen = p->host->guests.unseen[wish->row->hypervisor];

	if (!guest && unseen)
		return block_guest(p, vm, CODE_NO_HYPERVISOR,
				   arena_printf(p->a, "guest %s: guests of %s cannot be seen: %s",
						vm->name, title, unseen));
	if (!guest)
		return block_guest(p, vm, CODE_NO_SUCH_GUEST,
				   arena_printf(p->a, "%s knows no guest %s", title, vm->name));
	if (guest->node)
		return block_guest(p, vm, CODE_GUEST_ELSEWHERE,
				   arena_printf(p->a, "guest %s is on node %s; wish for it there",
						vm->name, guest->node));
	if (guest->bad)
		return block_guest(
			p, vm, CODE_BAD_FILE,
			arena_printf(p->a, "guest %s: %s %s", vm->name, guest->source, guest->bad));
	return 0;
}

static int add_vm(struct planning *p, const struct spec_vm *vm)
{
	enum hypervisor hypervisor = choose(p, vm);
	struct vm_wish wish = {.spec = vm, .row = hypervisor_row(hypervisor)};

	if (wish.row)
		wish.task = (struct guest_task){
			.host = p->host,
			.ledger = p->ledger,
			.guest = guest_named(&p->host->guests, hypervisor, vm->name),
			.machine = vm->machine,
			.machine_code = _CODE_INVALID,
		};
	array_foreach(it, &vm->devices)
		if (add_device(p, &wish, it) < 0)
			return -ENOMEM;
	if (vm->machine && !vm->devices.n && item_add(p, ITEM_VM, "%s", vm->name) < 0)
		return -ENOMEM;
	if (!wish.row)
		return no_hypervisor(p, vm);
	if (judge_guest(p, &wish) < 0)
		return -ENOMEM;
	return array_push(p->a, &p->vms, wish);
}

int rule_vms(struct planning *p)
{
	array_foreach(it, &p->spec->vms)
		if (add_vm(p, it) < 0)
			return -ENOMEM;
	return 0;
}
