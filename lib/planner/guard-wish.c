/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A wish in words: which selectors are given, and the texts that the ledger keeps. */
#include "guard-part.h"

unsigned guard_given(const struct selector *s)
{
	return (s->has_id ? SELECT_ID : 0) | (s->has_address ? SELECT_ADDRESS : 0) |
	       (s->has_class ? SELECT_CLASS : 0) | (s->has_slot ? SELECT_SLOT : 0) |
	       (s->serial ? SELECT_SERIAL : 0) | (s->mac ? SELECT_MAC : 0) |
	       (s->label ? SELECT_LABEL : 0) | (s->bound_to ? SELECT_BOUND_TO : 0);
}

static const char *id_text(struct arena *a, const struct selector *s)
{
	char text[PCI_ID_TEXT_SIZE];

	return arena_strdup(a, pci_id_format(&s->id, text));
}

static const char *address_text(struct arena *a, const struct selector *s)
{
	char text[PCI_ADDR_TEXT_SIZE];

	return arena_strdup(a, pci_addr_format(s->address, text));
}

static const char *class_text(struct arena *a, const struct selector *s)
{
	return arena_printf(a, "%06x/%06x", s->class, s->class_mask);
}

static const char *slot_text(struct arena *a, const struct selector *s)
{
	return arena_printf(a, "%04x:%02x:%02x", s->slot.domain, s->slot.bus, s->slot.dev);
}

static const char *serial_text(struct arena *a _unused_, const struct selector *s)
{
	return s->serial;
}

static const char *mac_text(struct arena *a _unused_, const struct selector *s)
{
	return s->mac;
}

static const char *label_text(struct arena *a _unused_, const struct selector *s)
{
	return s->label;
}

static const char *driver_text(struct arena *a _unused_, const struct selector *s)
{
	return s->bound_to;
}

static const struct {
	enum selector_bit bit;
	const char *name;
	const char *(*text)(struct arena *a, const struct selector *s);
} selectors[] = {
	{SELECT_ID, "id", id_text},
	{SELECT_ADDRESS, "address", address_text},
	{SELECT_CLASS, "class", class_text},
	{SELECT_SLOT, "slot", slot_text},
	{SELECT_SERIAL, "serial", serial_text},
	{SELECT_MAC, "mac", mac_text},
	{SELECT_LABEL, "label", label_text},
	{SELECT_BOUND_TO, "bound-to", driver_text},
};

const char *guard_selector_names(struct arena *a, unsigned bits)
{
	const char *text = "";

	for (size_t i = 0; text && i < ARRAY_LEN(selectors); i++)
		if (bits & selectors[i].bit)
			text = arena_printf(a, "%s%s%s", text, *text ? ", " : "",
					    selectors[i].name);
	return text;
}

const char *guard_wish_text(struct arena *a, const struct spec_device *wish)
{
	unsigned given = guard_given(&wish->selector);
	const char *text = "";

	for (size_t i = 0; text && i < ARRAY_LEN(selectors); i++) {
		const char *value = given & selectors[i].bit ? selectors[i].text(a, &wish->selector)
							     : "";

		if (!value)
			return NULL;
		if (given & selectors[i].bit)
			text = arena_printf(a, "%s%s%s %s", text, *text ? ", " : "",
					    selectors[i].name, value);
	}
	return text && wish->count != 1 ? arena_printf(a, "%s, count %u", text, wish->count) : text;
}

const char *guard_consent_text(struct arena *a, const struct spec_device *wish)
{
	const char *text = "";

	for (int i = 0; text && i < _CODE_MAX; i++)
		if (code_acceptable((enum code)i) && wish->accept >> i & 1)
			text = arena_printf(a, "%s%s%s", text, *text ? ", " : "",
					    code_name((enum code)i));
	return text;
}
