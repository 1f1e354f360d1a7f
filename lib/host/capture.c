/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes a capture: everything that observe asks for, noted, masked, as text. */
#include "capture.h"

#include <errno.h>
#include <string.h>

#include "capture-mask.h"
#include "capture-put.h"
#include "capture-record.h"
#include "capture-text.h"
#include "observe.h"

/* --- from nodes to text ---------------------------------------------------------------------- */

struct writer {
	struct tree_capture *c;
	struct strbuf *out;
	struct arena *arena;
	const struct masks *masks;
	bool lost;
};

struct named {
	const char *name; /* as it is written */
	uint32_t node;
};

struct children {
	ARRAY_OF(struct named) list;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static struct children children_of(struct writer *w, uint32_t folder)
{
	struct children children = {0};

	for (uint32_t i = w->c->nodes.at[folder].first; i != NODE_NONE;
	     i = w->c->nodes.at[i].next) {
		struct named child = {masked_name(w->masks, &w->c->nodes.at[i], w->arena), i};

		if (!child.name || array_push(w->arena, &children.list, child) < 0)
			w->lost = true;
	}
	if (children.list.n)
		qsort(children.list.at, children.list.n, sizeof(*children.list.at), by_name);
	return children;
}

static struct host_image image_at(struct writer *w, const char *path)
{
	struct host_image image = {.status = IMAGE_BAD, .why = "lost"};

	if (w->c->tree.ops->image(&w->c->tree, path, w->arena, &image) < 0)
		w->lost = true;
	return image;
}

static const char *path_of(struct writer *w, uint32_t node)
{
	char path[CAPTURE_PATH_MAX + 1];
	const char *copy = NULL;

	if (node_path(w->c, node, path, sizeof(path)))
		copy = arena_strdup(w->arena, path);
	w->lost |= !copy;
	return copy ? copy : "/";
}

static void put_attr(struct writer *w, const struct named *child)
{
	const struct node *node = &w->c->nodes.at[child->node];
	const struct node_attr *attr = &w->c->attrs.at[node->attr];
	const char *error = attr->error ? strerrorname_np(-attr->error) : NULL;

	if (attr->error && node->kind == NODE_DIR)
		capture_put_error(w->out, child->name, error);
	if (attr->has_mode)
		capture_put_mode(w->out, child->name, attr->mode, attr->uid, attr->gid);
}

static void put_file(struct writer *w, const struct named *child)
{
	const struct node *node = &w->c->nodes.at[child->node];
	int error = node->attr ? w->c->attrs.at[node->attr].error : 0;
	const char *text;

	if (error) {
		capture_put_error(w->out, child->name, strerrorname_np(-error));
		return;
	}
	text = node_text(node, w->arena);
	w->lost |= !text;
	if (text)
		capture_put_file(w->out, child->name, text, node->size);
}

static void put_child(struct writer *w, const struct named *child)
{
	const struct node *node = &w->c->nodes.at[child->node];
	struct host_image image;

	switch ((enum node_kind)node->kind) {
	case NODE_DIR:
		/* Others are there by what stands in them. */
		if (node->first == NODE_NONE || node->attr)
			capture_put_folder(w->out, child->name);
		break;
	case NODE_FILE:
		put_file(w, child);
		break;
	case NODE_LINK:
		capture_put_link(w->out, child->name, node->text);
		break;
	case NODE_IMAGE:
		image = image_at(w, path_of(w, child->node));
		capture_put_image_line(w->out, child->name, &image);
		break;
	}
	if (node->attr)
		put_attr(w, child);
}

static bool has_line(const struct node *node)
{
	return node->kind != NODE_DIR || node->first == NODE_NONE || node->attr;
}

/* path is the folder's as it is written; it is left as it was. */
static void put_folder(struct writer *w, uint32_t folder, struct strbuf *path)
{
	struct children children = children_of(w, folder);
	size_t n = path->len;
	bool head = false;

	array_foreach(child, &children.list) {
		if (!has_line(&w->c->nodes.at[child->node]))
			continue;
		if (!head)
			capture_put_section(w->out, n ? strbuf_text(path) : "/");
		head = true;
		put_child(w, child);
	}
	array_foreach(child, &children.list) {
		enum node_kind kind = (enum node_kind)w->c->nodes.at[child->node].kind;

		strbuf_addf(path, "/%s", child->name);
		w->lost |= path->error != 0;
		if (w->lost)
			return;
		if (kind == NODE_IMAGE) {
			struct host_image image = image_at(w, path_of(w, child->node));

			capture_put_image(w->out, strbuf_text(path), &image);
		} else if (kind == NODE_DIR) {
			put_folder(w, child->node, path);
		}
		path->len = n;
		path->text[n] = '\0';
	}
}

/* --- observing ------------------------------------------------------------------------------- */

static int observe_all(struct record *r, struct host **ret)
{
	struct words modules = {0};
	struct observe_options options = {
		.aliases = true,
		.images = true,
		.holders = true,
		.serials = true,
		.labels = true,
		.modules = &modules,
	};
	int err = r->inner->ops->list(r->inner, "/sys/module", r->scratch, &modules);

	if (err == -ENOMEM)
		return err;
	return host_observe(&r->tree, &options, ret);
}

int capture_write(struct tree *tree, struct strbuf *out)
{
	_cleanup_(record_done) struct record r = {0};
	_cleanup_host_ struct host *host = NULL;
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_strbuf_ struct strbuf path = {0};
	struct masks masks = {.arena = a};
	struct writer w = {.out = out, .arena = a, .masks = &masks};
	int err = a ? record_init(&r, tree) : -ENOMEM;

	if (err == 0)
		err = observe_all(&r, &host);
	if (err < 0 || r.lost)
		return err < 0 ? err : -ENOMEM;
	w.c = r.noted;
	err = masks_apply(&masks, r.noted, host);
	if (err < 0)
		return err;
	strbuf_add(out, CAPTURE_FIRST_LINE "\n");
	put_folder(&w, NODE_ROOT, &path);
	strbuf_add(out, CAPTURE_END_MARK "\n");
	return w.lost ? -ENOMEM : out->error;
}
