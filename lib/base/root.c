/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

/* Larger than any list that packages add their names to (8.1). */
#define LIST_MAX_SIZE (1u << 20)

struct root {
	int fd;
	bool live;
};

int root_open(const char *dir, struct root **ret)
{
	_cleanup_close_ int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat here, slash;
	struct root *r;

	if (fd < 0)
		return -errno;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->live = fstat(fd, &here) == 0 && stat("/", &slash) == 0 && here.st_dev == slash.st_dev &&
		  here.st_ino == slash.st_ino;
	r->fd = take_fd(&fd);
	*ret = r;
	return 0;
}

struct root *root_free(struct root *r)
{
	if (!r)
		return NULL;
	if (r->fd >= 0)
		close(r->fd);
	free(r);
	return NULL;
}

int root_fd(const struct root *r)
{
	return r->fd;
}

int root_is_live(const struct root *r)
{
	return r->live;
}

static int open_beneath(const struct root *r, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (unsigned long long)(flags | O_CLOEXEC),
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	/* A concurrent rename makes the kernel unsure whether ".." stayed inside: try again. */
	for (int tries = 0; tries < 16; tries++) {
		long fd = syscall(SYS_openat2, r->fd, *path ? path : "/", &how, sizeof(how));

		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN)
			break;
	}
	return -errno;
}

int root_openat(const struct root *r, const char *path, int flags)
{
	return open_beneath(r, path, flags, 0);
}

int fd_read(int fd, size_t expect, size_t max, struct arena *a, const char **ret, size_t *ret_size)
{
	_cleanup_free_ char *bytes = NULL;
	size_t size = 0, cap = expect ? expect + 1 : 4096;
	const char *copy;

	bytes = malloc(cap);
	if (!bytes)
		return -ENOMEM;
	for (;;) {
		ssize_t n;
		char *grown;

		if (size > max)
			return -EFBIG;
		if (size == cap) {
			cap *= 2;
			grown = realloc(bytes, cap);
			if (!grown)
				return -ENOMEM;
			bytes = grown;
		}
		n = read(fd, bytes + size, cap - size);
		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		size += (size_t)n;
	}
	copy = arena_memdup(a, bytes, size);
	if (!copy)
		return -ENOMEM;
	*ret = copy;
	*ret_size = size;
	return 0;
}

int root_read_fd(int fd, size_t max, struct arena *a, const char **ret, size_t *ret_size)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > 0 && (size_t)st.st_size > max)
		return -EFBIG;
	/* sysfs says 4096 for everything: its files are short, so the guess is only a first size.
	 */
	return fd_read(fd, (size_t)st.st_size, max, a, ret, ret_size);
}

int root_read(const struct root *r, const char *path, size_t max, struct arena *a, const char **ret,
	      size_t *ret_size)
{
	_cleanup_close_ int fd = open_beneath(r, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);

	return fd < 0 ? fd : root_read_fd(fd, max, a, ret, ret_size);
}

static int open_parent(const struct root *r, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];
	size_t n = slash ? (size_t)(slash - path) : 0;

	if (n >= sizeof(dir))
		return -ENAMETOOLONG;
	*ret_name = slash ? slash + 1 : path;
	if (!**ret_name)
		return -EINVAL;
	memcpy(dir, path, n);
	dir[n] = '\0';
	return open_beneath(r, n ? dir : "/", O_RDONLY | O_DIRECTORY, 0);
}

