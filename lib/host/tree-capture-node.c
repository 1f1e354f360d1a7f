/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The nodes of a capture: found by parent and name in one table, paths walked as a kernel would. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "tree-capture.h"

#define CHILDREN_FEW 24
#define LINKS_MAX    40 /* as the kernel's MAXSYMLINKS: then -ELOOP */

/* --- nodes --------------------------------------------------------------------------------- */

/* Whether a node's children stand in the table. */
static bool in_table(const struct node *parent)
{
	return parent->kind != NODE_DIR || parent->count > CHILDREN_FEW;
}

static uint32_t hash_name(uint64_t seed, uint32_t parent, const char *s, size_t n)
{
	const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t h = (seed ^ parent) * odd ^ n, w;

	for (; n >= 8; s += 8, n -= 8) {
		memcpy(&w, s, 8);
		h = (h ^ w) * odd;
		h ^= h >> 29;
	}
	w = 0;
	memcpy(&w, s, n);
	h = (h ^ w) * odd;
	return (uint32_t)(h >> 32);
}

static uint32_t find_hashed(const struct tree_capture *c, uint32_t parent, const char *name,
			    size_t n, uint32_t hash)
{
	for (size_t i = hash & c->table_mask;; i = (i + 1) & c->table_mask) {
		uint32_t at = c->table[i];
		const struct node *node;

		if (at == NODE_NONE)
			return NODE_NONE;
		node = &c->nodes.at[at];
		if (node->hash == hash && node->parent == parent && node->name_len == n &&
		    memcmp(node->name, name, n) == 0)
			return at;
	}
}

/* Few children stand close together: looking through them costs less than a miss of the table. */
static uint32_t find_among(const struct tree_capture *c, uint32_t first, const char *name, size_t n)
{
	uint32_t at = first;

	for (; at != NODE_NONE; at = c->nodes.at[at].next)
		if (c->nodes.at[at].name_len == n && memcmp(c->nodes.at[at].name, name, n) == 0)
			break;
	return at;
}

uint32_t node_find(const struct tree_capture *c, uint32_t parent, const char *name, size_t n)
{
	const struct node *node = &c->nodes.at[parent];

	if (!in_table(node))
		return find_among(c, node->first, name, n);
	return find_hashed(c, parent, name, n, hash_name(c->seed, parent, name, n));
}

static void table_put(struct tree_capture *c, uint32_t at)
{
	struct node *node = &c->nodes.at[at];
	size_t i;

	node->hash = hash_name(c->seed, node->parent, node->name, node->name_len);
	i = node->hash & c->table_mask;
	while (c->table[i] != NODE_NONE)
		i = (i + 1) & c->table_mask;
	c->table[i] = at;
	c->table_used++;
}

static int table_resize(struct tree_capture *c, size_t size)
{
	uint32_t *table = malloc(size * sizeof(*table));

	if (!table)
		return -ENOMEM;
	memset(table, 0xff, size * sizeof(*table));
	free(c->table);
	c->table = table;
	c->table_mask = size - 1;
	c->table_used = 0;
	/* The root, node 0, is nobody's child. */
	for (uint32_t i = 1; i < c->nodes.n; i++)
		if (in_table(&c->nodes.at[c->nodes.at[i].parent]))
			table_put(c, i);
	return 0;
}

/* Whether a name comes after those of all children: then there is none of that name. */
static bool comes_last(const struct tree_capture *c, uint32_t parent, struct slice name)
{
	const struct node *node = &c->nodes.at[parent], *last;
	size_t n;
	int order;

	if (node->unsorted)
		return false;
	if (node->last == NODE_NONE)
		return true;
	last = &c->nodes.at[node->last];
	n = last->name_len < name.n ? last->name_len : name.n;
	order = memcmp(last->name, name.at, n);
	return order < 0 || (order == 0 && last->name_len < name.n);
}

/* Enters the newest child, or all of a folder that has become large. */
static int enter(struct tree_capture *c, uint32_t parent, uint32_t at)
{
	const struct node *node = &c->nodes.at[parent];
	bool all = node->kind == NODE_DIR && node->count == CHILDREN_FEW + 1;

	if (!in_table(node))
		return 0;
	if ((c->table_used + CHILDREN_FEW + 1) * 2 > c->table_mask)
		return table_resize(c, (c->table_mask + 1) * 2);
	for (uint32_t i = all ? node->first : at; i != NODE_NONE; i = c->nodes.at[i].next)
		table_put(c, i);
	return 0;
}

