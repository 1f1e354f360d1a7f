/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which hostpciN serves a part (9.1, 9.2): one that is there, in whatever spelling, one of ours
 * whose device has moved, or a new one; and what of others stands in the way.
 */
#include <errno.h>
#include <string.h>

#include "guest-proxmox.h"
#include "qm-config.h"

static const struct guest_config *next_of(const struct proxmox *p)
{
	return &p->task->guest->next;
}

/* With the domain, and whole slots without a function. */
const char *proxmox_functions(struct arena *a, const struct guest_part *part)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	char text[PCI_ADDR_TEXT_SIZE];
	const char *path;

	array_foreach(it, &part->addrs) {
		pci_addr_format(*it, text);
		if (part->whole_slot)
			*strrchr(text, '.') = '\0';
		if (!part->whole_slot || !out.len)
			strbuf_addf(&out, "%s%s", out.len ? ";" : "", text);
	}
	return strbuf_to_arena(&out, a, &path) < 0 ? NULL : path;
}

/* --- which one -------------------------------------------------------------------------------- */

static bool has_any(const struct guest_device *entry, const struct guest_part *part)
{
	array_foreach(it, &part->addrs)
		if (guest_device_has(entry, *it))
			return true;
	return false;
}

static bool has_all(const struct guest_device *entry, const struct guest_part *part)
{
	array_foreach(it, &part->addrs)
		if (!guest_device_has(entry, *it))
			return false;
	return true;
}

static bool is_in(const struct guest_function *function, const struct guest_part *part)
{
	if (part->whole_slot || function->whole_slot)
		return part->whole_slot && pci_addr_same_slot(function->addr, part->addrs.at[0]);
	array_foreach(it, &part->addrs)
		if (pci_addr_compare(*it, function->addr) == 0)
			return true;
	return false;
}

bool proxmox_serves(const struct proxmox *p, const struct guest_device *entry,
		    const struct guest_part *part)
{
	if (!has_all(entry, part))
		return false;
	array_foreach(function, &entry->functions) {
		bool wished = false;

		array_foreach(it, &p->task->parts)
			wished |= is_in(function, it);
		if (!wished)
			return false;
	}
	return true;
}

bool proxmox_is_shared(const struct proxmox *p, const struct guest_device *entry,
		       const struct guest_part *part)
{
	array_foreach(it, &p->task->parts)
		if (it != part && has_any(entry, it))
			return true;
	return false;
}

static bool is_alone(const struct guest_device *entry, const struct guest_part *part)
{
	array_foreach(it, &entry->functions)
		if (!pci_addr_same_slot(it->addr, part->addrs.at[0]))
			return false;
	return true;
}

static bool is_named(const struct guest_device *entry, const char *mapping)
{
	return mapping && entry->mapping && strcmp(entry->mapping, mapping) == 0;
}

/* The one that gives a function of the part, or is of the mapping that is wished. */
static const struct guest_device *entry_of(const struct proxmox *p, const struct guest_part *part,
					   const struct guest_device *behind)
{
	array_foreach(it, &next_of(p)->devices)
		if ((!behind || it > behind) &&
		    (is_named(it, part->wish->mapping) || has_any(it, part)))
			return it;
	return NULL;
}

/* One of ours for the device, that is of an address which it has no more. */
static const struct ledger_guest *known_of(const struct proxmox *p, const struct guest_part *part)
{
	array_foreach(it, &p->task->ledger->guests)
		if (it->hypervisor == HYPERVISOR_PROXMOX &&
		    strcmp(it->guest, p->task->guest->name) == 0 &&
		    strcmp(it->device, part->device) == 0 && qm_hostpci_index(it->key) >= 0 &&
		    !words_has(&p->keys, it->key))
			return it;
	return NULL;
}

bool proxmox_same_device(const struct qm_properties *a, const struct qm_properties *b)
{
	return qm_value_same(qm_property(a, "host"), qm_property(b, "host")) &&
	       qm_value_same(qm_property(a, "mapping"), qm_property(b, "mapping"));
}

static bool is_still(struct proxmox *p, const struct guest_device *there, const char *written)
{
	struct qm_properties now, then;
	int err = qm_properties_parse(p->a, "host", there->text, &now);

	if (err == 0)
		err = qm_properties_parse(p->a, "host", written, &then);
	proxmox_kept(p, err != -ENOMEM);
	return err == 0 && proxmox_same_device(&now, &then);
}

static bool is_surplus(struct proxmox *p, const char *key)
{
	array_foreach(it, &p->task->surplus) {
		const struct guest_device *there = guest_device_at(next_of(p), key);

		if (strcmp(it->key, key) == 0 && !*it->before && there)
			return is_still(p, there, it->text);
	}
	return false;
}

/* --- a new one's key -------------------------------------------------------------------------- */

/* Of a device of several slots each has the next index. */
static unsigned wished_index(const struct proxmox *p, const struct guest_part *part)
{
	unsigned n = part->wish->index.value;

	array_foreach(it, &p->task->parts)
		if (it < part && strcmp(it->device, part->device) == 0)
			n++;
	return n;
}

static bool is_reserved(const struct proxmox *p, const struct guest_part *part, unsigned index)
{
	array_foreach(it, &p->task->parts)
		if (it != part && it->wish->index.given && wished_index(p, it) == index)
			return true;
	return false;
}

/* By what is there now, comes, or goes; NULL: it is free. */
static const struct guest_device *taken_by(const struct proxmox *p, const char *key)
{
	const struct guest_device *there = guest_device_at(next_of(p), key);

	return there ? there : guest_device_at(&p->task->guest->now, key);
}

