/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard.h"

#include <stdlib.h>

#include "guard-part.h"

static int by_group(const void *pa, const void *pb)
{
	const struct host_device *a = *(const struct host_device *const *)pa;
	const struct host_device *b = *(const struct host_device *const *)pb;

	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	return pci_addr_compare(a->addr, b->addr);
}

static struct guard_group *index_groups(struct arena *a, const struct host *host)
{
	struct guard_group *groups = arena_new_of(a, struct guard_group);

	if (!groups)
		return NULL;
	groups->at = arena_alloc(a, (host->devices.n + 1) * sizeof(struct host_device *));
	if (!groups->at)
		return NULL;
	array_foreach(it, &host->devices)
		if (it->group >= 0)
			groups->at[groups->n++] = it;
	qsort(groups->at, groups->n, sizeof(struct host_device *), by_group);
	return groups;
}

/* A capture or an old kernel may show no reset methods of any device (7.36). */
static bool shows_resets(const struct host *host)
{
	array_foreach(it, &host->devices)
		if (it->has_reset || it->reset_methods)
			return true;
	return host->live_root;
}

int guard_init(struct guard *ret, struct arena *a, const struct spec *spec, const struct host *host,
	       const struct ledger *ledger)
{
	struct guard g = {.arena = a, .spec = spec, .host = host, .ledger = ledger};
	int r;

	g.resets_known = shows_resets(host);
	g.groups = index_groups(a, host);
	if (!g.groups)
		return -ENOMEM;
	r = kcmdline_parse(a, host->cmdline, &g.running);
	if (r >= 0)
		r = guard_support(&g, &g.support);
	if (r < 0)
		return r;
	*ret = g;
	return 0;
}

struct guard_group guard_group_of(const struct guard *g, int group)
{
	size_t lo = 0, hi = g->groups->n, end;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (g->groups->at[mid]->group < group)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (end = lo; end < g->groups->n && g->groups->at[end]->group == group; end++)
		;
	return (struct guard_group){.at = g->groups->at + lo, .n = group < 0 ? 0 : end - lo};
}

