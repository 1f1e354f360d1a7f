/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The IOMMU group: what the host loses with its other members, and whether it has grown. */
#include <stdlib.h>
#include <string.h>

#include "guard-part.h"

/*
 * One member that device does not take. What another device of the plan takes is judged there, but
 * for the boot disk: no consent over there may cover this one.
 */
static void judge_member(struct guard_case *c, const struct plan *plan,
			 const struct host_device *own, const struct host_device *member)
{
	char here[PCI_ADDR_TEXT_SIZE], there[PCI_ADDR_TEXT_SIZE];
	bool elsewhere = guard_taker(plan, member->addr) != NULL;

	pci_addr_format(own->addr, here);
	pci_addr_format(member->addr, there);
	if (!elsewhere)
		guard_case_add(c, CODE_SHARED_GROUP, true, "%s shares group %d with %s (%s, %s%s)",
			       here, own->group, there, pci_class_word(member->class),
			       member->driver ? "driver " : "no driver",
			       member->driver ? member->driver : "");
	array_foreach(it, &member->uses) {
		enum code code = guard_use_code(member, it->kind);

		if (elsewhere && code != CODE_BOOT_DISK)
			continue;
		if (it->kind == USE_KEYBOARD)
			guard_case_keyboard(c, plan, member, it->what);
		else
			guard_case_add(c, code, true, "%s shares group %d with %s, which %s %s",
				       here, own->group, there, guard_use_verb(it->kind), it->what);
	}
}

/* --- what was there when the device was chosen ------------------------------------------------ */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int guard_group_ids(const struct guard *g, const struct host_device *own, struct words *ret)
{
	struct guard_group group = guard_group_of(g, own->group);
	struct words ids = {0};

	for (size_t i = 0; i < group.n; i++) {
		char text[PCI_ID_TEXT_SIZE];
		const char *id = arena_strdup(g->arena, pci_id_format(&group.at[i]->id, text));

		if (!id || (!group.at[i]->bridge && array_push(g->arena, &ids, id) < 0))
			return -ENOMEM;
	}
	if (ids.n)
		qsort(ids.at, ids.n, sizeof(*ids.at), by_text);
	*ret = ids;
	return 0;
}

int guard_ids_less(struct arena *a, const struct words *from, const struct words *less,
		   struct words *ret)
{
	struct words left = {0};
	size_t j = 0;

	for (size_t i = 0; i < from->n; i++) {
		while (j < less->n && strcmp(less->at[j], from->at[i]) < 0)
			j++;
		if (j < less->n && strcmp(less->at[j], from->at[i]) == 0)
			j++;
		else if (array_push(a, &left, from->at[i]) < 0)
			return -ENOMEM;
	}
	*ret = left;
	return 0;
}

/* What the ledger knows of the group that this consent was given to, NULL without. */
static const struct ledger_device *baseline(struct guard_case *c, struct guard_group group)
{
	const char *wish = guard_wish_text(c->g->arena, c->wish);
	const char *consent = guard_consent_text(c->g->arena, c->wish);

	if (!wish || !consent)
		c->error = -ENOMEM;
	for (size_t i = 0; c->error >= 0 && i < group.n; i++) {
		const struct ledger_device *known = guard_takes(c->device, group.at[i]->addr)
							    ? guard_known(c->g, c->wish->name,
									  group.at[i])
							    : NULL;

		if (known && known->group_known && strcmp(known->wish, wish) == 0 &&
		    strcmp(known->consent, consent) == 0)
			return known;
	}
	return NULL;
}

/* Takes one such word out of the list; whether there was one. */
static bool take_word(struct words *list, const char *word)
{
	array_foreach(it, list)
		if (strcmp(*it, word) == 0) {
			*it = list->at[--list->n];
			return true;
		}
	return false;
}

/* Ids of members that were not there, less those that go along for the first time. */
static int grown_by(struct guard_case *c, const struct plan *plan, const struct host_device *own,
		    struct guard_group group, struct words *ret)
{
	const struct ledger_device *was = baseline(c, group);
	char id[PCI_ID_TEXT_SIZE];

