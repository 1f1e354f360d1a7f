/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mapping/pci.cfg: a line with a name alone, then its properties, each behind a blank (9.11). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "qm-config.h"
#include "qm-property.h"

#define BLANKS " \t\r"
#define DIGITS "0123456789"

static int read_group(const char *text)
{
	size_t n = text ? strspn(text, DIGITS) : 0;

	return n && n < 9 && !text[n] ? atoi(text) : -1;
}

static int read_id(struct arena *a, const struct qm_properties *p, struct guest_map *map)
{
	const char *id = qm_property(p, "id"), *more = qm_property(p, "subsystem-id");
	const char *text = id && more ? arena_printf(a, "%s:%s", id, more) : id;

	if (id && more && !text)
		return -ENOMEM;
	map->has_id = text && pci_id_parse(text, &map->id) == 0;
	return 0;
}

static int read_path(struct arena *a, const struct qm_properties *p, struct guest_map *map)
{
	const char *path = qm_property(p, "path");
	struct qm_ids ids;

	if (!path || !qm_ids_parse(path, &ids))
		return 0;
	for (size_t i = 0; i < ids.n; i++)
		if (array_push(a, &map->functions, ids.at[i]) < 0)
			return -ENOMEM;
	return 0;
}

static int add_map(struct arena *a, struct guest_mapping *mapping, const char *text)
{
	struct guest_map *map = array_add(a, &mapping->maps);
	struct qm_properties p = {.nameless = ""};
	int err;

	if (!map)
		return -ENOMEM;
	map->text = text;
	map->node = "";
	map->group = -1;
	err = qm_properties_parse(a, "", text, &p);
	if (err < 0)
		return err == -ENOMEM ? err : 0;
	if (qm_property(&p, "node"))
		map->node = qm_property(&p, "node");
	map->group = read_group(qm_property(&p, "iommugroup"));
	err = read_id(a, &p, map);
	return err < 0 ? err : read_path(a, &p, map);
}

static size_t trimmed(const char *at, size_t n)
{
	while (n && strchr(BLANKS, at[n - 1]))
		n--;
	return n;
}

/* "map" and its value, of a line that begins with blanks. */
static int add_property(struct arena *a, struct guest_mapping *mapping, const char *at, size_t n)
{
	size_t blank = strspn(at, BLANKS), word = strcspn(at + blank, BLANKS "\n");
	size_t from = blank + word;
	const char *value;

	from += from < n ? strspn(at + from, BLANKS) : 0;
	if (word != 3 || strncmp(at + blank, "map", 3) != 0 || from >= n)
		return 0;
	value = arena_strndup(a, at + from, n - from);
	return value ? add_map(a, mapping, value) : -ENOMEM;
}

/* "NAME"; of what has more words nothing is taken. */
static int add_mapping(struct arena *a, struct qm_mappings *to, const char *at, size_t n,
		       bool *ret_inside)
{
	struct guest_mapping *mapping;

	*ret_inside = strcspn(at, BLANKS "\n") >= n;
	if (!*ret_inside)
		return 0;
	mapping = array_add(a, &to->list);
	if (!mapping)
		return -ENOMEM;
	mapping->name = arena_strndup(a, at, n);
	return mapping->name ? 0 : -ENOMEM;
}

int qm_mappings_parse(struct arena *a, const char *text, struct qm_mappings *ret)
{
	struct qm_mappings mappings = {0};
	bool inside = false;
	int err = 0;

	while (err == 0 && *text) {
		size_t size = strcspn(text, "\n"), n = trimmed(text, size);
		bool comment = text[strspn(text, BLANKS)] == '#';

		if (!n)
			inside = false;
		else if (!comment && !strchr(BLANKS, *text))
			err = add_mapping(a, &mappings, text, n, &inside);
		else if (!comment && inside)
			err = add_property(a, &mappings.list.at[mappings.list.n - 1], text, n);
		text += size + (text[size] == '\n');
	}
	if (err == 0)
		*ret = mappings;
	return err;
}
