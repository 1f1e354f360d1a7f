/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tree over a capture's text: what is read from its nodes. */
#include "tree-capture.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "capture-text.h"

#define TABLE_FIRST 64 /* places of the table, a power of two */
#define LINE_USUAL  24 /* bytes */

/* --- the table of operations ----------------------------------------------------------------- */

static struct tree_capture *capture_of(struct tree *t)
{
	return (struct tree_capture *)t;
}

static int error_of(const struct tree_capture *c, const struct node *node)
{
	return node->attr ? c->attrs.at[node->attr].error : 0;
}

static void decode_block(const struct node *node, char *to)
{
	const char *p = node->text, *end = p + node->raw;
	size_t size = 0;

	while (p < end) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));

		/* One tab in front, one newline behind. */
		size += capture_decode(p + 1, (size_t)(stop - p - 1), to + size);
		if (size < node->size)
			to[size++] = '\n';
		p = stop + 1;
	}
}

const char *node_text(const struct node *node, struct arena *a)
{
	char *to = arena_alloc(a, (size_t)node->size + 1);
	size_t n;

	if (!to)
		return NULL;
	switch ((enum node_form)node->form) {
	case FORM_LINE:
	case FORM_BARE_LINE:
		n = capture_decode(node->text, node->raw, to);
		if (n < node->size)
			to[n] = '\n';
		break;
	case FORM_BLOCK:
	case FORM_BARE_BLOCK:
		decode_block(node, to);
		break;
	case FORM_BYTES:
		if (node->size)
			memcpy(to, node->text, node->size);
		break;
	}
	return to;
}

static int read_file(struct tree *t, const char *path, size_t max, struct arena *a,
		     const char **ret, size_t *ret_size)
{
	struct tree_capture *c = capture_of(t);
	const struct node *node;
	const char *text;
	uint32_t at;
	int r = node_at(c, path, &at);

	if (r < 0)
		return r;
	node = &c->nodes.at[at];
	if (node->kind == NODE_DIR)
		return -EISDIR;
	if (node->kind == NODE_IMAGE)
		return c->images.at[node->image].size > max ? -EFBIG : -EINVAL;
	r = error_of(c, node);
	if (r < 0)
		return r;
	if (node->size > max)
		return -EFBIG;
	text = node_text(node, a);
	if (!text)
		return -ENOMEM;
	*ret = text;
	*ret_size = node->size;
	return 0;
}

