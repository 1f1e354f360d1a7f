/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of slots for functions whose own attribute has none: what firmware wrote on the slot
 * (SMBIOS, type 9), else the name that the kernel's hotplug gives it.
 */
#include "observe-parts.h"

#define ENTRIES "/sys/firmware/dmi/entries"
#define SLOTS	"/sys/bus/pci/slots"

/* Offsets in a structure of type 9. */
#define SLOT_LENGTH	 0x01
#define SLOT_DESIGNATION 0x04 /* number of a string, from 1 */
#define SLOT_SEGMENT	 0x0d /* two bytes */
#define SLOT_BUS	 0x0f
#define SLOT_DEVFN	 0x10
#define SLOT_SIZE	 0x11

struct slot {
	const char *name;
	struct pci_addr addr; /* of what is in it, or of the port above */
};

struct slots {
	ARRAY_OF(struct slot) named, numbered; /* firmware's, hotplug's */
};

/* Some firmware fills its strings up with blanks. NULL: nothing else is in it. */
static const char *trimmed(struct observer *o, const char *s)
{
	const char *copy;
	size_t n;

	s += strspn(s, " ");
	n = strlen(s);
	while (n && s[n - 1] == ' ')
		n--;
	copy = n ? arena_strndup(o->scratch, s, n) : NULL;
	return kept(o, copy || !n) ? copy : NULL;
}

/* The strings stand behind the structure, each with a NUL, counted from 1. */
static const char *string_of(const char *bytes, size_t size, unsigned number)
{
	size_t at = (unsigned char)bytes[SLOT_LENGTH];

	for (; number > 1 && at < size && bytes[at]; number--)
		at += strnlen(bytes + at, size - at) + 1;
	return number && at < size && bytes[at] ? bytes + at : NULL;
}

static void add_designation(struct observer *o, struct slots *slots, const char *entry)
{
	const char *path = arena_printf(o->scratch, ENTRIES "/%s/raw", entry), *bytes;
	const unsigned char *at;
	struct slot slot;
	size_t size;
	int err;

	if (!kept(o, path))
		return;
	err = o->tree->ops->read(o->tree, path, MAX_LINE, o->scratch, &bytes, &size);
	kept(o, err != -ENOMEM);
	if (err < 0 || size < SLOT_SIZE || (unsigned char)bytes[SLOT_LENGTH] < SLOT_SIZE)
		return;
	at = (const unsigned char *)bytes;
	slot.addr = (struct pci_addr){
		.domain = (uint32_t)(at[SLOT_SEGMENT] | at[SLOT_SEGMENT + 1] << 8),
		.bus = at[SLOT_BUS],
		.dev = at[SLOT_DEVFN] >> 3,
		.fn = at[SLOT_DEVFN] & 7,
	};
	slot.name = string_of(bytes, size, at[SLOT_DESIGNATION]);
	slot.name = slot.name ? trimmed(o, slot.name) : NULL;
	/* All ones: no slot of a bus. */
	if (slot.name && (slot.addr.domain != 0xffff || at[SLOT_BUS] != 0xff))
		kept(o, array_push(o->scratch, &slots->named, slot) == 0);
}

/* "0000:01:00", without a function. */
static void add_slot(struct observer *o, struct slots *slots, const char *name)
{
	const char *address = see_line(o, SLOTS "/%s/address", name);
	struct slot slot = {.name = name};

	address = address ? arena_printf(o->scratch, "%s.0", address) : NULL;
	if (address && pci_addr_parse(address, &slot.addr) == 0)
		kept(o, array_push(o->scratch, &slots->numbered, slot) == 0);
}

/* Everything behind a slot's port is in the slot, what a card has as ports of its own too. */
static const char *designation_of(const struct host *host, const struct slots *slots,
				  const struct host_device *d)
{
	const struct host_device *up = d;

	array_foreach(it, &slots->named)
		if (!d->bridge && pci_addr_same_slot(it->addr, d->addr))
			return it->name;
	for (unsigned i = 0; up && up->has_parent && i < 256; i++) {
		array_foreach(it, &slots->named)
			if (pci_addr_compare(it->addr, up->parent) == 0)
				return it->name;
		up = host_device(host, up->parent);
	}
	return NULL;
}

void observe_labels(struct observer *o)
{
	struct words entries = see_list(o, ENTRIES), names = see_list(o, SLOTS);
	struct slots slots = {0};

	array_foreach(it, &entries)
		if (has_prefix(*it, "9-"))
			add_designation(o, &slots, *it);
	array_foreach(it, &names)
		add_slot(o, &slots, *it);
	array_foreach(d, &o->host->devices) {
		const char *name = d->label ? NULL : designation_of(o->host, &slots, d);

		array_foreach(it, &slots.numbered)
			if (!d->label && !name && pci_addr_same_slot(it->addr, d->addr))
				name = it->name;
		if (name)
			d->label = keep(o, name);
	}
}
