/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * YAML to a tree in which every node knows its place. The subset that configuration needs: one
 * document, no anchors, aliases or tags; limited in depth and in nodes. The only user of libyaml.
 */
#pragma once

#include "source.h"

#define TREE_DEPTH_MAX 32		   /* a spec has six */
#define TREE_NODES_MAX (SPEC_FILE_MAX / 4) /* a spec that can be written has fewer */

enum node_kind { NODE_NULL, NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node;

struct entry {
	struct node *key; /* NULL in a list */
	const char *name; /* the key as it counts: as written, or in its normal form once read */
	struct node *value;
};

struct node {
	enum node_kind kind;
	bool plain;  /* a scalar without quotes */
	bool bad;    /* wrong, and reported */
	bool flawed; /* something inside is bad */
	unsigned line, column;
	const char *text; /* of a scalar */
	struct source *source;
	struct node *key;		/* of a value in a mapping */
	ARRAY_OF(struct entry) entries; /* of a list or mapping */
};

/*
 * Reads a source. *ret is the root, NULL for an empty document. What breaks YAML is reported and
 * sets source->cut; the tree then holds what stands before it. Returns 0 or -ENOMEM.
 */
int tree_read(struct arena *a, struct source *source, struct diags *diags, struct node **ret);

/* The value of a key in a mapping, by name; NULL when there is none or node is no mapping. */
struct node *tree_get(const struct node *node, const char *name);

/* Reports each entry whose name an earlier entry of the mapping has; marks it bad. 0, -ENOMEM. */
int tree_find_repeats(struct arena *a, struct node *map, struct diags *diags);

/*
 * Merges trees in order: mappings by key, lists without repeats, anything else replaced by the
 * later, null removes. Entries of merged mappings come out sorted by name. *ret is NULL when
 * nothing is left. The inputs' nodes are shared, not copied, and not changed. doubts may be NULL.
 * Returns 0 or -ENOMEM.
 */
struct trees {
	ARRAY_OF(struct node *) roots;
};
struct doubts {				 /* keys of removals that may be slips */
	ARRAY_OF(struct node *) idle;	 /* below the top, nothing there to remove */
	ARRAY_OF(struct node *) emptied; /* at the top, without a word, and something was there */
};
int tree_merge(struct arena *a, const struct trees *trees, struct doubts *doubts,
	       struct node **ret);

/* Where it stands, for diagnostics and for the spec. */
struct place node_place(const struct node *node);

/* "a list", "the text \"x\"", ...: what a node is, for people. Returns buf. */
#define NODE_SHOWN_SIZE 96
const char *node_shown(const struct node *node, char buf[static NODE_SHOWN_SIZE]);
