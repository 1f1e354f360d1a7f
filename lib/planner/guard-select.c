/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From selectors to functions: what fits, how many, and what of its card goes along. */
#include <stdlib.h>
#include <string.h>

#include "glob.h"
#include "guard-part.h"
#include "mask.h"

#define ALL_FUNCTIONS 0xff

/*
 * What counts for a function whose host driver is gone, and with it MAC address, disk serial and
 * the driver's name: the ledger's word, as long as it is about this very one.
 */
static const struct ledger_device *stands_in(const struct guard *g, const struct spec_device *wish,
					     const struct host_device *device)
{
	const struct selector *s = &wish->selector;

	if ((!s->serial && !s->mac && !s->bound_to) ||
	    (device->driver && !host_device_on(device, wish->driver)))
		return NULL;
	return guard_known(g, wish->name, device);
}

/* A capture shows masked serials and MAC addresses, a spec may have either (note 7). */
static bool word_fits(const struct words *seen, const struct ledger_device *was, const char *kind,
		      const char *wished)
{
	array_foreach(it, seen)
		if (identity_equal(*it, wished))
			return true;
	return was && guard_fingerprint_has(was->serial, kind, wished);
}

/* Driver names: sysfs spells some with '-', lsmod with '_'. */
static bool driver_equal(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (*a != *b && !(strchr("-_", *a) && strchr("-_", *b)))
			return false;
	return *a == *b;
}

static bool driver_fits(const char *now, const struct ledger_device *was, const char *wished)
{
	if (!*wished)
		return false;
	return (now && driver_equal(now, wished)) ||
	       (was && was->previous && driver_equal(was->previous, wished));
}

unsigned guard_missed(const struct guard *g, const struct spec_device *wish,
		      const struct host_device *device)
{
	const struct selector *s = &wish->selector;
	const struct ledger_device *was = stands_in(g, wish, device);
	unsigned missed = 0;

	if (s->has_id && !pci_id_match(&s->id, &device->id))
		missed |= SELECT_ID;
	if (s->has_address && pci_addr_compare(s->address, device->addr) != 0)
		missed |= SELECT_ADDRESS;
	if (s->has_class && (!s->class_mask || (device->class & s->class_mask) != s->class))
		missed |= SELECT_CLASS;
	if (s->has_slot && !pci_addr_same_slot(s->slot, device->addr))
		missed |= SELECT_SLOT;
	if (s->serial && !word_fits(&device->serials, was, GUARD_SERIAL, s->serial))
		missed |= SELECT_SERIAL;
	if (s->mac && !word_fits(&device->macs, was, GUARD_MAC, s->mac))
		missed |= SELECT_MAC;
	if (s->label && (!device->label || !glob_match(s->label, device->label)))
		missed |= SELECT_LABEL;
	if (s->bound_to && !driver_fits(device->driver, was, s->bound_to))
		missed |= SELECT_BOUND_TO;
	return missed;
}

struct matches {
	ARRAY_OF(const struct host_device *) list; /* in address order */
	ARRAY_OF(const struct host_device *) bridges;
	size_t count; /* as `count` counts them */
};

