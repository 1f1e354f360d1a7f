/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Atomic replacement of one file: design section 5's rule for every write. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "root.h"

#define MAX_LINKS 16

struct target {
	int dir; /* directory that holds the file itself, links followed */
	char name[NAME_MAX + 1];
	int old; /* the file that is replaced, -1 when new */
	struct stat st;
};

static void target_done(struct target *t)
{
	closep(&t->dir);
	closep(&t->old);
}

static int split(const char *path, char dir[static PATH_MAX], char name[static NAME_MAX + 1])
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;

	if (n >= PATH_MAX || !slash || strlen(slash + 1) > NAME_MAX || !slash[1])
		return -EINVAL;
	memcpy(dir, path, n);
	if (!n)
		dir[n++] = '/';
	dir[n] = '\0';
	memcpy(name, slash + 1, strlen(slash + 1) + 1);
	return 0;
}

/* Follows links at the last part by hand: the temporary file must lie beside the real one. */
static int find_target(const struct root *r, const char *path, struct target *t)
{
	char at[PATH_MAX], dir[PATH_MAX], link[PATH_MAX];

	if (strlen(path) >= sizeof(at))
		return -ENAMETOOLONG;
	memcpy(at, path, strlen(path) + 1);
	for (int hops = 0; hops < MAX_LINKS; hops++) {
		ssize_t n;
		int err = split(at, dir, t->name);

		if (err < 0)
			return err;
		closep(&t->dir);
		t->dir = root_openat(r, dir, O_RDONLY | O_DIRECTORY);
		if (t->dir < 0)
			return t->dir;
		n = readlinkat(t->dir, t->name, link, sizeof(link) - 1);
		if (n < 0)
			return errno == EINVAL || errno == ENOENT ? 0 : -errno;
		link[n] = '\0';
		if (link[0] == '/')
			memcpy(at, link, (size_t)n + 1);
		else if (snprintf(at, sizeof(at), "%s/%s", dir, link) >= (int)sizeof(at))
			return -ENAMETOOLONG;
	}
	return -ELOOP;
}

/* Hashes and signatures of the old content: on the new one they would make it unreadable. */
static bool of_the_bytes(const char *xattr)
{
	return strcmp(xattr, "security.ima") == 0 || strcmp(xattr, "security.evm") == 0;
}

static int copy_xattrs(int from, int to)
{
	char names[4096], value[65536];
	ssize_t n = flistxattr(from, names, sizeof(names));

	if (n < 0)
		return errno == ENOTSUP ? 0 : -errno;
	for (char *name = names; name < names + n; name += strlen(name) + 1) {
		ssize_t size;

		if (of_the_bytes(name))
			continue;
		size = fgetxattr(from, name, value, sizeof(value));
		if (size < 0)
			return -errno;
		if (fsetxattr(to, name, value, (size_t)size, 0) < 0 && errno != ENOTSUP)
			return -errno;
	}
	return 0;
}

static int dress(int fd, const struct target *t, const struct file_attr *attr)
{
	struct stat made;

	if (fstat(fd, &made) < 0)
		return -errno;
	/* Asked, not assumed: a set-group-ID directory gives its own group to what is made in it.
	 */
	if ((attr->uid != made.st_uid || attr->gid != made.st_gid) &&
	    fchown(fd, attr->uid, attr->gid) < 0)
		return -errno;
	/* After the chown, which clears set-ID bits. */
	if (fchmod(fd, attr->mode & 07777) < 0)
		return -errno;
	return t->old >= 0 ? copy_xattrs(t->old, fd) : 0;
}

static int write_beside(const struct target *t, const char *temp, const void *bytes, size_t size,
			const struct file_attr *attr)
{
	_cleanup_close_ int fd = openat(t->dir, temp,
					O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int err;

	if (fd < 0)
		return -errno;
	err = write_all(fd, bytes, size);
	if (err == 0)
		err = dress(fd, t, attr);
	if (err == 0 && fsync(fd) < 0)
		err = -errno;
	return err;
}

/* Dot first: no reader of a ".d" folder takes a leftover of a power cut for a file. */
static int temp_name(const char *name, char ret[static NAME_MAX + 1])
{
	int n = snprintf(ret, NAME_MAX + 1, ".%.200s.pthru-new", name);

	return n > NAME_MAX ? -ENAMETOOLONG : 0;
}

static int open_old(struct target *t)
{
	t->old = openat(t->dir, t->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (t->old < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(t->old, &t->st) < 0)
		return -errno;
	return S_ISREG(t->st.st_mode) ? 0 : -EINVAL;
}

static int replace(const struct root *r, const char *path, const void *bytes, size_t size,
		   const struct file_attr *attr, bool exact)
{
	_cleanup_(target_done) struct target t = {.dir = -1, .old = -1};
	struct file_attr kept = *attr;
	char temp[NAME_MAX + 1];
	int err = find_target(r, path, &t);

	if (err == 0)
		err = temp_name(t.name, temp);
	if (err == 0)
		err = open_old(&t);
	if (err < 0)
		return err;
	if (t.old >= 0 && !exact)
		kept = (struct file_attr){t.st.st_mode & 07777, t.st.st_uid, t.st.st_gid};
	unlinkat(t.dir, temp, 0);
	err = write_beside(&t, temp, bytes, size, &kept);
	if (err == 0 && renameat(t.dir, temp, t.dir, t.name) < 0)
		err = -errno;
	if (err < 0) {
		unlinkat(t.dir, temp, 0);
		return err;
	}
	return fsync(t.dir) < 0 && errno != EINVAL ? -errno : 0;
}

int root_replace(const struct root *r, const char *path, const void *bytes, size_t size,
		 const struct file_attr *attr)
{
	return replace(r, path, bytes, size, attr, false);
}

int root_restore(const struct root *r, const char *path, const void *bytes, size_t size,
		 const struct file_attr *attr)
{
	return replace(r, path, bytes, size, attr, true);
}

int root_sweep(const struct root *r, const char *path)
{
	_cleanup_(target_done) struct target t = {.dir = -1, .old = -1};
	char temp[NAME_MAX + 1];
	int err = find_target(r, path, &t);

	if (err == 0)
		err = temp_name(t.name, temp);
	if (err < 0)
		return err == -ENOENT ? 0 : err;
	return unlinkat(t.dir, temp, 0) < 0 && errno != ENOENT ? -errno : 0;
}
