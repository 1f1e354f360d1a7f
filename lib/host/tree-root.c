/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tree over a root directory, and what both trees share. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/statvfs.h>

#include "image.h"
#include "tree.h"

/* Actions of syslog(2), which has no header for them. */
#define KLOG_READ_ALL 3
#define KLOG_SIZE     10

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

static int read_head(struct tree *t, const char *path, size_t max, struct arena *a,
		     const char **ret, size_t *ret_size)
{
	_cleanup_close_ int fd = root_openat(root_of(t), path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	char *bytes;
	size_t size = 0;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	bytes = arena_alloc(a, max + 1);
	if (!bytes)
		return -ENOMEM;
	while (size < max) {
		ssize_t n = read(fd, bytes + size, max - size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		size += (size_t)n;
	}
	*ret = bytes;
	*ret_size = size;
	return 0;
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

static int is_read_only(struct tree *t, const char *path)
{
	_cleanup_close_ int fd = root_openat(root_of(t), path, O_PATH);
	struct statvfs vfs;

	if (fd < 0)
		return fd;
	if (fstatvfs(fd, &vfs) < 0)
		return -errno;
	return vfs.f_flag & ST_RDONLY ? 1 : 0;
}

static int read_log(struct tree *t, struct arena *a, const char **ret)
{
	_cleanup_free_ char *bytes = NULL;
	const char *text;
	int size;

	if (!t->live)
		return -EOPNOTSUPP;
	size = klogctl(KLOG_SIZE, NULL, 0);
	if (size < 0)
		return -errno;
	bytes = malloc((size_t)size + 1);
	if (!bytes)
		return -ENOMEM;
	size = klogctl(KLOG_READ_ALL, bytes, size);
	if (size < 0)
		return -errno;
	text = arena_strndup(a, bytes, (size_t)size);
	if (!text)
		return -ENOMEM;
	*ret = text;
	return 0;
}

static struct tree *tree_root_free(struct tree *t)
{
	free(t);
	return NULL;
}

static const struct tree_ops root_ops = {
	.read = read_file,
	.head = read_head,
	.readlink = read_link,
	.list = list_folder,
	.stat = stat_file,
	.image = read_image,
	.read_only = is_read_only,
	.kernel_log = read_log,
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
