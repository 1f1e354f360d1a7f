/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tree-near.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

void near_init(struct near *near)
{
	near->path[0] = '\0';
	near->len = 0;
	near->fd = -1;
}

void near_done(struct near *near)
{
	if (near->fd >= 0)
		close(near->fd);
	near_init(near);
}

void near_set(struct near *near, const char *path, size_t n, int fd)
{
	near_done(near);
	if (n >= sizeof(near->path)) {
		closep(&fd);
		return;
	}
	memcpy(near->path, path, n);
	near->path[n] = '\0';
	near->len = n;
	near->fd = fd;
}

int near_folder(struct near *near, const struct root *root, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t n = slash ? (size_t)(slash - path) : 0;
	int fd;

	/* The top, and what is no name of its own, are left to a walk from the root. */
	if (!n || !*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EINVAL;
	if (near->len != n || memcmp(near->path, path, n) != 0) {
		near_set(near, path, n, -1);
		return -EAGAIN;
	}
	if (near->fd < 0) {
		fd = root_openat(root, near->path, O_PATH | O_DIRECTORY);
		if (fd < 0)
			return fd;
		near->fd = fd;
	}
	*ret_name = name;
	return near->fd;
}

int near_open(struct near *near, const struct root *root, const char *path, int flags)
{
	const char *name;
	int folder = near_folder(near, root, path, &name), fd;

	if (folder < 0)
		return root_openat(root, path, flags);
	fd = openat(folder, name, flags | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	/* A link is to be followed inside the root only. */
	return errno == ELOOP ? root_openat(root, path, flags) : -errno;
}
