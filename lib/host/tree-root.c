/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tree over a root directory, and what both trees share. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/statvfs.h>
#include <time.h>

#include "image-cache.h"
#include "image.h"
#include "tree-attach.h"
#include "tree-near.h"
#include "tree.h"

#define CACHE_SIZE_MAX (8u << 20)
#define IMAGE_MAX      (1u << 30)
#define CLOCK_TICK_NS  20000000 /* file time stamps move in steps of a tick, 10 ms at most */

/* Actions of syslog(2), which has no header for them. */
#define KLOG_READ_ALL 3
#define KLOG_SIZE     10

struct tree_root {
	struct tree tree;
	const struct root *root;
	struct near near;	   /* attributes of one device are read in a row */
	char *cache_path;	   /* NULL: nothing is remembered */
	struct image_cache *cache; /* NULL: not asked for yet */
	struct attachments attached;
};

static const struct root *root_of(const struct tree *t)
{
	return ((const struct tree_root *)t)->root;
}

static struct attached *attached_at(const struct tree *t, const char *path, const char **ret_inside)
{
	return attached_of(&((const struct tree_root *)t)->attached, path, ret_inside);
}

/* No descriptor is left to us: a file that could not be opened for it is not absent. */
static int heed(struct tree *t, int r)
{
	if (r == -EMFILE || r == -ENFILE)
		t->trouble = r;
	return r;
}