int node_add(struct tree_capture *c, uint32_t parent, struct slice name, enum node_kind kind,
	     uint32_t *ret)
{
	uint32_t at = (uint32_t)c->nodes.n;
	bool unsorted = !comes_last(c, parent, name);
	struct node *node;

	if (unsorted && node_find(c, parent, name.at, name.n) != NODE_NONE)
		return -EEXIST;
	if (at >= CAPTURE_NODES_MAX)
		return -EFBIG;
	if (at < c->nodes.cap)
		node = &c->nodes.at[c->nodes.n++];
	else
		node = array_add(c->arena, &c->nodes);
	if (!node)
		return -ENOMEM;
	node->name = name.at;
	node->name_len = (uint16_t)name.n;
	node->kind = (uint8_t)kind;
	node->parent = parent;
	node->next = NODE_NONE;
	if (kind == NODE_DIR || kind == NODE_IMAGE)
		node->first = node->last = NODE_NONE;
	node = &c->nodes.at[parent];
	node->unsorted = unsorted;
	if (node->last == NODE_NONE)
		node->first = at;
	else
		c->nodes.at[node->last].next = at;
	node->last = at;
	node->count++;
	*ret = at;
	return enter(c, parent, at);
}

struct node_attr *node_attr(struct tree_capture *c, uint32_t node)
{
	/* Index 0 stands for none. */
	if (!c->attrs.n && !array_add(c->arena, &c->attrs))
		return NULL;
	if (!c->nodes.at[node].attr) {
		if (!array_add(c->arena, &c->attrs))
			return NULL;
		c->nodes.at[node].attr = (uint32_t)c->attrs.n - 1;
	}
	return &c->attrs.at[c->nodes.at[node].attr];
}

/* --- paths --------------------------------------------------------------------------------- */

struct walk {
	uint32_t node;
	unsigned links;
	char path[2][PATH_MAX]; /* what is left to walk once a link was met */
	unsigned which;
};

/* Continues with a link's target and then the rest of the path. */
static int follow(struct tree_capture *c, struct walk *w, uint32_t link, const char **path)
{
	const char *target = c->nodes.at[link].text;
	size_t n = strlen(target), rest = strlen(*path);
	char *to = w->path[w->which ^= 1];

	if (++w->links > LINKS_MAX)
		return -ELOOP;
	if (n + rest + 2 > PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(to, target, n);
	to[n] = '/';
	memcpy(to + n + 1, *path, rest + 1);
	if (!rest)
		to[n] = '\0';
	if (*target == '/')
		w->node = NODE_ROOT;
	*path = to;
	return 0;
}

/* One step down from a folder. *path is behind the name already. */
static int step(struct tree_capture *c, struct walk *w, struct slice name, const char **path)
{
	uint32_t next;

	if (c->nodes.at[w->node].kind != NODE_DIR)
		return -ENOTDIR;
	if (name.n == 1 && name.at[0] == '.')
		return 0;
	if (name.n == 2 && name.at[0] == '.' && name.at[1] == '.') {
		w->node = c->nodes.at[w->node].parent;
		return 0;
	}
	if (name.n > CAPTURE_NAME_MAX)
		return -ENAMETOOLONG;
	next = node_find(c, w->node, name.at, name.n);
	if (next == NODE_NONE)
		return -ENOENT;
	if (c->nodes.at[next].kind == NODE_LINK)
		return follow(c, w, next, path);
	w->node = next;
	return 0;
}

int node_walk(struct tree_capture *c, uint32_t from, const char *path, uint32_t *ret)
{
	struct walk w;

	w.node = from;
	w.links = w.which = 0;
	for (;;) {
		struct slice name;
		bool folder;
		int r;

		while (*path == '/')
			path++;
		if (!*path)
			break;
		name.at = path;
		name.n = strcspn(path, "/");
		path += name.n;
		folder = *path == '/';
		r = step(c, &w, name, &path);
		if (r < 0)
			return r;
		if (folder && c->nodes.at[w.node].kind != NODE_DIR)
			return -ENOTDIR;
	}
	*ret = w.node;
	return 0;
}

int node_folder(struct tree_capture *c, const char *path, size_t n, uint32_t *ret)
{
	char folder[sizeof(c->near)];
	uint32_t dir;
	int r;

	if (n >= sizeof(folder))
		return -ENAMETOOLONG;
	if (n != c->near_len || memcmp(path, c->near, n) != 0) {
		memcpy(folder, path, n);
		folder[n] = '\0';
		r = node_walk(c, NODE_ROOT, folder, &dir);
		if (r < 0)
			return r;
		memcpy(c->near, folder, n + 1);
		c->near_len = n;
		c->near_node = dir;
	}
	*ret = c->near_node;
	return 0;
}

int node_at(struct tree_capture *c, const char *path, uint32_t *ret)
{
	const char *slash = strrchr(path, '/');
	uint32_t dir;
	int r;

	if (!slash || !slash[1])
		return node_walk(c, NODE_ROOT, path, ret);
	r = node_folder(c, path, (size_t)(slash - path), &dir);
	return r < 0 ? r : node_walk(c, dir, slash + 1, ret);
}
