/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Types of several values: module names, kernel flags, functions, consents, ids. */
#include <string.h>

#include "kcmdline.h"
#include "near.h"
#include "schema.h"

/* Each item of a list goes to take(). */
static int each_item(struct reader *r, const struct key *key, struct node *node,
		     int (*take)(struct reader *, const struct key *, struct node *, void *),
		     void *into)
{
	char shown[NODE_SHOWN_SIZE];

	array_foreach(it, &node->entries) {
		struct node *item = it->value;
		int err = item->bad ? -EINVAL : 0;

		if (!err && item->kind != NODE_SCALAR)
			err = reader_refuse(r, item, CODE_TYPE_MISMATCH,
					    "\"%s\" takes %s, and %s cannot be one of them",
					    key->name, key->type->takes, node_shown(item, shown));
		if (!err)
			err = take(r, key, item, into);
		if (err == -ENOMEM)
			return err;
		node->flawed |= err < 0;
	}
	return node->flawed ? -EINVAL : 0;
}

/* --- lists of words -------------------------------------------------------------------------- */

/* Every ARRAY_OF(struct spec_word) has this layout; memcpy moves between them. */
struct list {
	ARRAY_OF(struct spec_word) words;
};
_Static_assert(sizeof(struct list) == sizeof(((struct spec *)0)->blacklist), "one layout");

static int take_word(struct reader *r, const struct key *key, struct node *item, void *into)
{
	const struct type *type = key->type;
	struct list *list = into;
	char shown[NODE_SHOWN_SIZE];
	const char *why = type->refused(item->text);
	struct spec_word word = {.place = node_place(item)};

	if (!why && !type->kernel_spelling && flag_reserved(r->arena, item->text, &why) < 0)
		return -ENOMEM;
	if (why)
		return reader_refuse(r, item, type->code, "\"%s\" cannot hold %s: it %s", key->name,
				     node_shown(item, shown), why);
	word.text = type->kernel_spelling ? module_name_kernel(r->arena, item->text)
					  : arena_strdup(r->arena, item->text);
	return word.text ? array_push(r->arena, &list->words, word) : -ENOMEM;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(((const struct spec_word *)a)->text, ((const struct spec_word *)b)->text);
}

/* vfio-pci and vfio_pci are one name: only now are they seen to be repeats. */
static void sort_words(struct list *list)
{
	size_t kept = 0;

	qsort(list->words.at, list->words.n, sizeof(*list->words.at), by_text);
	for (size_t i = 0; i < list->words.n; i++)
		if (!kept || by_text(&list->words.at[kept - 1], &list->words.at[i]) != 0)
			list->words.at[kept++] = list->words.at[i];
	list->words.n = kept;
}

static int read_words(struct reader *r, const struct key *key, struct node *node, void *field)
{
	struct list list = {0};
	int err = reader_expect(r, key, node, NODE_LIST);

	if (err == 0)
		err = each_item(r, key, node, take_word, &list);
	if (err < 0)
		return err;
	if (key->type->kernel_spelling && list.words.n)
		sort_words(&list);
	memcpy(field, &list, sizeof(list));
	return 0;
}

static void write_words(const struct key *key _unused_, const void *field, unsigned indent _unused_,
			struct strbuf *out)
{
	struct list list;

	memcpy(&list, field, sizeof(list));
	strbuf_add(out, " [");
	for (size_t i = 0; i < list.words.n; i++) {
		strbuf_add(out, i ? ", " : "");
		write_quoted(list.words.at[i].text, out);
	}
	strbuf_add(out, "]\n");
}

static void schema_words(const struct key *key, struct strbuf *out)
{
	strbuf_add(out, "\"type\": [\"array\", \"null\"], \"items\": {\"type\": \"string\", "
			"\"pattern\": ");
	write_quoted(key->type->pattern, out);
	strbuf_add(out, "}");
}

