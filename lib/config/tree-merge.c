/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Repeated keys, and the merging of trees. By sorting: a hostile file may hold many keys. */
#include <string.h>

#include "yaml-tree.h"

/* Nodes that stand for one place of the merged tree, in merge order. */
struct layers {
	ARRAY_OF(struct node *) nodes;
};

struct merge {
	struct arena *a;
	struct doubts *doubts; /* NULL: nobody asks */
	unsigned depth;
};

static int by_name(const void *a, const void *b)
{
	const struct entry *const *ea = a, *const *eb = b;
	int order = strcmp((*ea)->name, (*eb)->name);

	/* They point into one array: earlier in the mapping is lower. */
	return order ? order : *ea < *eb ? -1 : *ea > *eb;
}

int tree_find_repeats(struct arena *a, struct node *map, struct diags *diags)
{
	struct entry **sorted;
	size_t n = 0;

	if (map->entries.n < 2)
		return 0;
	sorted = arena_alloc(a, map->entries.n * sizeof(struct entry *));
	if (!sorted)
		return -ENOMEM;
	array_foreach(it, &map->entries)
		if (!it->key->bad)
			sorted[n++] = it;
	if (n)
		qsort(sorted, n, sizeof(*sorted), by_name);
	for (size_t i = 1; i < n; i++) {
		struct node *key = sorted[i]->key;
		char shown[NODE_SHOWN_SIZE];
		struct entry *first = sorted[i - 1];

		if (strcmp(first->name, sorted[i]->name) != 0)
			continue;
		source_error(map->source, diags, node_place(key), CODE_DUPLICATE_KEY,
			     "%s stands here a second time; the first is in line %u",
			     node_shown(key, shown), first->key->line);
		key->bad = map->flawed = true;
	}
	return 0;
}

static int merge_layers(struct merge *m, const struct layers *layers, struct node **ret);

struct piece { /* one entry of one layer */
	struct entry entry;
	size_t order;
};

static int by_piece(const void *a, const void *b)
{
	const struct piece *pa = a, *pb = b;
	int order = strcmp(pa->entry.name, pb->entry.name);

	return order ? order : pa->order < pb->order ? -1 : pa->order > pb->order;
}

static int by_text(const void *a, const void *b)
{
	const struct piece *pa = a, *pb = b;
	const char *ta = pa->entry.value->text, *tb = pb->entry.value->text;
	int order = strcmp(ta ? ta : "", tb ? tb : "");

	return order ? order : pa->order < pb->order ? -1 : pa->order > pb->order;
}

static int by_order(const void *a, const void *b)
{
	const struct piece *pa = a, *pb = b;

	return pa->order < pb->order ? -1 : pa->order > pb->order;
}

/* All entries of all layers that are fit to be merged. */
static int gather(struct arena *a, const struct layers *layers, struct piece **ret, size_t *ret_n)
{
	size_t n = 0, all = 0;
	struct piece *pieces;

	array_foreach(it, &layers->nodes)
		all += (*it)->entries.n;
	pieces = arena_alloc(a, (all + 1) * sizeof(*pieces));
	if (!pieces)
		return -ENOMEM;
	array_foreach(it, &layers->nodes)
		array_foreach(entry, &(*it)->entries)
			if (!entry->key || !entry->key->bad) {
				pieces[n].entry = *entry;
				pieces[n].order = n;
				n++;
			}
	*ret = pieces;
	*ret_n = n;
	return 0;
}

/*
 * Removals that are perhaps not meant: a null with nothing before it; a section at the top that
 * is left without a word, often because all of it was commented out.
 */
static int note_doubtful(struct merge *m, const struct piece *piece, const struct piece *before)
{
	const struct node *value = piece->entry.value;
	bool empty = value->kind == NODE_NULL && value->text[0] == '\0';

	if (!m->doubts || value->kind != NODE_NULL)
		return 0;
	if (m->depth > 1 && !before)
		return array_push(m->a, &m->doubts->idle, piece->entry.key);
	if (m->depth == 1 && empty && before && before->entry.value->kind != NODE_NULL)
		return array_push(m->a, &m->doubts->emptied, piece->entry.key);
	return 0;
}

