/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A capture's text as a tree of nodes; internal to tree-capture*.c. Names and texts point into a
 * copy of the capture and are decoded when they are asked for, so that opening a capture of
 * thousands of devices costs little more than finding its lines.
 */
#pragma once

#include "tree.h"

#define CAPTURE_SIZE_MAX  (64u << 20)
#define CAPTURE_NODES_MAX (4u << 20)
#define CAPTURE_NAME_MAX  255
#define CAPTURE_PATH_MAX  4095

#define CAPTURE_KERNEL_LOG "/proc/kmsg"

#define NODE_NONE UINT32_MAX
#define NODE_ROOT 0u

enum node_kind { NODE_DIR, NODE_FILE, NODE_LINK, NODE_IMAGE };

enum node_form {
	FORM_LINE,	 /* NAME = TEXT */
	FORM_BARE_LINE,	 /* NAME : TEXT */
	FORM_BLOCK,	 /* NAME << */
	FORM_BARE_BLOCK, /* NAME <| */
	FORM_BYTES,	 /* not from a capture's text: the bytes themselves */
};

struct node {
	const char *name;
	const char *text; /* of files: as in the capture; of links: the decoded target */
	uint16_t name_len;
	uint8_t kind;  /* enum node_kind */
	uint8_t form;  /* enum node_form */
	uint32_t hash; /* of parent and name, once it stands in the table */
	uint32_t parent, next;
	union {
		struct {
			uint32_t first, last, count; /* children: of folders and images */
		};
		struct {
			uint32_t raw, size; /* of files: length in the capture and decoded */
		};
	};
	uint32_t attr;	       /* index, 0: as usual */
	uint32_t image : 30;   /* index, of images */
	uint32_t named : 1;    /* a folder, by NAME/ */
	uint32_t unsorted : 1; /* its children are not in the order of their names */
};

struct node_attr {
	bool has_mode;
	unsigned mode, uid, gid;
	int error; /* negative errno of reading or listing it, 0 */
};

struct slice {
	const char *at;
	size_t n;
};

struct node_image {
	enum image_status status;
	const char *why;
	const char *compression;
	uint64_t size;
	ARRAY_OF(struct slice) modules; /* the "+" lines without the sign */
};

struct tree_capture {
	struct tree tree;
	struct arena *arena;
	ARRAY_OF(struct node) nodes;
	ARRAY_OF(struct node_attr) attrs;
	ARRAY_OF(struct node_image) images;
	/* Children of large folders by parent and name: open addressing, NODE_NONE is free. */
	uint32_t *table;
	size_t table_mask, table_used;
	uint64_t seed;
	/* The folder that was asked for last: attributes of one device are read in a row. */
	char near[CAPTURE_PATH_MAX + 1];
	size_t near_len;
	uint32_t near_node;
};

/* An empty tree with room for so many nodes. NULL: out of memory. Freed by tree_free(). */
struct tree_capture *tree_capture_empty(size_t nodes);

/* The text of a file's node, decoded, in the arena; NULL: out of memory. */
const char *node_text(const struct node *node, struct arena *a);

/* The child of that name, or NODE_NONE. */
uint32_t node_find(const struct tree_capture *c, uint32_t parent, const char *name, size_t n);

/* Adds a child; the name is borrowed. 0, -EEXIST, -ENOMEM or -EFBIG. */
int node_add(struct tree_capture *c, uint32_t parent, struct slice name, enum node_kind kind,
	     uint32_t *ret);

/*
 * Walks a path from a folder, or an absolute one from the root, following all links inside the
 * tree. 0, -ENOENT, -ENOTDIR, -ELOOP, -ENAMETOOLONG.
 */
int node_walk(struct tree_capture *c, uint32_t from, const char *path, uint32_t *ret);
int node_at(struct tree_capture *c, const char *path, uint32_t *ret);

/* The folder that the first n bytes of an absolute path lead to; the last one is remembered. */
int node_folder(struct tree_capture *c, const char *path, size_t n, uint32_t *ret);

/* The node's attributes for writing, made when there are none. NULL: out of memory. */
struct node_attr *node_attr(struct tree_capture *c, uint32_t node);

/* Reads a capture into an empty c, whose root node exists. 0, -EBADMSG with diagnostics, -ENOMEM.
 */
int capture_parse(struct tree_capture *c, const char *name, struct slice text, struct diags *diags);