const struct type type_modules = {
	.takes = "a list of module names",
	.read = read_words,
	.write = write_words,
	.schema = schema_words,
	.refused = module_name_refused,
	.code = CODE_BAD_VALUE,
	.kernel_spelling = true,
	.pattern = "^[A-Za-z0-9_][A-Za-z0-9_-]{0,54}$",
};

const struct type type_flags = {
	.takes = "a list of kernel flags",
	.read = read_words,
	.write = write_words,
	.schema = schema_words,
	.refused = kflag_refused,
	.code = CODE_UNSAFE_VALUE,
	.pattern = "^[A-Za-z0-9._:,=/+@%-]+$",
};

/* --- functions ------------------------------------------------------------------------------- */

static int take_function(struct reader *r, const struct key *key, struct node *item, void *into)
{
	char shown[NODE_SHOWN_SIZE];
	const char *text = item->text;

	if (text[0] < '0' || text[0] > '7' || text[1] || !item->plain)
		return reader_refuse(r, item, CODE_BAD_VALUE, "\"%s\" takes %s, not %s", key->name,
				     key->type->takes, node_shown(item, shown));
	*(uint8_t *)into |= (uint8_t)(1u << (text[0] - '0'));
	return 0;
}

static int read_functions(struct reader *r, const struct key *key, struct node *node, void *field)
{
	char shown[NODE_SHOWN_SIZE];
	uint8_t mask = 0;
	int err = 0;

	if (node->kind == NODE_SCALAR && strcmp(node->text, "all") == 0)
		mask = 0xff;
	else if (node->kind != NODE_LIST)
		return reader_refuse(r, node,
				     node->kind == NODE_MAP ? CODE_TYPE_MISMATCH : CODE_BAD_VALUE,
				     "\"%s\" takes %s, not %s", key->name, key->type->takes,
				     node_shown(node, shown));
	else
		err = each_item(r, key, node, take_function, &mask);
	if (err < 0)
		return err;
	if (!mask)
		return reader_refuse(r, node, CODE_BAD_VALUE,
				     "\"%s\" is an empty list: no function would go along",
				     key->name);
	*(uint8_t *)field = mask;
	return 0;
}

static void write_functions(const struct key *key _unused_, const void *field,
			    unsigned indent _unused_, struct strbuf *out)
{
	uint8_t mask = *(const uint8_t *)field;
	const char *before = " [";

	if (mask == 0xff) {
		strbuf_add(out, " all\n");
		return;
	}
	for (unsigned i = 0; i < 8; i++) {
		if (!(mask & 1u << i))
			continue;
		strbuf_addf(out, "%s%u", before, i);
		before = ", ";
	}
	strbuf_add(out, "]\n");
}

static void schema_functions(const struct key *key _unused_, struct strbuf *out)
{
	strbuf_add(out, "\"anyOf\": [{\"enum\": [\"all\", null]}, {\"type\": \"array\", "
			"\"minItems\": 1, \"items\": {\"type\": \"integer\", \"minimum\": 0, "
			"\"maximum\": 7}}]");
}

const struct type type_functions = {
	.takes = "all, or a list of numbers from 0 to 7",
	.read = read_functions,
	.write = write_functions,
	.schema = schema_functions,
};

/* --- consent --------------------------------------------------------------------------------- */

#define FITS_MASK(code) _Static_assert((code) < 64, "accept is a mask of codes")

FITS_MASK(CODE_SHARED_GROUP);
FITS_MASK(CODE_BOOT_DISPLAY);
FITS_MASK(CODE_MANAGEMENT_NIC);
FITS_MASK(CODE_IN_USE);
FITS_MASK(CODE_NO_RESET);

