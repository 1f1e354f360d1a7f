/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture-record.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

/* --- the table of operations ----------------------------------------------------------------- */

static struct record *record_of(struct tree *t)
{
	return (struct record *)t;
}

static void note_text(struct record *r, const char *path, int err, struct slice text)
{
	uint32_t at;

	if (record_process(path))
		return;
	at = record_resolve_file(r, path);
	if (at == NODE_NONE)
		return;
	if (err < 0 && !record_by_itself(err))
		record_error(r, at, err);
	/* The whole is more than a head. */
	if (err == 0 && (!r->noted->nodes.at[at].text || r->noted->nodes.at[at].size < text.n))
		record_text(r, at, text.at, text.n);
}

static int read_file(struct tree *t, const char *path, size_t max, struct arena *a,
		     const char **ret, size_t *ret_size)
{
	struct record *r = record_of(t);
	struct slice text = {0};
	int err = r->inner->ops->read(r->inner, path, max, a, &text.at, &text.n);

	note_text(r, path, err, text);
	if (err < 0)
		return err;
	*ret = text.at;
	*ret_size = text.n;
	return 0;
}

static int read_head(struct tree *t, const char *path, size_t max, struct arena *a,
		     const char **ret, size_t *ret_size)
{
	struct record *r = record_of(t);
	struct slice text = {0};
	int err = r->inner->ops->head(r->inner, path, max, a, &text.at, &text.n);

	note_text(r, path, err, text);
	if (err < 0)
		return err;
	*ret = text.at;
	*ret_size = text.n;
	return 0;
}

static int read_link(struct tree *t, const char *path, struct arena *a, const char **ret)
{
	struct record *r = record_of(t);
	int err = r->inner->ops->readlink(r->inner, path, a, ret);

	if (err == 0 && record_process(path))
		record_open(r, path, *ret);
	else if (err == 0)
		record_resolve(r, path, false);
	return err;
}

static int list_folder(struct tree *t, const char *path, struct arena *a, struct words *ret)
{
	struct record *r = record_of(t);
	int err = r->inner->ops->list(r->inner, path, a, ret);
	char folder[PATH_MAX];
	uint32_t at;

	if (record_process(path))
		return err;
	at = record_resolve(r, path, true);
	if (at == NODE_NONE || r->noted->nodes.at[at].kind != NODE_DIR)
		return err;
	if (err < 0 && !record_by_itself(err))
		record_error(r, at, err);
	if (err < 0 || !node_path(r->noted, at, folder, sizeof(folder)))
		return err;
	array_foreach(name, ret)
		if (r->inner->capture || !record_dull(folder, *name))
			record_child(r, at, *name);
	return 0;
}

static void note_stat(struct record *r, uint32_t at, const struct tree_stat *st)
{
	unsigned usual = r->noted->nodes.at[at].kind == NODE_DIR ? 0755 : 0644;
	struct node_attr *attr;

	if ((st->mode & 07777) == usual && !st->uid && !st->gid)
		return;
	attr = node_attr(r->noted, at);
	if (!record_kept(r, attr))
		return;
	attr->has_mode = true;
	attr->mode = st->mode & 07777;
	attr->uid = st->uid;
	attr->gid = st->gid;
}

static int stat_file(struct tree *t, const char *path, struct tree_stat *ret)
{
	struct record *r = record_of(t);
	int err = r->inner->ops->stat(r->inner, path, ret);
	uint32_t at;

	if (err < 0 || record_process(path))
		return err;
	at = record_resolve(r, path, true);
	if (at != NODE_NONE && at != NODE_ROOT)
		note_stat(r, at, ret);
	return 0;
}

/* The image's files and modules below its node. */
static void note_image(struct record *r, uint32_t at, const struct host_image *image)
{
	_cleanup_strbuf_ struct strbuf names = {0};
	struct tree_capture *c = r->noted;
	struct node_image noted = {
		.status = image->status, .size = image->size, .compression = image->compression};
	struct slice line;

	noted.why = image->why ? arena_strdup(c->arena, image->why) : NULL;
	array_foreach(name, &image->modules)
		strbuf_addf(&names, " %s", *name);
	line.at = arena_memdup(c->arena, strbuf_text(&names), names.len);
	line.n = names.len;
	if (!record_kept(r, line.at && !names.error && (noted.why || !image->why)) ||
	    !record_kept(r, array_push(c->arena, &noted.modules, line) == 0))
		return;
	c->nodes.at[at].kind = NODE_IMAGE;
	c->nodes.at[at].image = (uint32_t)c->images.n;
	c->nodes.at[at].first = c->nodes.at[at].last = NODE_NONE;
	c->nodes.at[at].count = 0;
	record_kept(r, array_push(c->arena, &c->images, noted) == 0);
	array_foreach(file, &image->files) {
		uint32_t inside = record_add(r, at, file->path, NODE_FILE);

		if (inside != NODE_NONE)
			record_text(r, inside, file->text, file->size);
	}
}

static int read_image(struct tree *t, const char *path, struct arena *a, struct host_image *ret)
{
	struct record *r = record_of(t);
	int err = r->inner->ops->image(r->inner, path, a, ret);
	uint32_t at;

	if (err < 0 || ret->status == IMAGE_ABSENT)
		return err;
	at = record_resolve_file(r, path);
	if (at != NODE_NONE)
		note_image(r, at, ret);
	return 0;
}

static int is_read_only(struct tree *t, const char *path)
{
	struct record *r = record_of(t);

	return r->inner->ops->read_only(r->inner, path);
}

static int attach(struct tree *t, const char *device, const char *at, uint64_t *ret_free)
{
	struct record *r = record_of(t);

	return r->inner->ops->attach(r->inner, device, at, ret_free);
}

static int read_log(struct tree *t, struct arena *a, const char **ret)
{
	struct record *r = record_of(t);
	int err = r->inner->ops->kernel_log(r->inner, a, ret);
	uint32_t folder, at;

	if (err < 0)
		return err;
	folder = record_child(r, NODE_ROOT, "proc");
	if (folder == NODE_NONE)
		return 0;
	at = node_find(r->noted, folder, "kmsg", 4);
	if (at == NODE_NONE)
		at = record_add(r, folder, "kmsg", NODE_FILE);
	if (at != NODE_NONE)
		record_text(r, at, *ret, strlen(*ret));
	return 0;
}

static const struct tree_ops record_ops = {
	.read = read_file,
	.head = read_head,
	.readlink = read_link,
	.list = list_folder,
	.stat = stat_file,
	.image = read_image,
	.read_only = is_read_only,
	.attach = attach,
	.kernel_log = read_log,
};

int record_init(struct record *r, struct tree *inner)
{
	*r = (struct record){
		.tree = {.ops = &record_ops, .live = inner->live, .capture = inner->capture},
		.inner = inner,
		.noted = tree_capture_empty(4096),
		.scratch = arena_new(),
	};
	return r->noted && r->scratch ? 0 : -ENOMEM;
}

void record_done(struct record *r)
{
	if (r->noted)
		tree_free(&r->noted->tree);
	arena_free(r->scratch);
	*r = (struct record){0};
}
