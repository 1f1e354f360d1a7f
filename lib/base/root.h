/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * File access below one root directory. Every path is absolute in the sense of that root;
 * symbolic links, absolute ones and ".." too, are resolved inside it (openat2 RESOLVE_IN_ROOT),
 * so nothing can escape. Effects.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "array.h"
#include "macro.h"

struct root;

/* What a file has besides its bytes, and must keep when it is replaced. */
struct file_attr {
	mode_t mode; /* permission bits only */
	uid_t uid;
	gid_t gid;
};

/* Opens the directory that is to be "/". Returns 0, -ENOENT, -ENOTDIR, -ENOMEM, ... */
int root_open(const char *dir, struct root **ret);
struct root *root_free(struct root *r);
DEFINE_CLEANUP(struct root *, root_free);
#define _cleanup_root_ _cleanup_(root_freep)

/* The directory's file descriptor; borrowed. */
int root_fd(const struct root *r);

/* Whether the root is the running system's own "/". */
int root_is_live(const struct root *r);

/* Opens path with open(2) flags (O_CLOEXEC is added). Returns the fd or negative errno. */
int root_openat(const struct root *r, const char *path, int flags);

/*
 * Reads a whole regular file of at most max bytes into the arena, NUL-terminated.
 * Returns 0, -EFBIG when larger, -EISDIR/-EINVAL for what is not a regular file, or errno.
 * Never blocks on a fifo. Files of /proc and /sys (size 0) are read to their end.
 */
int root_read(const struct root *r, const char *path, size_t max, struct arena *a, const char **ret,
	      size_t *ret_size);

/*
 * Reads an open file, or a pipe, to its end; expect is a guess of its size, 0 for none.
 * -EFBIG beyond max bytes.
 */
int fd_read(int fd, size_t expect, size_t max, struct arena *a, const char **ret, size_t *ret_size);

/* The same for a file that is open already, from its beginning. */
int root_read_fd(int fd, size_t max, struct arena *a, const char **ret, size_t *ret_size);

/* Target of a symbolic link. -EINVAL when path is none. */
int root_readlink(const struct root *r, const char *path, struct arena *a, const char **ret);

/* Names in a directory without "." and "..", sorted by bytes. */
int root_list(const struct root *r, const char *path, struct arena *a, struct words *ret);

/* The same for an open directory, which stays open. */
int root_list_fd(int fd, struct arena *a, struct words *ret);

/* stat(2) following links inside the root, or lstat(2) of the last part. */
int root_stat(const struct root *r, const char *path, struct stat *ret);
int root_lstat(const struct root *r, const char *path, struct stat *ret);

/*
 * Replaces or creates path with size bytes: temporary file beside it, fsync, owner, mode and
 * extended attributes of the old file kept (attr where there was none), rename, directory fsync.
 * A symbolic link is followed and its target replaced. Nothing is left behind on failure.
 */
int root_replace(const struct root *r, const char *path, const void *bytes, size_t size,
		 const struct file_attr *attr);

/* The same, but owner and mode are attr's also where there was a file: puts a former one back. */
int root_restore(const struct root *r, const char *path, const void *bytes, size_t size,
		 const struct file_attr *attr);

/* Removes the temporary file that a root_replace of path left when it was cut by a power loss. */
int root_sweep(const struct root *r, const char *path);

/*
 * Writes value to an existing file in place with one write(2): for sysfs and procfs. -EIO when
 * only a part was taken.
 */
int root_write_attr(const struct root *r, const char *path, const char *value);

/* Appends bytes with O_APPEND and syncs them, creating the file with mode. */
int root_append(const struct root *r, const char *path, const char *bytes, mode_t mode);

/*
 * Appends one line unless the file holds it already, under flock(2); creates the file with mode.
 * Returns 1 when it was added, 0 when it was there. Not synced: such lists live in /run (8.1).
 */
int root_append_line(const struct root *r, const char *path, const char *line, mode_t mode);

/* Removes a file and syncs its directory. -ENOENT when it is not there. */
int root_unlink(const struct root *r, const char *path);

/* Removes an empty directory and syncs its parent. -ENOTEMPTY, -ENOENT, ... */
int root_rmdir(const struct root *r, const char *path);

/*
 * Makes a directory and its parents, mode 0755 whatever the umask, and syncs each. An existing
 * directory is success, anything else in its place -ENOTDIR.
 */
int root_mkdirs(const struct root *r, const char *path);

struct root_space {
	uint64_t free; /* bytes that we may still write */
	uint64_t fs;   /* the file system's device number */
	bool read_only;
};

/* Writes all bytes to an open file, going on after a short write or a signal. 0 or negative errno.
 */
int write_all(int fd, const void *bytes, size_t size);

/* What is left on the file system that holds path. */
int root_space(const struct root *r, const char *path, struct root_space *ret);