static int take_consent(struct reader *r, const struct key *key, struct node *item, void *into)
{
	enum code code = code_from_name(item->text);
	struct near near = {.word = item->text};
	char shown[NODE_SHOWN_SIZE], phrase[NEAR_SIZE];

	if (code_acceptable(code)) {
		*(uint64_t *)into |= UINT64_C(1) << code;
		return 0;
	}
	node_shown(item, shown);
	if (code != _CODE_INVALID)
		return reader_refuse(r, item, CODE_BAD_VALUE, "%s is never accepted: %s", shown,
				     code_help(code));
	for (int i = 0; i < _CODE_MAX; i++)
		if (code_acceptable((enum code)i))
			near_offer(&near, code_name((enum code)i));
	return reader_refuse(r, item, CODE_BAD_VALUE, "\"%s\" takes %s, not %s%s", key->name,
			     key->type->takes, shown, near_phrase(&near, phrase));
}

static int read_accept(struct reader *r, const struct key *key, struct node *node, void *field)
{
	uint64_t mask = 0;
	int err = reader_expect(r, key, node, NODE_LIST);

	if (err == 0)
		err = each_item(r, key, node, take_consent, &mask);
	if (err == 0)
		*(uint64_t *)field = mask;
	return err;
}

static void list_codes(uint64_t mask, const char *before, const char *between, const char *after,
		       struct strbuf *out)
{
	bool first = true;

	for (int i = 0; i < _CODE_MAX; i++) {
		if (!code_acceptable((enum code)i) || !(mask & UINT64_C(1) << i))
			continue;
		strbuf_addf(out, "%s%s%s%s", first ? "" : between, before, code_name((enum code)i),
			    after);
		first = false;
	}
}

static void write_accept(const struct key *key _unused_, const void *field,
			 unsigned indent _unused_, struct strbuf *out)
{
	strbuf_add(out, " [");
	list_codes(*(const uint64_t *)field, "", ", ", "", out);
	strbuf_add(out, "]\n");
}

static void schema_accept(const struct key *key _unused_, struct strbuf *out)
{
	strbuf_add(out, "\"type\": [\"array\", \"null\"], \"items\": {\"enum\": [");
	list_codes(UINT64_MAX, "\"", ", ", "\"", out);
	strbuf_add(out, "]}");
}

const struct type type_accept = {
	.takes = "a list of shared-group, management-nic, boot-display, in-use, no-reset",
	.read = read_accept,
	.write = write_accept,
	.schema = schema_accept,
};

/* --- ids of match ---------------------------------------------------------------------------- */

static int take_id(struct reader *r, const struct key *key, struct node *item, void *into)
{
	struct match_ids *ids = into;
	struct pci_id id;
	char shown[NODE_SHOWN_SIZE];

	if (pci_id_parse(item->text, &id) < 0)
		return reader_refuse(r, item, CODE_BAD_VALUE, "\"%s\" takes %s, not %s", key->name,
				     key->type->takes, node_shown(item, shown));
	return array_push(r->arena, &ids->list, id);
}

static int read_ids(struct reader *r, const struct key *key, struct node *node, void *field)
{
	struct match_ids ids = {0};
	char shown[NODE_SHOWN_SIZE];
	int err;

	if (node->kind == NODE_MAP)
		return reader_refuse(r, node, CODE_TYPE_MISMATCH, "\"%s\" takes %s, not %s",
				     key->name, key->type->takes, node_shown(node, shown));
	err = node->kind == NODE_SCALAR ? take_id(r, key, node, &ids)
					: each_item(r, key, node, take_id, &ids);
	if (err == 0)
		memcpy(field, &ids, sizeof(ids));
	return err;
}

static void schema_ids(const struct key *key, struct strbuf *out)
{
	strbuf_addf(out,
		    "\"anyOf\": [{\"type\": [\"string\", \"null\"], \"pattern\": \"%s\"}, "
		    "{\"type\": \"array\", \"items\": {\"type\": \"string\", \"pattern\": "
		    "\"%s\"}}]",
		    key->type->pattern, key->type->pattern);
}

const struct type type_ids = {
	.takes = "an id like 10de:1b81, or a list of ids",
	.read = read_ids,
	.schema = schema_ids,
	.pattern = "^[0-9A-Fa-f]{4}:[0-9A-Fa-f]{4}(:[0-9A-Fa-f]{4}:[0-9A-Fa-f]{4})?$",
};