	if (!was)
		return c->error;
	if (guard_group_ids(c->g, own, ret) < 0 ||
	    guard_ids_less(c->g->arena, ret, &was->group, ret) < 0)
		return -ENOMEM;
	for (size_t i = 0; ret->n && i < group.n; i++)
		if (!group.at[i]->bridge && guard_taker(plan, group.at[i]->addr) &&
		    !ledger_device(c->g->ledger, group.at[i]->addr))
			take_word(ret, pci_id_format(&group.at[i]->id, id));
	return 0;
}

/*
 * Members that were not there when the device was chosen: a consent of that time is not about them.
 * Of several equal ones the last are named.
 */
static void judge_growth(struct guard_case *c, const struct plan *plan,
			 const struct host_device *own, struct guard_group group)
{
	char addr[PCI_ADDR_TEXT_SIZE], id[PCI_ID_TEXT_SIZE];
	struct words more = {0};

	if (c->g->ledger && c->error >= 0)
		c->error = grown_by(c, plan, own, group, &more);
	for (size_t i = group.n; more.n && i-- > 0;) {
		const struct host_device *member = group.at[i];
		const char *text;

		if (member->bridge || guard_taker(plan, member->addr) ||
		    !take_word(&more, pci_id_format(&member->id, id)))
			continue;
		text = guard_describe(c->g->arena, member);
		if (!text)
			c->error = -ENOMEM;
		guard_case_add(c, CODE_GROUP_GREW, true, "%s is new in group %d of %s", text,
			       own->group, pci_addr_format(own->addr, addr));
	}
}

/* --- what should keep its members apart ------------------------------------------------------ */

/* Whether a function of its slot stays: a card of several functions is a switch of its own. */
static bool slot_is_split(const struct plan *plan, struct guard_group group,
			  const struct host_device *own)
{
	for (size_t i = 0; i < group.n; i++)
		if (pci_addr_same_slot(group.at[i]->addr, own->addr) && !group.at[i]->bridge &&
		    !guard_taker(plan, group.at[i]->addr))
			return true;
	return false;
}

/* Why the group is that large. What was not looked at says nothing. */
static void judge_acs(struct guard_case *c, const struct plan *plan, struct guard_group group)
{
	for (size_t i = 0; i < group.n; i++) {
		const struct host_device *it = group.at[i];
		char addr[PCI_ADDR_TEXT_SIZE];

		if (it->acs == NO && (it->bridge || slot_is_split(plan, group, it)))
			guard_case_warn(c, CODE_NO_ACS,
					"its group is that large because nothing keeps the members "
					"apart: they reach each other past the IOMMU; a slot below "
					"another port may do better",
					"%s has no access control (ACS), or has it off",
					pci_addr_format(it->addr, addr));
	}
}

/* Kernels with that patch claim an isolation that the hardware does not give (7.21a). */
static const char *acs_override(const struct kcmdline *line)
{
	const char *found = NULL;

	array_foreach(it, &line->params)
		if (!it->for_init && it->value && strcmp(it->name, "pcie_acs_override") == 0)
			found = it->raw;
	return found;
}

/* --- the group ------------------------------------------------------------------------------- */

/* Bridges are no obstacle (7.16). */
void guard_case_group(struct guard_case *c, const struct plan *plan, const struct host_device *own)
{
	struct guard_group group = guard_group_of(c->g, own->group);
	const char *forced = acs_override(&c->g->running);

	if (!guard_speaks(c->device, group, own))
		return;
	for (size_t i = 0; i < group.n; i++)
		if (!group.at[i]->bridge && !guard_takes(c->device, group.at[i]->addr))
			judge_member(c, plan, own, group.at[i]);
	judge_growth(c, plan, own, group);
	if (guard_verdict(c->device, CODE_SHARED_GROUP))
		judge_acs(c, plan, group);
	if (forced)
		guard_case_warn(c, CODE_NO_ACS,
				"its group may be split by force: that claims what no hardware "
				"gives, and proves nothing",
				"%s on the running kernel's line", forced);
}