static int merge_maps(struct merge *m, const struct layers *layers, struct node *into)
{
	struct piece *pieces;
	size_t n;
	int err = gather(m->a, layers, &pieces, &n);

	if (err < 0)
		return err;
	qsort(pieces, n, sizeof(*pieces), by_piece);
	for (size_t i = 0, end; i < n; i = end) {
		struct entry merged = pieces[i].entry;
		struct layers below = {0};

		for (end = i; end < n && strcmp(pieces[end].entry.name, merged.name) == 0; end++) {
			struct node *value = pieces[end].entry.value;

			if (array_push(m->a, &below.nodes, value) < 0 ||
			    note_doubtful(m, &pieces[end], end > i ? &pieces[end - 1] : NULL) < 0)
				return -ENOMEM;
			/* It stands where it was first named, counted from the last removal. */
			if (end > i && pieces[end - 1].entry.value->kind == NODE_NULL)
				merged.key = pieces[end].entry.key;
		}
		err = merge_layers(m, &below, &merged.value);
		if (err < 0)
			return err;
		if (!merged.value)
			continue;
		merged.value->key = merged.key;
		if (array_push(m->a, &into->entries, merged) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Keeps the first of equal texts, and the order. Items that are no text are bad anyway. */
static int merge_lists(struct merge *m, const struct layers *layers, struct node *into)
{
	struct piece *pieces;
	size_t n, kept = 0;
	int err = gather(m->a, layers, &pieces, &n);

	if (err < 0)
		return err;
	qsort(pieces, n, sizeof(*pieces), by_text);
	for (size_t i = 0; i < n; i++) {
		const struct node *node = pieces[i].entry.value;
		const struct node *last = kept ? pieces[kept - 1].entry.value : NULL;

		if (!last || !node->text || !last->text || strcmp(last->text, node->text) != 0)
			pieces[kept++] = pieces[i];
	}
	qsort(pieces, kept, sizeof(*pieces), by_order);
	for (size_t i = 0; i < kept; i++)
		if (array_push(m->a, &into->entries, pieces[i].entry) < 0)
			return -ENOMEM;
	return 0;
}

static int merge_layers(struct merge *m, const struct layers *layers, struct node **ret)
{
	struct layers live = {0};
	struct node *last = layers->nodes.at[layers->nodes.n - 1], *merged;
	size_t from = layers->nodes.n;
	int err;

	/* What stands before a null or another kind of value is gone. */
	while (from && layers->nodes.at[from - 1]->kind == last->kind)
		from--;
	if (last->kind == NODE_NULL) {
		*ret = NULL;
		return 0;
	}
	merged = arena_memdup(m->a, last, sizeof(*last));
	if (!merged)
		return -ENOMEM;
	*ret = merged;
	if (last->kind == NODE_SCALAR)
		return 0;
	memset(&merged->entries, 0, sizeof(merged->entries));
	for (; from < layers->nodes.n; from++) {
		struct node *node = layers->nodes.at[from];

		if (array_push(m->a, &live.nodes, node) < 0)
			return -ENOMEM;
		merged->bad |= node->bad;
		merged->flawed |= node->flawed;
	}
	m->depth++;
	err = merged->kind == NODE_MAP ? merge_maps(m, &live, merged)
				       : merge_lists(m, &live, merged);
	m->depth--;
	return err;
}

int tree_merge(struct arena *a, const struct trees *trees, struct doubts *doubts, struct node **ret)
{
	struct merge m = {.a = a, .doubts = doubts};
	struct layers layers = {0};

	array_foreach(it, &trees->roots)
		if (array_push(a, &layers.nodes, *it) < 0)
			return -ENOMEM;
	if (layers.nodes.n)
		return merge_layers(&m, &layers, ret);
	*ret = NULL;
	return 0;
}
