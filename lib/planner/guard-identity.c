/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether what a wish fits is what was chosen by it (fact 7.19). The ledger's fingerprint is the
 * measure; where it cannot tell one device from another, nothing is taken.
 */
#include <string.h>

#include "guard-part.h"

struct judging {
	const struct guard *g;
	const struct spec_device *wish;
	const char *text; /* of the wish */
	const struct host_device *const *fits;
	size_t n;
	struct plan_device *device;
};

/*
 * Whether that function was chosen by the very wish; another wish is a new choice. A ledger that
 * does not tell by which is taken at its word, if the wish could have chosen it.
 */
static bool counts(const struct judging *j, const struct ledger_device *was)
{
	const struct selector *s = &j->wish->selector;

	if (strcmp(was->name, j->wish->name) != 0)
		return false;
	return *was->wish ? strcmp(was->wish, j->text) == 0
			  : !s->has_id || pci_id_match(&s->id, &was->id);
}

static const struct ledger_device *chosen_at(const struct judging *j, struct pci_addr addr)
{
	array_foreach(it, &j->g->ledger->devices)
		if (pci_addr_compare(it->addr, addr) == 0 && counts(j, it))
			return it;
	return NULL;
}

static bool fits(const struct judging *j, const struct host_device *device)
{
	for (size_t i = 0; i < j->n; i++)
		if (j->fits[i] == device)
			return true;
	return false;
}

/* Whether they could change places: a card keeps its functions' numbers wherever it is plugged. */
static bool alike(const struct host_device *a, const struct host_device *b)
{
	return pci_id_match(&a->id, &b->id) && (a->addr.fn == b->addr.fn || (a->is_vf && b->is_vf));
}

/* An equal function that this wish does not take: the two could be mixed up. */
static const struct host_device *twin(const struct judging *j, const struct host_device *now)
{
	array_foreach(it, &j->g->host->devices)
		if (it != now && alike(it, now) && !fits(j, it))
			return it;
	return NULL;
}

/* Whether it and its equals are all taken, as many as were chosen, and nobody else knows one. */
static bool alone(const struct judging *j, const struct host_device *now)
{
	size_t there = 0, chosen = 0;

	if (twin(j, now))
		return false;
	for (size_t i = 0; i < j->n; i++)
		there += alike(j->fits[i], now);
	array_foreach(it, &j->g->ledger->devices) {
		if (!pci_id_match(&it->id, &now->id) ||
		    (it->addr.fn != now->addr.fn && !now->is_vf))
			continue;
		if (!counts(j, it))
			return false;
		chosen++;
	}
	return there == chosen;
}

/* --- verdicts --------------------------------------------------------------------------------- */

static int verdict(struct judging *j, enum identity identity, const char *why)
{
	if (!why)
		return -ENOMEM;
	if (identity > j->device->identity) {
		j->device->identity = identity;
		j->device->identity_why = why;
	}
	return 0;
}

/* Both fingerprints, and what else there is to say. more may be NULL. */
static int evidence(struct judging *j, enum code code, const struct ledger_device *was,
		    const struct host_device *now, const char *more)
{
	struct arena *a = j->g->arena;
	const char *then = guard_then(a, was), *here = guard_now(j->g, now);
	int r = then && here ? guard_evidence(a, j->device, code, "then: %s", then) : -ENOMEM;

	if (r >= 0)
		r = guard_evidence(a, j->device, code, "now: %s", here);
	return r < 0 || !more ? r : guard_evidence(a, j->device, code, "%s", more);
}

static int same(struct judging *j, const char *by)
{
	return verdict(j, IDENTITY_SAME,
		       by ? arena_printf(j->g->arena, "by %s", by) : "by its place and ids");
}

static int moved(struct judging *j, const struct ledger_device *was, const struct host_device *now,
		 const char *by)
{
	static const struct verdict note = {
		.code = CODE_DEVICE_MOVED,
		.severity = SEVERITY_NOTE,
		.message = "it has another address than when it was chosen, and is the same device",
	};
	struct arena *a = j->g->arena;
	const char *why = by ? arena_printf(a, "by %s", by)
			     : "as the only one of its ids, then and now";
	int r = verdict(j, IDENTITY_MOVED, why);

	if (r >= 0)
		r = guard_finding(a, j->device, &note, NULL);
	if (r < 0)
		return r;
	why = arena_printf(a, "known %s", why);
	return why ? evidence(j, CODE_DEVICE_MOVED, was, now, why) : -ENOMEM;
}