static int read_file(struct tree *t, const char *path, size_t max, struct arena *a,
		     const char **ret, size_t *ret_size)
{
	struct tree_root *root = (struct tree_root *)t;
	struct attached *device = attached_at(t, path, &path);
	_cleanup_close_ int fd = -1;

	if (device)
		return attached_read(device, path, max, a, ret, ret_size);
	fd = near_open(&root->near, root->root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	return fd < 0 ? heed(t, fd) : root_read_fd(fd, max, a, ret, ret_size);
}

static int read_head(struct tree *t, const char *path, size_t max, struct arena *a,
		     const char **ret, size_t *ret_size)
{
	_cleanup_close_ int fd = root_openat(root_of(t), path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	char *bytes;
	size_t size = 0;

	if (fd < 0)
		return heed(t, fd);
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
	struct tree_root *root = (struct tree_root *)t;
	char target[PATH_MAX];
	const char *name, *copy;
	ssize_t n;
	int folder;

	if (attached_at(t, path, &name))
		return -EINVAL; /* FAT has none */
	folder = near_folder(&root->near, root->root, path, &name);
	if (folder < 0)
		return heed(t, root_readlink(root->root, path, a, ret));
	n = readlinkat(folder, name, target, sizeof(target));
	if (n < 0)
		return -errno;
	copy = arena_strndup(a, target, (size_t)n);
	if (!copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

static int list_folder(struct tree *t, const char *path, struct arena *a, struct words *ret)
{
	struct tree_root *root = (struct tree_root *)t;
	struct attached *device = attached_at(t, path, &path);
	_cleanup_close_ int fd = -1;
	int r;

	if (device)
		return attached_list(device, path, a, ret);
	fd = root_openat(root->root, path, O_RDONLY | O_DIRECTORY);
	r = fd < 0 ? fd : root_list_fd(fd, a, ret);
	/* What stands in it is asked for next. */
	if (r == 0)
		near_set(&root->near, path, strlen(path), take_fd(&fd));
	return heed(t, r);
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
	struct tree_root *root = (struct tree_root *)t;
	struct attached *device = attached_at(t, path, &path);
	const char *name;
	struct stat st;
	int folder, r;

	if (device)
		return attached_stat(device, path, ret);
	folder = near_folder(&root->near, root->root, path, &name);
	if (folder >= 0 && fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (folder < 0 || S_ISLNK(st.st_mode)) {
		r = heed(t, root_stat(root->root, path, &st));
		if (r < 0)
			return r;
	}
	*ret = stat_from(&st);
	return 0;
}

static bool same_key(const struct image_key *a, const struct image_key *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

static int key_of(int fd, struct image_key *ret)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -EINVAL;
	*ret = (struct image_key){
		.dev = st.st_dev,
		.ino = st.st_ino,
		.size = (uint64_t)st.st_size,
		.mtime_ns = in_ns(st.st_mtim),
		.ctime_ns = in_ns(st.st_ctim),
	};
	return 0;
}

/*
 * Whether the image cannot have changed under the same key: it did not while it was read, and a
 * change from now on would get a later time stamp than it has.
 */
static bool settled(int fd, const struct image_key *before)
{
	struct image_key after;
	struct timespec now;

	return key_of(fd, &after) == 0 && same_key(before, &after) &&
	       clock_gettime(CLOCK_REALTIME, &now) == 0 &&
	       in_ns(now) - after.ctime_ns > CLOCK_TICK_NS;
}

/* Only a cache that none but root or the caller can have written. A bad one is as none. */
static int load_cache(struct tree_root *t)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct stat st;
	const char *text = "";
	size_t size = 0;
	int r;

	if (!a)
		return -ENOMEM;
	r = root_stat(t->root, t->cache_path, &st);
	if (r == 0 && ((st.st_uid && st.st_uid != geteuid()) || st.st_mode & 022))
		r = -EPERM;
	if (r == 0)
		r = root_read(t->root, t->cache_path, CACHE_SIZE_MAX, a, &text, &size);
	if (r == -ENOMEM)
		return r;
	return image_cache_new(text, r == 0 ? size : 0, &t->cache);
}

static int read_opened(struct tree_root *t, const char *path, int fd, struct arena *a,
		       struct host_image *ret)
{
	struct image_key key;
	int r = 0;

	if (!t->cache_path || key_of(fd, &key) < 0)
		return image_read_fd(fd, a, ret);
	if (!t->cache)
		r = load_cache(t);
	if (r == 0)
		r = image_cache_find(t->cache, path, &key, a, ret);
	if (r)
		return r < 0 ? r : 0;
	r = image_read_fd(fd, a, ret);
	if (r < 0 || (ret->status != IMAGE_READ && ret->status != IMAGE_BAD) || !settled(fd, &key))
		return r;
	return image_cache_add(t->cache, path, &key, ret);
}

/* An image on a device that is not mounted. */
static int read_attached(struct tree_root *t, struct attached *device, const char *path,
			 const char *inside, struct arena *a, struct host_image *ret)
{
	_cleanup_arena_ struct arena *scratch = arena_new();
	struct image_key key;
	const char *bytes;
	size_t size;
	int settled = scratch ? attached_key(device, inside, &key) : -ENOMEM, r = 0;

	if (settled > 0 && t->cache_path && !t->cache)
		r = load_cache(t);
	if (r == 0 && settled > 0 && t->cache_path)
		r = image_cache_find(t->cache, path, &key, a, ret);
	if (r || settled < 0)
		return r ? (r < 0 ? r : 0) : settled;
	r = attached_read(device, inside, IMAGE_MAX, scratch, &bytes, &size);
	if (r == 0)
		r = image_read_memory(bytes, size, a, ret);
	if (r == 0 && settled > 0 && t->cache_path &&
	    (ret->status == IMAGE_READ || ret->status == IMAGE_BAD))
		r = image_cache_add(t->cache, path, &key, ret);
	return r;
}

/* What could not be read is a property of the image. */
static int judge_image(struct tree *t, int r, struct arena *a, struct host_image *image)
{
	if (r == -EBADMSG) {
		image->status = IMAGE_BAD;
		image->why = "its clusters do not lead to its end";
	} else if (r < 0 && r != -ENOMEM && heed(t, r) != -ENOENT && r != -ENOTDIR) {
		image->status = IMAGE_UNREADABLE;
		image->why = arena_strdup(a, strerror(-r));
		if (!image->why)
			return -ENOMEM;
	}
	return r == -ENOMEM ? r : 0;
}

static int read_image(struct tree *t, const char *path, struct arena *a, struct host_image *ret)
{
	struct tree_root *root = (struct tree_root *)t;
	const char *inside;
	struct attached *device = attached_at(t, path, &inside);
	struct host_image image = {.status = IMAGE_ABSENT};
	_cleanup_close_ int fd = -1;
	int r;

	if (device) {
		r = read_attached(root, device, path, inside, a, &image);
	} else {
		fd = root_openat(root->root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
		r = fd < 0 ? fd : read_opened(root, path, fd, a, &image);
	}
	r = judge_image(t, r, a, &image);
	image.path = arena_strdup(a, path);
	if (r < 0 || !image.path)
		return -ENOMEM;
	*ret = image;
	return 0;
}

static int is_read_only(struct tree *t, const char *path)
{
	_cleanup_close_ int fd = root_openat(root_of(t), path, O_PATH);
	struct statvfs vfs;

	if (fd < 0)
		return heed(t, fd);
	if (fstatvfs(fd, &vfs) < 0)
		return -errno;
	return vfs.f_flag & ST_RDONLY ? 1 : 0;
}

static int attach(struct tree *t, const char *device, const char *at, uint64_t *ret_free)
{
	struct tree_root *root = (struct tree_root *)t;

	return heed(t, attach_device(&root->attached, root->root, device, at, ret_free));
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
	struct tree_root *root = (struct tree_root *)t;

	near_done(&root->near);
	attachments_done(&root->attached);
	image_cache_free(root->cache);
	free(root->cache_path);
	free(root);
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
	.attach = attach,
	.kernel_log = read_log,
	.free = tree_root_free,
};

int tree_root_new(const struct root *root, const char *cache_path, struct tree **ret)
{
	struct tree_root *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->tree = (struct tree){.ops = &root_ops, .live = root_is_live(root)};
	t->root = root;
	near_init(&t->near);
	t->cache_path = cache_path ? strdup(cache_path) : NULL;
	if (cache_path && !t->cache_path) {
		free(t);
		return -ENOMEM;
	}
	*ret = &t->tree;
	return 0;
}

static int make_parent(const struct root *root, const char *path)
{
	_cleanup_free_ char *folder = strdup(path);
	char *slash = folder ? strrchr(folder, '/') : NULL;

	if (!slash)
		return folder ? -EINVAL : -ENOMEM;
	*slash = '\0';
	return root_mkdirs(root, folder);
}

int tree_cache_save(struct tree *t)
{
	struct tree_root *root = (struct tree_root *)t;
	_cleanup_strbuf_ struct strbuf text = {0};
	const struct file_attr attr = {.mode = 0600, .uid = geteuid(), .gid = getegid()};
	int r;

	if (t->ops != &root_ops || !root->cache || !image_cache_changed(root->cache))
		return 0;
	r = image_cache_write(root->cache, &text);
	if (r == 0)
		r = make_parent(root->root, root->cache_path);
	if (r == 0)
		r = root_replace(root->root, root->cache_path, text.text, text.len, &attr);
	return r;
}

struct tree *tree_free(struct tree *t)
{
	return t ? t->ops->free(t) : NULL;
}
