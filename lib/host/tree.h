/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a host is read from: a root directory, or the text of a capture. observe sees only this
 * table, so that both give the same HOST. Paths are absolute below the tree.
 */
#pragma once

#include <sys/stat.h>

#include "array.h"
#include "host.h"
#include "root.h"

struct tree_stat {
	mode_t mode; /* with the file type */
	uid_t uid;
	gid_t gid;
	uint64_t size, dev, ino;
	int64_t mtime_ns, ctime_ns;
};

struct tree;

struct tree_ops {
	/* All return 0 or negative errno; results live in the arena. */
	int (*read)(struct tree *t, const char *path, size_t max, struct arena *a, const char **ret,
		    size_t *ret_size);
	/* The first bytes of a file, at most max: for long ones of /proc that are slow to make. */
	int (*head)(struct tree *t, const char *path, size_t max, struct arena *a, const char **ret,
		    size_t *ret_size);
	int (*readlink)(struct tree *t, const char *path, struct arena *a, const char **ret);
	int (*list)(struct tree *t, const char *path, struct arena *a, struct words *ret);
	int (*stat)(struct tree *t, const char *path, struct tree_stat *ret);
	/*
	 * The initramfs image at path, opened and read; 0 also for ABSENT, UNREADABLE and BAD ones
	 * (status says so).
	 */
	int (*image)(struct tree *t, const char *path, struct arena *a, struct host_image *ret);
	/* Whether path lies on a file system that is mounted read-only: 1, 0, or -EOPNOTSUPP where
	 * only the text of mountinfo can say so. */
	int (*read_only)(struct tree *t, const char *path);
	/*
	 * Makes what is on a block device, by its name, visible below the path at without mounting
	 * it. ret_free: bytes that are free there, UINT64_MAX where that is not known. -EBADMSG: no
	 * FAT file system; -ENOENT: no such device; -EACCES.
	 */
	int (*attach)(struct tree *t, const char *device, const char *at, uint64_t *ret_free);
	/* The running kernel's log, a line a message; -EOPNOTSUPP where the tree is not live. */
	int (*kernel_log)(struct tree *t, struct arena *a, const char **ret);
	struct tree *(*free)(struct tree *t);
};

struct tree {
	const struct tree_ops *ops;
	bool live;    /* the running system's own "/" */
	int trouble;  /* ours, and no property of a file: -EMFILE; what was seen is worth nothing */
	bool capture; /* from a capture's text */
};

/*
 * A tree over a root directory (borrowed). cache_path: file below the root in which the contents
 * of images are remembered by the file's identity, or NULL; read when the first image is asked for.
 */
int tree_root_new(const struct root *root, const char *cache_path, struct tree **ret);

/*
 * Writes what was learned about images to the cache, if anything is new. Only apply and the
 * daemon call it (note 3). 0 or negative errno; a tree without a cache is success.
 */
int tree_cache_save(struct tree *t);

/*
 * A tree over a capture's text (copied). -EBADMSG with a diagnostic for a malformed or unfinished
 * one (note 31).
 */
int tree_capture_new(const char *name, const char *text, size_t size, struct diags *diags,
		     struct tree **ret);

struct tree *tree_free(struct tree *t);
DEFINE_CLEANUP(struct tree *, tree_free);
#define _cleanup_tree_ _cleanup_(tree_freep)