static int replaced(struct judging *j, const struct ledger_device *was,
		    const struct host_device *now)
{
	int r = verdict(j, IDENTITY_REPLACED, "its fingerprint is another");

	if (r >= 0 && !guard_verdict(j->device, CODE_IDENTITY_MISMATCH))
		r = guard_refuse(j->g->arena, j->device, CODE_IDENTITY_MISMATCH,
				 "this is not the device that was chosen: if it is the one that is "
				 "meant, say so by another selector, best its serial or mac");
	return r < 0 ? r : evidence(j, CODE_IDENTITY_MISMATCH, was, now, NULL);
}

static int mixed_up(struct judging *j, const struct ledger_device *was,
		    const struct host_device *now)
{
	const struct host_device *other = twin(j, now);
	const char *text = other ? guard_describe(j->g->arena, other) : NULL;
	const char *more = text ? arena_printf(j->g->arena, "its equal: %s", text) : NULL;
	int r = other && !more ? -ENOMEM
			       : verdict(j, IDENTITY_TWIN, "nothing tells it from its equal");

	if (r >= 0 && !guard_verdict(j->device, CODE_AMBIGUOUS_DEVICE))
		r = guard_refuse(j->g->arena, j->device, CODE_AMBIGUOUS_DEVICE,
				 "which of several equal devices was chosen cannot be told any "
				 "more: say which by another selector: address, slot or label");
	return r < 0 ? r : evidence(j, CODE_AMBIGUOUS_DEVICE, was, now, more);
}

/* --- one function ----------------------------------------------------------------------------- */

/* Whether what was chosen at that place can still be there, by its card. */
static bool stays(const struct judging *j, const struct ledger_device *was)
{
	for (size_t i = 0; i < j->n; i++) {
		const struct host_device *fit = j->fits[i];
		const struct ledger_device *here = pci_addr_same_slot(fit->addr, was->addr)
							   ? chosen_at(j, fit->addr)
							   : NULL;

		if (here && !guard_differs(here, fit))
			return true;
	}
	return false;
}

/* The chosen function, at whatever place, whose numbers this one shows. 1, 0 or -ENOMEM. */
static int find_proven(const struct judging *j, const struct host_device *now,
		       const struct ledger_device **ret, const char **ret_by)
{
	const struct ledger_device *here = chosen_at(j, now->addr);
	int r = here ? guard_proof(j->g, j->wish, here, now, ret_by) : 0;

	*ret = here;
	if (r != 0)
		return r;
	array_foreach(it, &j->g->ledger->devices) {
		*ret = it;
		r = it != here && counts(j, it) ? guard_proof(j->g, j->wish, it, now, ret_by) : 0;
		if (r != 0)
			return r;
	}
	return 0;
}

/* What was chosen and is no longer where it was; the most alike first. */
static const struct ledger_device *missing(const struct judging *j, const struct host_device *now)
{
	const struct ledger_device *found = NULL;
	int best = -1;

	array_foreach(it, &j->g->ledger->devices) {
		int rank = 2 * !guard_differs(it, now) + (it->addr.fn == now->addr.fn);

		if (rank > best && counts(j, it) && !stays(j, it)) {
			best = rank;
			found = it;
		}
	}
	return found;
}

static int judge(struct judging *j, const struct host_device *now)
{
	const struct ledger_device *here = chosen_at(j, now->addr), *was = NULL;
	const char *by = NULL, *path;
	int r = find_proven(j, now, &was, &by);

	if (r < 0)
		return r;
	if (r > 0)
		return was == here ? same(j, by) : moved(j, was, now, by);
	if (here && guard_differs(here, now))
		return replaced(j, here, now);
	if (here) {
		path = host_device_path(j->g->host, now, j->g->arena);
		if (!path)
			return -ENOMEM;
		return *here->path && strcmp(here->path, path) != 0 && twin(j, now)
			       ? mixed_up(j, here, now)
			       : same(j, NULL);
	}
	was = missing(j, now);
	if (!was)
		return 0;
	if (guard_differs(was, now))
		return replaced(j, was, now);
	return alone(j, now) ? moved(j, was, now, NULL) : mixed_up(j, was, now);
}

int guard_identity(const struct guard *g, const struct spec_device *wish,
		   const struct host_device *const *at, size_t n, struct plan_device *device)
{
	struct judging j = {.g = g, .wish = wish, .fits = at, .n = n, .device = device};
	int r = 0;

	if (!g->ledger)
		return 0;
	j.text = guard_wish_text(g->arena, wish);
	if (!j.text)
		return -ENOMEM;
	for (size_t i = 0; i < n && r >= 0; i++)
		r = judge(&j, at[i]);
	return r;
}