int root_readlink(const struct root *r, const char *path, struct arena *a, const char **ret)
{
	const char *name, *copy;
	_cleanup_close_ int dir = open_parent(r, path, &name);
	char target[PATH_MAX];
	ssize_t n;

	if (dir < 0)
		return dir;
	n = readlinkat(dir, name, target, sizeof(target));
	if (n < 0)
		return -errno;
	copy = arena_strndup(a, target, (size_t)n);
	if (!copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int list_dir(DIR *d, struct arena *a, struct words *names)
{
	for (;;) {
		struct dirent *e;
		const char *copy;

		errno = 0;
		e = readdir(d);
		if (!e)
			return -errno;
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		copy = arena_strdup(a, e->d_name);
		if (!copy || array_push(a, names, copy) < 0)
			return -ENOMEM;
	}
}

int root_list_fd(int fd, struct arena *a, struct words *ret)
{
	/* closedir() closes what it was given. */
	_cleanup_close_ int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	struct words names = {0};
	DIR *d;
	int err;

	if (own < 0)
		return -errno;
	d = fdopendir(own);
	if (!d)
		return -errno;
	take_fd(&own);
	err = list_dir(d, a, &names);
	closedir(d);
	if (err < 0)
		return err;
	if (names.n)
		qsort(names.at, names.n, sizeof(*names.at), by_bytes);
	*ret = names;
	return 0;
}

int root_list(const struct root *r, const char *path, struct arena *a, struct words *ret)
{
	_cleanup_close_ int fd = open_beneath(r, path, O_RDONLY | O_DIRECTORY, 0);

	return fd < 0 ? fd : root_list_fd(fd, a, ret);
}

int root_stat(const struct root *r, const char *path, struct stat *ret)
{
	_cleanup_close_ int fd = open_beneath(r, path, O_PATH, 0);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	*ret = st;
	return 0;
}

int root_lstat(const struct root *r, const char *path, struct stat *ret)
{
	_cleanup_close_ int fd = open_beneath(r, path, O_PATH | O_NOFOLLOW, 0);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	*ret = st;
	return 0;
}

int root_write_attr(const struct root *r, const char *path, const char *value)
{
	_cleanup_close_ int fd = open_beneath(r, path, O_WRONLY | O_NONBLOCK | O_NOCTTY, 0);
	size_t n = strlen(value);
	ssize_t written;

	if (fd < 0)
		return fd;
	written = write(fd, value, n);
	if (written < 0)
		return -errno;
	return (size_t)written == n ? 0 : -EIO;
}

int write_all(int fd, const void *bytes, size_t size)
{
	const char *at = bytes;

	while (size) {
		ssize_t n = write(fd, at, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

/* Opens for appending; a file that is not there gets exactly mode, whatever the umask. */
static int open_append(const struct root *r, const char *path, mode_t mode)
{
	int flags = O_RDWR | O_APPEND | O_NONBLOCK | O_NOCTTY;
	int fd = open_beneath(r, path, flags, 0);

	if (fd != -ENOENT)
		return fd;
	fd = open_beneath(r, path, flags | O_CREAT, mode);
	if (fd >= 0 && fchmod(fd, mode) < 0) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

int root_append(const struct root *r, const char *path, const char *bytes, mode_t mode)
{
	_cleanup_close_ int fd = open_append(r, path, mode);
	int err;

	if (fd < 0)
		return fd;
	err = write_all(fd, bytes, strlen(bytes));
	if (err < 0)
		return err;
	return fsync(fd) < 0 && errno != EINVAL ? -errno : 0;
}

static bool has_line(const char *text, const char *line)
{
	size_t n = strlen(line);

	for (const char *at = text; at; at = strchr(at, '\n'), at += at != NULL)
		if (strncmp(at, line, n) == 0 && (at[n] == '\n' || at[n] == '\0'))
			return true;
	return false;
}

int root_append_line(const struct root *r, const char *path, const char *line, mode_t mode)
{
	_cleanup_close_ int fd = open_append(r, path, mode);
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text = "", *added;
	size_t size = 0;
	int err;

	if (fd < 0)
		return fd;
	if (!a)
		return -ENOMEM;
	if (flock(fd, LOCK_EX) < 0)
		return -errno;
	err = fd_read(fd, 0, LIST_MAX_SIZE, a, &text, &size);
	if (err < 0)
		return err;
	if (has_line(text, line))
		return 0;
	added = arena_printf(a, "%s%s\n", size && text[size - 1] != '\n' ? "\n" : "", line);
	if (!added)
		return -ENOMEM;
	err = write_all(fd, added, strlen(added));
	return err < 0 ? err : 1;
}

int root_unlink(const struct root *r, const char *path)
{
	const char *name;
	_cleanup_close_ int dir = open_parent(r, path, &name);

	if (dir < 0)
		return dir;
	if (unlinkat(dir, name, 0) < 0)
		return -errno;
	return fsync(dir) < 0 && errno != EINVAL ? -errno : 0;
}

int root_rmdir(const struct root *r, const char *path)
{
	const char *name;
	_cleanup_close_ int dir = open_parent(r, path, &name);

	if (dir < 0)
		return dir;
	if (unlinkat(dir, name, AT_REMOVEDIR) < 0)
		return -errno;
	return fsync(dir) < 0 && errno != EINVAL ? -errno : 0;
}

static int make_dir(const struct root *r, const char *path)
{
	const char *name;
	_cleanup_close_ int dir = open_parent(r, path, &name);

	if (dir < 0)
		return dir;
	if (mkdirat(dir, name, 0755) < 0)
		return errno == EEXIST ? 0 : -errno;
	if (fchmodat(dir, name, 0755, 0) < 0)
		return -errno;
	return fsync(dir) < 0 && errno != EINVAL ? -errno : 0;
}

int root_mkdirs(const struct root *r, const char *path)
{
	char part[PATH_MAX];
	size_t n = strlen(path);
	struct stat st = {0};
	int err;

	if (n >= sizeof(part))
		return -ENAMETOOLONG;
	for (size_t i = 1; i <= n; i++) {
		if ((path[i] != '/' && path[i] != '\0') || path[i - 1] == '/')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		err = make_dir(r, part);
		if (err < 0)
			return err;
	}
	err = root_stat(r, path, &st);
	if (err < 0)
		return err;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int root_space(const struct root *r, const char *path, struct root_space *ret)
{
	_cleanup_close_ int fd = open_beneath(r, path, O_PATH, 0);
	struct statvfs fs = {0};
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstatvfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
		return -errno;
	/* What is reserved for root is free for a builder that runs as root. */
	ret->free = (uint64_t)(geteuid() == 0 ? fs.f_bfree : fs.f_bavail) * fs.f_frsize;
	ret->fs = st.st_dev;
	ret->read_only = fs.f_flag & ST_RDONLY;
	return 0;
}