/* First function that is not before addr: devices are sorted by address. */
static const struct host_device *first_from(const struct host *host, struct pci_addr addr)
{
	size_t lo = 0, hi = host->devices.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (pci_addr_compare(host->devices.at[mid].addr, addr) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return host->devices.at + lo;
}

/* The functions that can fit: all, or those of the slot that the wish names. */
static void candidates(const struct host *host, const struct selector *s,
		       const struct host_device **ret_at, const struct host_device **ret_end)
{
	const struct host_device *end = host->devices.at + host->devices.n;
	struct pci_addr slot = s->has_address ? s->address : s->slot;

	*ret_at = host->devices.at;
	*ret_end = end;
	if (!s->has_address && !s->has_slot)
		return;
	slot.fn = 0;
	*ret_at = *ret_end = first_from(host, slot);
	while (*ret_end < end && pci_addr_same_slot((*ret_end)->addr, slot))
		++*ret_end;
}

static int find(const struct guard *g, const struct spec_device *wish, struct matches *ret)
{
	const struct host_device *it, *end;

	if (!guard_given(&wish->selector) || !g->host->devices.n)
		return 0;
	candidates(g->host, &wish->selector, &it, &end);
	for (; it < end; it++) {
		const struct host_device *last = ret->list.n ? ret->list.at[ret->list.n - 1] : NULL;
		int r;

		if (guard_missed(g, wish, it))
			continue;
		if (it->bridge) {
			r = array_push(g->arena, &ret->bridges, it);
		} else {
			ret->count += wish->functions != ALL_FUNCTIONS || !last || it->is_vf ||
				      !pci_addr_same_slot(last->addr, it->addr);
			r = array_push(g->arena, &ret->list, it);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* Evidence: the functions themselves, as many as one can read. */
static int list(const struct guard *g, struct plan_device *device, enum code code,
		const struct host_device *const *at, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && i <= GUARD_EVIDENCE_MAX && r >= 0; i++) {
		const char *text = guard_describe(g->arena, at[i]);
		const char *serial = at[i]->serials.n ? at[i]->serials.at[0] : NULL;

		if (!text)
			return -ENOMEM;
		r = guard_evidence(g->arena, device, code, "%s%s%s", text,
				   serial ? ", serial " : "", serial ? serial : "");
	}
	return r;
}

static int refuse_bridge(const struct guard *g, const struct matches *found,
			 struct plan_device *device)
{
	int r = guard_refuse(g->arena, device, CODE_BRIDGE_DEVICE,
			     "a bridge cannot be handed over: name the device behind it");

	return r < 0 ? r : list(g, device, CODE_BRIDGE_DEVICE, found->bridges.at, found->bridges.n);
}

static int refuse_count(const struct guard *g, const struct spec_device *wish,
			const struct matches *found, struct plan_device *device)
{
	enum code code = CODE_AMBIGUOUS_DEVICE;
	int r;

	if (found->count > wish->count) {
		r = guard_refuse(g->arena, device, code,
				 "%zu devices fit and %u %s wanted: add address, slot, serial or "
				 "mac to say which, or count",
				 found->count, wish->count, wish->count == 1 ? "is" : "are");
	} else {
		code = CODE_NO_SUCH_DEVICE;
		r = guard_refuse(g->arena, device, code, "only %zu of %u devices that fit %s there",
				 found->count, wish->count, found->count == 1 ? "is" : "are");
	}
	return r < 0 ? r : list(g, device, code, found->list.at, found->list.n);
}

static int by_addr(const void *a, const void *b)
{
	return pci_addr_compare(*(const struct pci_addr *)a, *(const struct pci_addr *)b);
}

/* The other functions of the slot that go along; they stand beside it in the sorted list. */
static int take_card(const struct guard *g, const struct spec_device *wish,
		     const struct host_device *fit, struct plan_device *device)
{
	const struct host_device *first = fit, *end = g->host->devices.at + g->host->devices.n;
	int r = array_push(g->arena, &device->addrs, fit->addr);

	if (fit->is_vf)
		return r;
	while (first > g->host->devices.at && pci_addr_same_slot(first[-1].addr, fit->addr))
		first--;
	for (const struct host_device *it = first;
	     r >= 0 && it < end && pci_addr_same_slot(it->addr, fit->addr); it++)
		if (it != fit && !it->is_vf && !it->bridge && wish->functions >> it->addr.fn & 1)
			r = array_push(g->arena, &device->addrs, it->addr);
	return r;
}

static int take(const struct guard *g, const struct spec_device *wish, const struct matches *found,
		struct plan_device *device)
{
	size_t kept = 0;
	int r = 0;

	array_foreach(it, &found->list) {
		r = take_card(g, wish, *it, device);
		if (r < 0)
			return r;
	}
	qsort(device->addrs.at, device->addrs.n, sizeof(struct pci_addr), by_addr);
	array_foreach(it, &device->addrs)
		if (!kept || by_addr(&device->addrs.at[kept - 1], it) != 0)
			device->addrs.at[kept++] = *it;
	device->addrs.n = kept;
	return 0;
}

int guard_select(const struct guard *g, const struct spec_device *wish, struct plan_device *device)
{
	struct matches found = {0};
	int r = find(g, wish, &found);

	device->name = wish->name;
	device->method = _METHOD_INVALID;
	if (r < 0)
		return r;
	if (found.list.n == 0)
		return found.bridges.n ? refuse_bridge(g, &found, device)
				       : guard_near(g, wish, device);
	if (found.count != wish->count)
		return refuse_count(g, wish, &found, device);
	r = guard_identity(g, wish, found.list.at, found.list.n, device);
	if (r < 0)
		return r;
	return plan_device_refused(device) ? 0 : take(g, wish, &found, device);
}
