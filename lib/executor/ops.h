/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The narrow table through which apply touches the world. ops-root.c is the real one; tests/fake
 * has a kernel and builders that behave.
 */
#pragma once

#include "array.h"
#include "root.h"

struct ops_result {	    /* of a command */
	int status;	    /* exit status, or 128 + signal */
	const char *output; /* last lines of stdout and stderr together */
};

struct ops {
	void *ctx;
	bool live; /* the root is the running system: live steps are carried out (note 2) */
	/* Files below the root; semantics of base/root.h. */
	int (*read)(void *ctx, const char *path, size_t max, struct arena *a, const char **ret,
		    size_t *ret_size, struct file_attr *ret_attr);
	int (*replace)(void *ctx, const char *path, const void *bytes, size_t size,
		       const struct file_attr *attr, bool force_attr);
	int (*append)(void *ctx, const char *path, const char *bytes);
	int (*unlink)(void *ctx, const char *path);
	int (*mkdirs)(void *ctx, const char *path);
	/* device, inode, size, mtime, ctime of a file as one word: "is it new?" (chapter 12). */
	int (*identity)(void *ctx, const char *path, struct arena *a, const char **ret);
	/* Runs a builder below the root with a scrubbed environment (5.3, 6.18). */
	int (*run)(void *ctx, const struct words *argv, const struct words *env, struct arena *a,
		   struct ops_result *ret);
	/* sysfs: one write in a disposable child with a deadline; -ETIMEDOUT when it hangs (7.11).
	 */
	int (*write_attr)(void *ctx, const char *path, const char *value);
	int (*readlink)(void *ctx, const char *path, struct arena *a, const char **ret);
	int (*load_module)(void *ctx, const char *name); /* libkmod; already loaded is success */
	const char *(*boot_id)(void *ctx, struct arena *a);
};

/* Called as work goes on; NULL pointer in options: silent. usec is the time since it began. */
struct progress {
	void *ctx;
	void (*step)(void *ctx, size_t index, size_t count, const char *what, bool done);
	void (*tick)(void *ctx, unsigned seconds); /* about once a second while a builder runs */
};

/* The real table over root (borrowed); deadline_ms bounds one sysfs write. Free with ops_done. */
int ops_root_new(const struct root *root, const struct progress *progress, unsigned deadline_ms,
		 struct ops *ret);
void ops_done(struct ops *ops);