bool guard_takes(const struct plan_device *device, struct pci_addr addr)
{
	size_t lo = 0, hi = device->addrs.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int order = pci_addr_compare(device->addrs.at[mid], addr);

		if (order == 0)
			return true;
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

const struct plan_device *guard_taker(const struct plan *plan, struct pci_addr addr)
{
	array_foreach(it, &plan->devices)
		if (guard_takes(it, addr))
			return it;
	return NULL;
}

bool guard_speaks(const struct plan_device *device, struct guard_group group,
		  const struct host_device *own)
{
	for (size_t i = 0; i < group.n; i++)
		if (guard_takes(device, group.at[i]->addr))
			return group.at[i] == own;
	return false;
}

/* --- all devices of a plan ---------------------------------------------------------------------
 */

struct claim {
	struct pci_addr addr;
	size_t device;
};

static int by_addr(const void *pa, const void *pb)
{
	const struct claim *a = pa, *b = pb;
	int order = pci_addr_compare(a->addr, b->addr);

	return order ? order : (a->device > b->device) - (a->device < b->device);
}

static int claimed_twice(struct arena *a, struct plan_device *device,
			 const struct plan_device *other, struct pci_addr addr)
{
	char text[PCI_ADDR_TEXT_SIZE];
	int r = 0;

	if (!guard_verdict(device, CODE_AMBIGUOUS_DEVICE))
		r = guard_refuse(a, device, CODE_AMBIGUOUS_DEVICE,
				 "two names for one function: merge them, or let `functions:` say "
				 "which goes with which");
	if (r < 0)
		return r;
	return guard_evidence(a, device, CODE_AMBIGUOUS_DEVICE, "%s is selected by %s too",
			      pci_addr_format(addr, text), other->name);
}

/* Two names for one function: refused under both (note 11). Only neighbours in order can clash. */
static int overlaps(const struct guard *g, struct plan *plan)
{
	size_t total = 0, n = 0;
	struct claim *claims;
	int r = 0;

	array_foreach(it, &plan->devices)
		total += it->addrs.n;
	claims = arena_alloc(g->arena, (total + 1) * sizeof(*claims));
	if (!claims)
		return -ENOMEM;
	array_foreach(it, &plan->devices)
		array_foreach(addr, &it->addrs)
			claims[n++] = (struct claim){*addr, (size_t)(it - plan->devices.at)};
	qsort(claims, n, sizeof(*claims), by_addr);
	for (size_t i = 1; i < n && r >= 0; i++) {
		struct plan_device *one = &plan->devices.at[claims[i - 1].device];
		struct plan_device *two = &plan->devices.at[claims[i].device];

		if (pci_addr_compare(claims[i - 1].addr, claims[i].addr) != 0)
			continue;
		r = claimed_twice(g->arena, one, two, claims[i].addr);
		if (r >= 0)
			r = claimed_twice(g->arena, two, one, claims[i].addr);
	}
	return r;
}

/* The refused device of the plan that was to take addr along, NULL when there is none. */
static const struct plan_device *refused_owner(const struct plan *plan, struct pci_addr addr)
{
	array_foreach(it, &plan->devices)
		if (guard_takes(it, addr) && plan_device_refused(it))
			return it;
	return NULL;
}

/* Members of device's groups that were to go along under another name, and stay. */
static int left_behind(const struct guard *g, const struct spec_device *wish,
		       const struct plan *plan, struct plan_device *device)
{
	struct guard_case c = {.g = g, .wish = wish, .device = device};

	array_foreach(addr, &device->addrs) {
		const struct host_device *own = host_device(g->host, *addr);
		struct guard_group group = guard_group_of(g, own ? own->group : -1);
		char here[PCI_ADDR_TEXT_SIZE], there[PCI_ADDR_TEXT_SIZE];

		if (!own || !guard_speaks(device, group, own))
			continue;
		for (size_t i = 0; i < group.n; i++) {
			const struct plan_device *owner =
				guard_takes(device, group.at[i]->addr)
					? NULL
					: refused_owner(plan, group.at[i]->addr);

			if (owner)
				guard_case_add(&c, CODE_SHARED_GROUP, true,
					       "%s shares group %d with %s, and %s, which was to "
					       "take that along, is refused",
					       pci_addr_format(*addr, here), own->group,
					       pci_addr_format(group.at[i]->addr, there),
					       owner->name);
		}
	}
	return c.error;
}

/* One refusal may leave a member in another device's group, and so on: until nothing changes. */
static int settle(const struct guard *g, struct plan *plan)
{
	bool changed = true;

	while (changed) {
		changed = false;
		array_foreach(it, &plan->devices) {
			size_t i = (size_t)(it - plan->devices.at);
			int r;

			if (plan_device_refused(it))
				continue;
			r = left_behind(g, &g->spec->devices.at[i], plan, it);
			if (r < 0)
				return r;
			changed = changed || plan_device_refused(it);
		}
	}
	return 0;
}

int guard_devices(const struct guard *g, struct plan *plan)
{
	int r;

	if (!g->spec)
		return 0;
	array_foreach(wish, &g->spec->devices) {
		struct plan_device *device = array_add(g->arena, &plan->devices);

		if (!device)
			return -ENOMEM;
		r = guard_select(g, wish, device);
		if (r < 0)
			return r;
	}
	r = overlaps(g, plan);
	if (r < 0)
		return r;
	array_foreach(it, &plan->devices) {
		size_t i = (size_t)(it - plan->devices.at);

		r = guard_judge(g, &g->spec->devices.at[i], plan, it);
		if (r < 0)
			return r;
	}
	r = settle(g, plan);
	array_foreach(it, &plan->devices)
		if (plan_device_refused(it))
			it->state = STATE_BLOCKED;
	return r;
}

/* Bits of the functions of its slot that cannot be told apart: those in its group. */
static uint8_t inseparable(const struct host *host, const struct host_device *device)
{
	const struct host_device *end = host->devices.at + host->devices.n, *it = device;
	uint8_t bits = 0;

	while (it > host->devices.at && pci_addr_same_slot(it[-1].addr, device->addr))
		it--;
	for (; it < end && pci_addr_same_slot(it->addr, device->addr); it++)
		if (it->group == device->group)
			bits |= (uint8_t)(1u << it->addr.fn);
	return bits;
}

int guard_survey(const struct guard *g, const struct host_device *device, struct plan_device *ret)
{
	struct spec_device wish = {
		.name = "",
		.selector = {.has_address = true, .address = device->addr},
		.functions = inseparable(g->host, device),
		.count = 1,
		.driver = SPEC_DEFAULT_DRIVER,
	};
	struct plan nothing = {0};
	struct plan_device found = {0};
	int r = guard_select(g, &wish, &found);

	if (r >= 0)
		r = guard_judge(g, &wish, &nothing, &found);
	if (r >= 0)
		*ret = found;
	return r;
}
