/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walks a tree along the table of keys. */
#include <string.h>

#include "near.h"
#include "schema.h"

int reader_refuse(struct reader *r, struct node *node, enum code code, const char *fmt, ...)
{
	const char *message = "";
	va_list ap;

	if (node->bad)
		return -EINVAL;
	node->bad = true;
	va_start(ap, fmt);
	if (source_listens(node->source))
		message = arena_vprintf(r->diags->arena, fmt, ap);
	va_end(ap);
	source_report(node->source, r->diags, node_place(node), code, message);
	return -EINVAL;
}

int reader_expect(struct reader *r, const struct key *key, struct node *node, enum node_kind kind)
{
	char shown[NODE_SHOWN_SIZE];

	if (node->bad)
		return -EINVAL;
	if (node->kind == kind)
		return 0;
	node_shown(node, shown);
	return reader_refuse(r, node, CODE_TYPE_MISMATCH, "\"%s\" takes %s, not %s%s", key->name,
			     key->type->takes, shown,
			     kind == NODE_LIST && node->kind == NODE_SCALAR
				     ? "; a list of one has brackets too: [word]"
				     : "");
}

static const struct key *find_key(const struct section *section, const char *name)
{
	for (size_t i = 0; i < section->n; i++)
		if (strcmp(section->keys[i].name, name) == 0)
			return &section->keys[i];
	return NULL;
}

/* The section in which a key of this name may stand, looked for below section. */
static const struct section *find_home(const struct section *section, const char *name)
{
	const struct section *found = find_key(section, name) ? section : NULL;

	for (size_t i = 0; i < section->n && !found; i++) {
		const struct key *key = &section->keys[i];

		if (key->section)
			found = find_home(key->section, name);
		else if (key->map)
			found = find_home(key->map->section, name);
	}
	return found;
}

static int refuse_unknown(struct reader *r, const struct section *section, struct node *key)
{
	struct near near = {.word = key->text};
	const struct section *home;
	char phrase[NEAR_SIZE], shown[NODE_SHOWN_SIZE];

	node_shown(key, shown);
	if (key->kind == NODE_NULL)
		return reader_refuse(r, key, CODE_UNKNOWN_KEY, "a key is missing here");
	for (size_t i = 0; i < section->n && source_listens(key->source); i++)
		near_offer(&near, section->keys[i].name);
	home = find_home(&section_top, key->text);
	if (!near.best && home && home != section)
		return reader_refuse(r, key, CODE_UNKNOWN_KEY, "%s has no key %s; it belongs %s%s",
				     section->object, shown,
				     *home->path ? "below " : "at the top of the file", home->path);
	return reader_refuse(r, key, CODE_UNKNOWN_KEY, "%s has no key %s%s", section->object, shown,
			     near_phrase(&near, phrase));
}

static int read_entry(struct reader *r, const struct section *section, struct entry *entry,
		      void *object)
{
	const struct key *key;

	if (entry->key->bad)
		return -EINVAL;
	key = find_key(section, entry->name);
	if (!key)
		return refuse_unknown(r, section, entry->key);
	if (entry->value->bad)
		return -EINVAL;
	/* Null takes a value back; merging has done it. */
	if (entry->value->kind == NODE_NULL)
		return 0;
	return key->type->read(r, key, entry->value, (char *)object + key->offset);
}

int reader_section(struct reader *r, const struct section *section, struct node *node, void *object)
{
	array_foreach(it, &node->entries) {
		int err = read_entry(r, section, it, object);

		if (err == -ENOMEM)
			return err;
		node->flawed |= err < 0;
	}
	if (r->merged && !node->flawed && section->complete)
		return section->complete(r, node, object);
	return node->flawed ? -EINVAL : 0;
}

int reader_defaults(struct reader *r, const struct section *section, void *object)
{
	for (size_t i = 0; i < section->n; i++) {
		const struct key *key = &section->keys[i];
		struct node node = {.kind = NODE_SCALAR, .plain = true, .text = key->fallback};
		int err = 0;

		if (key->section)
			err = reader_defaults(r, key->section, object);
		else if (key->fallback)
			err = key->type->read(r, key, &node, (char *)object + key->offset);
		if (err < 0)
			return err;
	}
	return 0;
}

static int read_section(struct reader *r, const struct key *key, struct node *node, void *field)
{
	int err = reader_expect(r, key, node, NODE_MAP);

	return err < 0 ? err : reader_section(r, key->section, node, field);
}

const struct type type_section = {
	.takes = "a mapping of keys",
	.read = read_section,
};

static int read_object(struct reader *r, const struct map *map, struct entry *entry, void *field)
{
	char shown[NODE_SHOWN_SIZE];
	const char *why, *name;
	void *object;
	struct place place;
	int err;

	if (entry->key->bad)
		return -EINVAL;
	why = map->refused(entry->name);
	if (why)
		return reader_refuse(r, entry->key, CODE_BAD_VALUE, "%s cannot be called %s: it %s",
				     map->names, node_shown(entry->key, shown), why);
	if (entry->value->bad)
		return -EINVAL;
	if (entry->value->kind == NODE_NULL)
		return 0;
	if (entry->value->kind != NODE_MAP)
		return reader_refuse(r, entry->value, CODE_TYPE_MISMATCH,
				     "%s takes a mapping of keys, not %s", map->names,
				     node_shown(entry->value, shown));
	object = map->add(r->arena, field);
	name = arena_strdup(r->arena, entry->name);
	if (!object || !name)
		return -ENOMEM;
	place = node_place(entry->key);
	*(const char **)(void *)((char *)object + map->name) = name;
	memcpy((char *)object + map->place, &place, sizeof(place));
	err = reader_defaults(r, map->section, object);
	return err < 0 ? err : reader_section(r, map->section, entry->value, object);
}

static int read_map(struct reader *r, const struct key *key, struct node *node, void *field)
{
	int err = reader_expect(r, key, node, NODE_MAP);

	if (err < 0)
		return err;
	array_foreach(it, &node->entries) {
		err = read_object(r, key->map, it, field);
		if (err == -ENOMEM)
			return err;
		node->flawed |= err < 0;
	}
	return node->flawed ? -EINVAL : 0;
}

static void write_map(const struct key *key, const void *field, unsigned indent, struct strbuf *out)
{
	const struct map *map = key->map;
	const void *object = map->at(field, 0);

	strbuf_add(out, object ? "\n" : " {}\n");
	for (size_t i = 0; object; object = map->at(field, ++i)) {
		const char *name;

		memcpy(&name, (const char *)object + map->name, sizeof(name));
		write_indent(indent + 1, out);
		write_quoted(name, out);
		strbuf_add(out, ":\n");
		write_section(map->section, object, indent + 2, out);
	}
}

const struct type type_map = {
	.takes = "a mapping of names",
	.read = read_map,
	.write = write_map,
};
