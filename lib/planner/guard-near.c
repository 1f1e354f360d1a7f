/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When the one that was meant is not there: what comes near, and what was there before. */
#include <string.h>

#include "guard-part.h"

/*
 * Why a function comes near, "" when it does not: only one selector is missed, or the vendor is
 * the wished one. NULL: out of memory.
 */
static const char *nearness(const struct guard *g, const struct spec_device *wish,
			    const struct host_device *device)
{
	unsigned given = guard_given(&wish->selector), missed = guard_missed(g, wish, device);

	if (given != missed && (missed & (missed - 1)) == 0) {
		const char *fits = guard_selector_names(g->arena, given & ~missed);
		const char *not = guard_selector_names(g->arena, missed);

		return fits && not ? arena_printf(g->arena, ": %s fits, %s does not", fits, not )
				   : NULL;
	}
	if (missed == SELECT_ADDRESS && pci_addr_same_slot(wish->selector.address, device->addr))
		return ": another function of that slot";
	if (missed == SELECT_ID && wish->selector.id.vendor == device->id.vendor)
		return wish->selector.id.device == device->id.device
			       ? ": the same model of another board maker"
			       : ": the same vendor";
	return "";
}

static int list_near(const struct guard *g, const struct spec_device *wish,
		     struct plan_device *device)
{
	size_t n = 0;

	array_foreach(it, &g->host->devices) {
		const char *why = it->bridge ? "" : nearness(g, wish, it), *text;
		int r;

		if (why && !*why)
			continue;
		text = why ? guard_describe(g->arena, it) : NULL;
		if (!text)
			return -ENOMEM;
		r = guard_evidence(g->arena, device, CODE_NO_SUCH_DEVICE, "%s%s", text, why);
		if (r < 0 || ++n > GUARD_EVIDENCE_MAX)
			return r;
	}
	return 0;
}

/* A function that the ledger knows under that name: gone, or another one in its place. */
static int list_before(const struct guard *g, const struct spec_device *wish,
		       struct plan_device *device)
{
	if (!g->ledger)
		return 0;
	array_foreach(was, &g->ledger->devices) {
		const struct host_device *now = host_device(g->host, was->addr);
		const char *then;
		int r;

		if (strcmp(was->name, wish->name) != 0 || (now && !guard_differs(was, now)))
			continue;
		then = guard_then(g->arena, was);
		if (!then)
			return -ENOMEM;
		r = guard_evidence(g->arena, device, CODE_NO_SUCH_DEVICE,
				   "until now it was %s, where %s is now", then,
				   now ? "another device" : "nothing");
		if (r < 0)
			return r;
	}
	return 0;
}

int guard_near(const struct guard *g, const struct spec_device *wish, struct plan_device *device)
{
	unsigned given = guard_given(&wish->selector);
	const char *names = guard_selector_names(g->arena, given);
	int r;

	if (!names)
		return -ENOMEM;
	if (!given)
		return guard_refuse(g->arena, device, CODE_NO_SUCH_DEVICE,
				    "no selector is given, and none selects nothing: add id or "
				    "address");
	r = guard_refuse(g->arena, device, CODE_NO_SUCH_DEVICE, "no device fits %s", names);
	if (r >= 0)
		r = list_before(g, wish, device);
	return r < 0 ? r : list_near(g, wish, device);
}