static void refuse_index(struct proxmox *p, struct guest_part *part, const char *key)
{
	const struct guest_device *there = taken_by(p, key);

	proxmox_refuse(p, part, CODE_FOREIGN_CONFLICT,
		       arena_printf(p->a, "%s is taken: %s; take another index, or leave index out",
				    key, there ? there->text : "another device is wished there"));
}

static const char *wished_key(struct proxmox *p, struct guest_part *part)
{
	unsigned index = wished_index(p, part);
	const char *key = arena_printf(p->a, "hostpci%u", index);
	const struct guest_device *there;

	if (!proxmox_kept(p, key != NULL))
		return NULL;
	there = guest_device_at(next_of(p), key);
	if (index < QM_HOSTPCI_MAX && !words_has(&p->keys, key) && (!there || is_surplus(p, key)))
		return key;
	refuse_index(p, part, key);
	return NULL;
}

/* It runs with it still, though it was to go. */
static const char *going_key(const struct proxmox *p, const struct guest_part *part)
{
	array_foreach(it, &p->task->guest->now.devices)
		if (!it->mediated && proxmox_serves(p, it, part) &&
		    !guest_device_at(next_of(p), it->key) && !words_has(&p->keys, it->key))
			return it->key;
	return NULL;
}

static const char *free_key(struct proxmox *p, struct guest_part *part)
{
	const struct ledger_guest *known = known_of(p, part);

	if (known && !guest_device_at(next_of(p), known->key))
		return known->key;
	if (going_key(p, part))
		return going_key(p, part);
	for (unsigned i = 0; i < QM_HOSTPCI_MAX; i++) {
		const char *key = arena_printf(p->a, "hostpci%u", i);

		if (!proxmox_kept(p, key != NULL))
			return NULL;
		if (!taken_by(p, key) && !words_has(&p->keys, key) && !is_reserved(p, part, i))
			return key;
	}
	proxmox_refuse(p, part, CODE_FOREIGN_CONFLICT,
		       "all of hostpci0 to hostpci15 are taken; take one from the guest");
	return NULL;
}

/* --- what stands in the way ------------------------------------------------------------------- */

void proxmox_refuse_entry(struct proxmox *p, struct guest_part *part,
			  const struct guest_device *there, const char *why)
{
	proxmox_refuse(p, part, CODE_FOREIGN_CONFLICT,
		       arena_printf(p->a, "%s: %s: %s", there->key, there->text, why));
}

/* Of an entry that has some of the part's functions. */
static bool is_obstacle(struct proxmox *p, struct guest_part *part,
			const struct guest_device *there)
{
	const char *why = NULL;
	bool named = is_named(there, part->wish->mapping);

	if (there->mediated)
		why = "a share of the device is given here, which excludes giving all of it";
	else if (entry_of(p, part, there))
		why = "another entry has the device too; take one of them away";
	else if (!named && !proxmox_serves(p, there, part) && !is_alone(there, part))
		why = "other devices that are not listed for the guest stand here too; give "
		      "each its own entry, or list them";
	else if (!proxmox_serves(p, there, part) && there->mapping && !part->wish->mapping)
		why = "the mapping is of other functions than those of the device; give its name "
		      "as mapping, or take the entry away";
	if (why)
		proxmox_refuse_entry(p, part, there, why);
	return why != NULL;
}

static bool is_misplaced(struct proxmox *p, struct guest_part *part,
			 const struct proxmox_entry *entry)
{
	const char *key;

	if (!entry->there || !part->wish->index.given)
		return false;
	key = arena_printf(p->a, "hostpci%u", wished_index(p, part));
	if (!proxmox_kept(p, key != NULL) || strcmp(key, entry->key) == 0)
		return false;
	proxmox_refuse_entry(
		p, part, entry->there,
		"it is there already, by another hand and with another index; leave index "
		"out, or take the entry away");
	return true;
}

/* --- finding ---------------------------------------------------------------------------------- */

/* One of ours that the device was moved away from is changed in its place. */
static const struct guest_device *moved(struct proxmox *p, const struct guest_part *part)
{
	const struct ledger_guest *known = known_of(p, part);
	const struct guest_device *there = known ? guest_device_at(next_of(p), known->key) : NULL;

	return there && !there->mediated && is_still(p, there, known->text) ? there : NULL;
}

static const struct ledger_guest *known_at(const struct proxmox *p, const char *key)
{
	return ledger_guest(p->task->ledger, HYPERVISOR_PROXMOX, p->task->guest->name, key);
}

/* Ours, made by us, and with another index than is wished now: it goes, and a new one comes. */
static bool is_to_move(struct proxmox *p, const struct guest_part *part,
		       const struct guest_device *there)
{
	const struct ledger_guest *known = known_at(p, there->key);

	return known && !*known->before && part->wish->index.given &&
	       qm_hostpci_index(there->key) != (int)wished_index(p, part);
}

bool proxmox_find(struct proxmox *p, struct guest_part *part, struct proxmox_entry *entry)
{
	entry->there = entry_of(p, part, NULL);
	if (entry->there && is_obstacle(p, part, entry->there))
		return false;
	if (!entry->there)
		entry->there = moved(p, part);
	if (entry->there && is_to_move(p, part, entry->there))
		entry->there = NULL;
	if (entry->there)
		entry->key = entry->there->key;
	else
		entry->key = part->wish->index.given ? wished_key(p, part) : free_key(p, part);
	if (!entry->key)
		return false;
	entry->known = known_at(p, entry->key);
	return entry->known || !is_misplaced(p, part, entry);
}
