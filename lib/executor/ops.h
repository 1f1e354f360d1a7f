/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The narrow table through which apply touches the world. ops-root.c is the real one; tests/fake
 * has a kernel and builders that behave.
 */
#pragma once

#include "array.h"
#include "pci.h"
#include "root.h"

struct ops_result {	    /* of a command */
	int status;	    /* exit status, or 128 + signal */
	const char *output; /* last lines of stdout and stderr together, valid UTF-8 */
};

struct ops_command {
	const struct words *argv, *env;
	const char *input;    /* for its standard input; NULL: nothing */
	unsigned deadline_ms; /* 0: a builder's */
};

struct ops_outcome { /* of one of several */
	int error;   /* what run() would have returned */
	struct ops_result result;
};

struct ops_room {
	uint64_t size; /* bytes of the file, 0 when it is not there */
	uint64_t free; /* bytes that may still be written on the file system that holds it */
	uint64_t fs;   /* which one that is */
	bool read_only;
};

/* Everything returns 0 or a negative errno; paths are absolute below the root. */
struct ops {
	void *ctx;
	bool live; /* the root is the running system: live steps are carried out (note 2) */

	/* Looking. ret_attr may be NULL; identity is device, inode, size, mtime and ctime as one
	 * word: "is it new?" (facts chapter 12); -ENOENT of it is "is it there?". */
	int (*read)(void *ctx, const char *path, size_t max, struct arena *a, const char **ret,
		    size_t *ret_size, struct file_attr *ret_attr);
	int (*readlink)(void *ctx, const char *path, struct arena *a, const char **ret);
	int (*identity)(void *ctx, const char *path, struct arena *a, const char **ret);
	/* Of the nearest folder above when path is not there. */
	int (*room)(void *ctx, const char *path, struct ops_room *ret);
	int (*boot_id)(void *ctx, struct arena *a, const char **ret); /* "" where there is none */
	/* Processes that have a function's nodes open: "qemu-system-x86 (1234): /dev/vfio/14". */
	int (*holders)(void *ctx, struct pci_addr addr, struct arena *a, struct words *ret);

	/* Files; semantics of base/root.h. force_attr: owner and mode of attr in any case. */
	int (*replace)(void *ctx, const char *path, const void *bytes, size_t size,
		       const struct file_attr *attr, bool force_attr);
	int (*append)(void *ctx, const char *path, const char *bytes); /* synced */
	int (*append_line)(void *ctx, const char *path, const char *line);
	int (*unlink)(void *ctx, const char *path);
	int (*sweep)(void *ctx, const char *path);
	int (*mkdirs)(void *ctx, const char *path);
	int (*rmdir)(void *ctx, const char *path);

	/* Runs a builder below the root with a scrubbed environment (5.3, 6.18). -ENOENT when
	 * there is no such command; -ETIMEDOUT when it did not end in time: it was killed, and
	 * ret->output is what it said until then. */
	int (*run)(void *ctx, const struct ops_command *command, struct arena *a,
		   struct ops_result *ret);
	/* Several that do not disturb each other, side by side, as many as there are processors.
	 * NULL: one after the other, by run(). */
	void (*run_all)(void *ctx, const struct ops_command *commands, size_t n, struct arena *a,
			struct ops_outcome *ret);
	/* sysfs: one write in a disposable child with a deadline; -ETIMEDOUT when it hangs (7.11).
	 */
	int (*write_attr)(void *ctx, const char *path, const char *value);
	int (*load_module)(void *ctx, const char *name); /* libkmod; already loaded is success */
};

/* Called as work goes on; a NULL pointer or member is silent. */
struct progress {
	void *ctx;
	void (*step)(void *ctx, size_t index, size_t count, const char *what, bool done);
	void (*tick)(void *ctx, unsigned seconds); /* about once a second while a builder runs */
};

struct ops_limits {	   /* in milliseconds */
	unsigned write_ms; /* one write to sysfs */
	unsigned build_ms; /* one builder */
};

/*
 * The real table over root and progress (both borrowed; progress may be NULL). Free with ops_done.
 *
 * A builder runs in a process group of its own and is always waited for: a signal that ends the
 * caller's process group does not reach it, and what it builds is finished. A caller that is
 * told to stop (SIGTERM) should note it and stop after plan_apply has returned.
 */
int ops_root_new(const struct root *root, const struct progress *progress,
		 const struct ops_limits *limits, struct ops *ret);
void ops_done(struct ops *ops);
