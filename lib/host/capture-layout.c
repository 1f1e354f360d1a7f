/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lays a capture out as real files. Folders hold real folders only, so nothing is followed. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "capture-record.h"
#include "capture.h"
#include "image-write.h"

struct layout {
	struct tree_capture *c;
	struct arena *arena;
};

/* Owners only where the caller may give files away. */
static int dress(const struct layout *l, int fd, const struct node *node)
{
	const struct node_attr *attr = node->attr ? &l->c->attrs.at[node->attr] : NULL;
	mode_t mode = node->kind == NODE_DIR ? 0755 : 0644;

	if (attr && attr->has_mode)
		mode = attr->mode;
	else if (attr && attr->error)
		mode = 0;
	if (attr && attr->has_mode && geteuid() == 0 && fchown(fd, attr->uid, attr->gid) < 0)
		return -errno;
	return fchmod(fd, mode) < 0 ? -errno : 0;
}

static int make_file(const struct layout *l, int dir, const char *name, const struct node *node,
		     struct slice bytes)
{
	_cleanup_close_ int fd = openat(dir, name,
					O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int err;

	if (fd < 0)
		return -errno;
	err = write_all(fd, bytes.at, bytes.n);
	return err < 0 ? err : dress(l, fd, node);
}

/* What was bad or unreadable becomes an image that is cut in its first header. */
static int make_image(const struct layout *l, int dir, const char *name, uint32_t at)
{
	_cleanup_strbuf_ struct strbuf bytes = {0};
	const struct node *node = &l->c->nodes.at[at];
	struct host_image image;
	char path[CAPTURE_PATH_MAX + 1];
	int err;

	if (!node_path(l->c, at, path, sizeof(path)))
		return -ENAMETOOLONG;
	err = l->c->tree.ops->image(&l->c->tree, path, l->arena, &image);
	if (err == 0 && image.status == IMAGE_READ)
		err = image_write(&image, &bytes);
	else
		strbuf_add(&bytes, "070701");
	if (err < 0 || bytes.error)
		return err < 0 ? err : bytes.error;
	return make_file(l, dir, name, node, (struct slice){bytes.text, bytes.len});
}

static int make_all(const struct layout *l, int dir, uint32_t folder);

static int make_folder(const struct layout *l, int dir, const char *name, uint32_t at)
{
	_cleanup_close_ int fd = -1;
	int err;

	if (mkdirat(dir, name, 0700) < 0)
		return -errno;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = make_all(l, fd, at);
	return err < 0 ? err : dress(l, fd, &l->c->nodes.at[at]);
}

static int make_one(const struct layout *l, int dir, uint32_t at)
{
	const struct node *node = &l->c->nodes.at[at];
	const char *name = arena_memdup(l->arena, node->name, node->name_len), *text;

	if (!name)
		return -ENOMEM;
	switch ((enum node_kind)node->kind) {
	case NODE_DIR:
		return make_folder(l, dir, name, at);
	case NODE_LINK:
		return symlinkat(node->text, dir, name) < 0 ? -errno : 0;
	case NODE_IMAGE:
		return make_image(l, dir, name, at);
	case NODE_FILE:
		text = node_text(node, l->arena);
		return text ? make_file(l, dir, name, node, (struct slice){text, node->size})
			    : -ENOMEM;
	}
	return -EINVAL;
}

static int make_all(const struct layout *l, int dir, uint32_t folder)
{
	int err = 0;

	for (uint32_t i = l->c->nodes.at[folder].first; i != NODE_NONE && err == 0;
	     i = l->c->nodes.at[i].next)
		err = make_one(l, dir, i);
	return err;
}

/* The log of a running kernel, where those who look at a root directory find it. */
static int make_log(const struct layout *l, int dir)
{
	const char *log;
	int err = l->c->tree.ops->kernel_log(&l->c->tree, l->arena, &log);
	static const struct node plain = {.kind = NODE_FILE};

	if (err < 0)
		return err == -ENOMEM ? err : 0;
	if ((mkdirat(dir, "var", 0755) < 0 && errno != EEXIST) ||
	    (mkdirat(dir, "var/log", 0755) < 0 && errno != EEXIST))
		return -errno;
	err = make_file(l, dir, "var/log/dmesg", &plain, (struct slice){log, strlen(log)});
	return err == -EEXIST ? 0 : err;
}

/* Opens the folder, made when it is not there. -ENOTEMPTY: something is in it. */
static int open_empty(const char *dir)
{
	_cleanup_root_ struct root *root = NULL;
	_cleanup_arena_ struct arena *a = arena_new();
	struct words names = {0};
	int err;

	if (!a)
		return -ENOMEM;
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return -errno;
	err = root_open(dir, &root);
	if (err == 0)
		err = root_list(root, "/", a, &names);
	if (err < 0)
		return err;
	return names.n ? -ENOTEMPTY : root_openat(root, "/", O_RDONLY | O_DIRECTORY);
}

int capture_lay_out(const char *name, const char *text, size_t size, const char *dir,
		    struct diags *diags)
{
	_cleanup_tree_ struct tree *tree = NULL;
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_close_ int fd = -1;
	struct layout l = {.arena = a};
	int err = a ? tree_capture_new(name, text, size, diags, &tree) : -ENOMEM;

	if (err < 0)
		return err;
	fd = open_empty(dir);
	if (fd < 0)
		return fd;
	l.c = (struct tree_capture *)tree;
	err = make_all(&l, fd, NODE_ROOT);
	return err < 0 ? err : make_log(&l, fd);
}
