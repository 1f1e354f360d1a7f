/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Types of selectors that are exact: ids, addresses, slots, classes, MAC addresses. */
#include <string.h>

#include "schema.h"

#define HEX "[0-9A-Fa-f]"

/* What a malformed selector gets to hear: the form, and that globs are no form of it. */
static int refuse(struct reader *r, const struct key *key, struct node *node)
{
	char shown[NODE_SHOWN_SIZE];
	bool glob = strpbrk(node->text, "*?[") != NULL;

	return reader_refuse(r, node, CODE_BAD_VALUE, "\"%s\" takes %s, not %s%s", key->name,
			     key->type->takes, node_shown(node, shown),
			     glob ? "; globs are read in match and label only" : "");
}

static int read_id(struct reader *r, const struct key *key, struct node *node, void *field)
{
	struct selector *s = field;
	int err = reader_expect(r, key, node, NODE_SCALAR);

	if (err < 0)
		return err;
	if (pci_id_parse(node->text, &s->id) < 0)
		return refuse(r, key, node);
	s->has_id = true;
	return 0;
}

static int read_address(struct reader *r, const struct key *key, struct node *node, void *field)
{
	struct selector *s = field;
	int err = reader_expect(r, key, node, NODE_SCALAR);

	if (err < 0)
		return err;
	if (pci_addr_parse(node->text, &s->address) < 0)
		return refuse(r, key, node);
	s->has_address = true;
	return 0;
}

static int read_slot(struct reader *r, const struct key *key, struct node *node, void *field)
{
	struct selector *s = field;
	int err = reader_expect(r, key, node, NODE_SCALAR);

	if (err < 0)
		return err;
	if (pci_slot_parse(node->text, &s->slot) < 0)
		return refuse(r, key, node);
	s->has_slot = true;
	return 0;
}

static int read_class(struct reader *r, const struct key *key, struct node *node, void *field)
{
	struct selector *s = field;
	int err = reader_expect(r, key, node, NODE_SCALAR);

	if (err < 0)
		return err;
	if (pci_class_parse(node->text, &s->class, &s->class_mask) < 0)
		return refuse(r, key, node);
	s->has_class = true;
	return 0;
}

static bool given_id(const void *field)
{
	return ((const struct selector *)field)->has_id;
}

static bool given_address(const void *field)
{
	return ((const struct selector *)field)->has_address;
}

static bool given_slot(const void *field)
{
	return ((const struct selector *)field)->has_slot;
}

static bool given_class(const void *field)
{
	return ((const struct selector *)field)->has_class;
}

static void write_id(const struct key *key _unused_, const void *field, unsigned indent _unused_,
		     struct strbuf *out)
{
	char text[PCI_ID_TEXT_SIZE];

	strbuf_addf(out, " \"%s\"\n", pci_id_format(&((const struct selector *)field)->id, text));
}

static void write_address(const struct key *key _unused_, const void *field,
			  unsigned indent _unused_, struct strbuf *out)
{
	char text[PCI_ADDR_TEXT_SIZE];

	strbuf_addf(out, " \"%s\"\n",
		    pci_addr_format(((const struct selector *)field)->address, text));
}

static void write_slot(const struct key *key _unused_, const void *field, unsigned indent _unused_,
		       struct strbuf *out)
{
	struct pci_addr slot = ((const struct selector *)field)->slot;

	strbuf_addf(out, " \"%04x:%02x:%02x\"\n", slot.domain, slot.bus, slot.dev);
}

/* As many digits as the mask has: two, four or six. */
static void write_class(const struct key *key _unused_, const void *field, unsigned indent _unused_,
			struct strbuf *out)
{
	const struct selector *s = field;
	int digits = s->class_mask & 0xff ? 6 : s->class_mask & 0xff00 ? 4 : 2;

	strbuf_addf(out, " \"%0*x\"\n", digits, s->class >> (24 - 4 * digits));
}

static void schema_pattern(const struct key *key, struct strbuf *out)
{
	strbuf_addf(out, "\"type\": [\"string\", \"number\", \"null\"], \"pattern\": \"%s\"",
		    key->type->pattern);
}

static void schema_class(const struct key *key _unused_, struct strbuf *out)
{
	const char *name;

	strbuf_add(out, "\"anyOf\": [{\"type\": [\"string\", \"number\", \"null\"], "
			"\"pattern\": \"^(" HEX "{2}){1,3}$\"}, {\"enum\": [");
	for (unsigned i = 0; (name = pci_class_name_at(i)); i++)
		strbuf_addf(out, "%s\"%s\"", i ? ", " : "", name);
	strbuf_add(out, "]}]");
}

#define SELECTOR(name, takes_, schema_, pattern_)                                                  \
	const struct type type_##name = {                                                          \
		.takes = takes_,                                                                   \
		.read = read_##name,                                                               \
		.given = given_##name,                                                             \
		.write = write_##name,                                                             \
		.schema = schema_,                                                                 \
		.pattern = pattern_,                                                               \
	}

SELECTOR(id, "an id like 10de:1b81 or 10de:1b81:1043:85a3", schema_pattern,
	 "^" HEX "{4}:" HEX "{4}(:" HEX "{4}:" HEX "{4})?$");
SELECTOR(address, "an address like 0000:01:00.0 or 01:00.0", schema_pattern,
	 "^(" HEX "{4,8}:)?" HEX "{2}:[01]" HEX "[.][0-7]$");
SELECTOR(slot, "a slot like 0000:01:00 or 01:00", schema_pattern,
	 "^(" HEX "{4,8}:)?" HEX "{2}:[01]" HEX "$");
SELECTOR(class, "a class as 2, 4 or 6 hex digits, or a word like vga or nvme", schema_class, NULL);

/* --- MAC addresses ------------------------------------------------------------------------- */

static int parse_mac(const char *text, char ret[static 18])
{
	for (int i = 0; i < 17; i++) {
		char c = text[i];

		/* The end of a short text is no digit, so nothing behind it is looked at. */
		if (i % 3 == 2 && c != ':')
			return -EINVAL;
		if (c >= 'A' && c <= 'F')
			c |= 32;
		if (i % 3 != 2 && !(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
			return -EINVAL;
		ret[i] = c;
	}
	ret[17] = '\0';
	return text[17] ? -EINVAL : 0;
}

static int read_mac(struct reader *r, const struct key *key, struct node *node, void *field)
{
	char mac[18];
	const char *copy;
	int err = reader_expect(r, key, node, NODE_SCALAR);

	if (err < 0)
		return err;
	if (parse_mac(node->text, mac) < 0)
		return refuse(r, key, node);
	copy = arena_strdup(r->arena, mac);
	if (!copy)
		return -ENOMEM;
	*(const char **)field = copy;
	return 0;
}

static bool given_mac(const void *field)
{
	return *(const char *const *)field != NULL;
}

static void write_mac(const struct key *key _unused_, const void *field, unsigned indent _unused_,
		      struct strbuf *out)
{
	strbuf_addf(out, " \"%s\"\n", *(const char *const *)field);
}

SELECTOR(mac, "a MAC address like 52:54:00:12:34:56", schema_pattern,
	 "^" HEX "{2}(:" HEX "{2}){5}$");