static int read_link(struct tree *t, const char *path, struct arena *a, const char **ret)
{
	struct tree_capture *c = capture_of(t);
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *copy;
	uint32_t at;
	int r;

	if (!*name)
		return -EINVAL;
	r = node_folder(c, path, slash ? (size_t)(slash - path) : 0, &at);
	if (r < 0)
		return r;
	if (c->nodes.at[at].kind != NODE_DIR)
		return -ENOTDIR;
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EINVAL;
	at = node_find(c, at, name, strlen(name));
	if (at == NODE_NONE)
		return -ENOENT;
	if (c->nodes.at[at].kind != NODE_LINK)
		return -EINVAL;
	copy = arena_strdup(a, c->nodes.at[at].text);
	if (!copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int list_folder(struct tree *t, const char *path, struct arena *a, struct words *ret)
{
	struct tree_capture *c = capture_of(t);
	struct words names = {0};
	bool sorted = true;
	uint32_t at;
	int r = node_at(c, path, &at);

	if (r < 0)
		return r;
	if (c->nodes.at[at].kind != NODE_DIR)
		return -ENOTDIR;
	r = error_of(c, &c->nodes.at[at]);
	if (r < 0)
		return r;
	for (uint32_t i = c->nodes.at[at].first; i != NODE_NONE; i = c->nodes.at[i].next) {
		const char *copy = arena_memdup(a, c->nodes.at[i].name, c->nodes.at[i].name_len);

		if (!copy || array_push(a, &names, copy) < 0)
			return -ENOMEM;
		if (names.n > 1 && strcmp(names.at[names.n - 2], copy) > 0)
			sorted = false;
	}
	if (!sorted)
		qsort(names.at, names.n, sizeof(*names.at), by_bytes);
	*ret = names;
	return 0;
}

static int stat_file(struct tree *t, const char *path, struct tree_stat *ret)
{
	struct tree_capture *c = capture_of(t);
	struct tree_stat st = {0};
	const struct node *node;
	uint32_t at;
	int r = node_at(c, path, &at);

	if (r < 0)
		return r;
	node = &c->nodes.at[at];
	st.mode = node->kind == NODE_DIR ? S_IFDIR | 0755 : S_IFREG | 0644;
	if (node->kind == NODE_FILE)
		st.size = node->size;
	if (node->kind == NODE_IMAGE)
		st.size = c->images.at[node->image].size;
	if (node->attr && c->attrs.at[node->attr].has_mode) {
		const struct node_attr *attr = &c->attrs.at[node->attr];

		st.mode = (st.mode & S_IFMT) | attr->mode;
		st.uid = attr->uid;
		st.gid = attr->gid;
	}
	st.ino = at + 1;
	*ret = st;
	return 0;
}

static int image_files(const struct tree_capture *c, const struct node *image, struct arena *a,
		       struct host_image *ret)
{
	for (uint32_t i = image->first; i != NODE_NONE; i = c->nodes.at[i].next) {
		const struct node *node = &c->nodes.at[i];
		struct image_file *file = array_add(a, &ret->files);

		if (!file)
			return -ENOMEM;
		file->path = arena_memdup(a, node->name, node->name_len);
		file->text = node_text(node, a);
		file->size = node->size;
		if (!file->path || !file->text)
			return -ENOMEM;
	}
	return 0;
}

static int image_modules(const struct node_image *from, struct arena *a, struct host_image *ret)
{
	array_foreach(line, &from->modules) {
		const char *p = line->at, *end = p + line->n;

		while (p < end) {
			const char *stop = memchr(p, ' ', (size_t)(end - p));
			size_t n = stop ? (size_t)(stop - p) : (size_t)(end - p);
			const char *copy = n ? arena_strndup(a, p, n) : NULL;

			if (n && (!copy || array_push(a, &ret->modules, copy) < 0))
				return -ENOMEM;
			p += n + 1;
		}
	}
	return 0;
}

static int read_image(struct tree *t, const char *path, struct arena *a, struct host_image *ret)
{
	struct tree_capture *c = capture_of(t);
	struct host_image image = {.status = IMAGE_ABSENT};
	const struct node_image *from;
	uint32_t at;
	int r = node_at(c, path, &at);

	image.path = arena_strdup(a, path);
	if (!image.path)
		return -ENOMEM;
	if (r == 0 && c->nodes.at[at].kind == NODE_IMAGE) {
		from = &c->images.at[c->nodes.at[at].image];
		image.status = from->status;
		image.size = from->size;
		image.why = from->why ? arena_strdup(a, from->why) : NULL;
		image.compression = from->compression;
		if (from->why && !image.why)
			return -ENOMEM;
		if (image_files(c, &c->nodes.at[at], a, &image) < 0 ||
		    image_modules(from, a, &image) < 0)
			return -ENOMEM;
	} else if (r == 0) {
		image.status = IMAGE_BAD;
		image.why = "not an initramfs image";
	} else if (r != -ENOENT && r != -ENOTDIR) {
		image.status = IMAGE_UNREADABLE;
		image.why = arena_strdup(a, strerror(-r));
		if (!image.why)
			return -ENOMEM;
	}
	*ret = image;
	return 0;
}

static struct tree *capture_free(struct tree *t)
{
	struct tree_capture *c = capture_of(t);

	free(c->table);
	arena_free(c->arena);
	free(c);
	return NULL;
}

/* A capture holds little of what is long: its head is cut from the whole. */
static int read_head(struct tree *t, const char *path, size_t max, struct arena *a,
		     const char **ret, size_t *ret_size)
{
	const char *text;
	size_t size;
	int r = read_file(t, path, SIZE_MAX, a, &text, &size);

	if (r < 0)
		return r;
	if (size > max) {
		text = arena_memdup(a, text, max);
		size = max;
	}
	if (!text)
		return -ENOMEM;
	*ret = text;
	*ret_size = size;
	return 0;
}

static int is_read_only(struct tree *t _unused_, const char *path _unused_)
{
	return -EOPNOTSUPP;
}

/* What was seen of the device lies there. */
static int attach(struct tree *t, const char *device _unused_, const char *at, uint64_t *ret_free)
{
	struct tree_stat st;
	int err = stat_file(t, at, &st);

	if (err == 0)
		*ret_free = UINT64_MAX;
	return err;
}

/* A capture of a running system has what counts of its log here. */
static int read_log(struct tree *t, struct arena *a, const char **ret)
{
	size_t size;
	int r = read_file(t, CAPTURE_KERNEL_LOG, SIZE_MAX, a, ret, &size);

	return r == 0 || r == -ENOMEM ? r : -EOPNOTSUPP;
}

static const struct tree_ops capture_ops = {
	.read = read_file,
	.head = read_head,
	.readlink = read_link,
	.list = list_folder,
	.stat = stat_file,
	.image = read_image,
	.read_only = is_read_only,
	.attach = attach,
	.kernel_log = read_log,
	.free = capture_free,
};

/* --- opening --------------------------------------------------------------------------------- */

struct tree_capture *tree_capture_empty(size_t nodes)
{
	struct tree_capture *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	if (nodes > CAPTURE_NODES_MAX)
		nodes = CAPTURE_NODES_MAX;
	c->tree = (struct tree){.ops = &capture_ops, .capture = true};
	/* Differs from run to run where addresses do, so that names cannot be chosen to collide. */
	c->seed = (uint64_t)(uintptr_t)c;
	c->arena = arena_new();
	if (c->arena) {
		c->nodes.at = arena_alloc(c->arena, (nodes + 16) * sizeof(*c->nodes.at));
		c->nodes.cap = nodes + 16;
	}
	c->table = malloc(TABLE_FIRST * sizeof(*c->table));
	c->table_mask = TABLE_FIRST - 1;
	if (!c->arena || !c->nodes.at || !c->table) {
		capture_free(&c->tree);
		return NULL;
	}
	memset(c->table, 0xff, TABLE_FIRST * sizeof(*c->table));
	c->nodes.n = 1;
	c->nodes.at[NODE_ROOT] =
		(struct node){.name = "", .next = NODE_NONE, .first = NODE_NONE, .last = NODE_NONE};
	return c;
}

int tree_capture_new(const char *name, const char *text, size_t size, struct diags *diags,
		     struct tree **ret)
{
	_cleanup_tree_ struct tree *t = NULL;
	struct tree_capture *c;
	struct slice copy;
	int r;

	if (size > CAPTURE_SIZE_MAX) {
		diags_add(diags, SEVERITY_ERROR, CODE_TOO_LARGE, (struct place){.file = name}, NULL,
			  "a capture may have %u MiB at most", CAPTURE_SIZE_MAX >> 20);
		return -EBADMSG;
	}
	/* Lines of usual length: little grows while they are read. */
	c = tree_capture_empty(size / LINE_USUAL);
	if (!c)
		return -ENOMEM;
	t = &c->tree;
	copy.at = arena_memdup(c->arena, text, size);
	copy.n = size;
	if (!copy.at)
		return -ENOMEM;
	r = capture_parse(c, name, copy, diags);
	if (r < 0)
		return r;
	*ret = TAKE(t);
	return 0;
}
