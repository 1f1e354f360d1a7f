/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps that a guest takes, and what may be in the way of them. */
#include <string.h>

#include "guests.h"

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

int guest_add_steps(struct planning *p, const struct guest_steps *steps, const char *why)
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

	if (!p->host->guests.tool[guest->hypervisor]) {
		*ret = CODE_NO_HYPERVISOR;
		return arena_printf(p->a,
				    "guest %s: the command that would change it is not "
				    "installed",
				    guest->name);
	}
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
		if (plan_note(p, SEVERITY_WARNING, CODE_GUEST_LEFT, "guest %s: %s",
			      wish->task.guest->name, *it) < 0)
			return -ENOMEM;
	return 0;
}

/* Mappings are the cluster's, and all of them have one digest. */
static bool changes_more(const struct planning *p)
{
	array_foreach(it, &p->plan->steps)
		if (it->kind == STEP_SET_GUEST &&
		    !guest_named(&p->host->guests, HYPERVISOR_PROXMOX, it->target) &&
		    !guest_named(&p->host->guests, HYPERVISOR_LIBVIRT, it->target))
			return true;
	return false;
}

int guest_steps(struct planning *p, struct vm_wish *wish, bool *ret_kept)
{
	struct guest_steps steps = {0};
	enum code code = _CODE_INVALID;
	const char *why;

	*ret_kept = false;
	wish->task.others_before = changes_more(p);
	if (wish->row->steps(p->a, &wish->task, &steps) < 0 || tell_left(p, wish) < 0)
		return -ENOMEM;
	if (!steps.list.n)
		return 0;
	why = obstacle(p, wish, &code);
	if (code == _CODE_INVALID)
		return guests_diff(p, wish, &steps) < 0
			       ? -ENOMEM
			       : guest_add_steps(p, &steps, why_of(p, wish));
	*ret_kept = true;
	return why ? block_work(p, wish, code, why) : -ENOMEM;
}
