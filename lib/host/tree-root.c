/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tree over a root directory, and what both trees share. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "image.h"
#include "tree.h"

struct tree_root {
	struct tree tree;
	const struct root *root;
};

static const struct root *root_of(const struct tree *t)
{
	return ((const struct tree_root *)t)->root;
}

static int read_file(struct tree *t, const char *path, size_t max, struct arena *a,
		     const char **ret, size_t *ret_size)
{
	return root_read(root_of(t), path, max, a, ret, ret_size);
}

static int read_link(struct tree *t, const char *path, struct arena *a, const char **ret)
{
	return root_readlink(root_of(t), path, a, ret);
}

static int list_folder(struct tree *t, const char *path, struct arena *a, struct words *ret)
{
	return root_list(root_of(t), path, a, ret);
}

static int64_t in_ns(struct timespec ts)
{
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static struct tree_stat stat_from(const struct stat *st)
{
	return (struct tree_stat){
		.mode = st->st_mode,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.size = (uint64_t)st->st_size,
		.dev = st->st_dev,
		.ino = st->st_ino,
		.mtime_ns = in_ns(st->st_mtim),
		.ctime_ns = in_ns(st->st_ctim),
	};
}

static int stat_file(struct tree *t, const char *path, struct tree_stat *ret)
{
	struct stat st;
	int r = root_stat(root_of(t), path, &st);

	if (r < 0)
		return r;
	*ret = stat_from(&st);
	return 0;
}

static int read_image(struct tree *t, const char *path, struct arena *a, struct host_image *ret)
{
	_cleanup_close_ int fd = root_openat(root_of(t), path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	struct host_image image = {.status = IMAGE_ABSENT};

	image.path = arena_strdup(a, path);
	if (!image.path)
		return -ENOMEM;
	if (fd < 0 && fd != -ENOENT && fd != -ENOTDIR) {
		image.status = IMAGE_UNREADABLE;
		image.why = arena_strdup(a, strerror(-fd));
		if (!image.why)
			return -ENOMEM;
	}
	*ret = image;
	return 0;
}

static struct tree *tree_root_free(struct tree *t)
{
	free(t);
	return NULL;
}

static const struct tree_ops root_ops = {
	.read = read_file,
	.readlink = read_link,
	.list = list_folder,
	.stat = stat_file,
	.image = read_image,
	.free = tree_root_free,
};

int tree_root_new(const struct root *root, const char *cache_path, struct tree **ret)
{
	struct tree_root *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	(void)cache_path;
	t->tree = (struct tree){.ops = &root_ops, .live = root_is_live(root)};
	t->root = root;
	*ret = &t->tree;
	return 0;
}

struct tree *tree_free(struct tree *t)
{
	return t ? t->ops->free(t) : NULL;
}
