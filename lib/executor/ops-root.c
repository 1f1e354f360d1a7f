/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The real table of operations: one root directory, real children, the running kernel. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <string.h>

#include "child.h"
#include "holders.h"
#include "module.h"
#include "ops.h"
#include "paths.h"

/* A module brings its driver's probes along, which may reset hardware. */
#define MODULE_DEADLINE_MS 60000
#define MODE_APPENDED	   0644
#define APART_MS	   50
#define BESIDE_MAX	   8 /* commands at a time: each takes memory, too */

struct world {
	const struct root *root;
	const struct progress *progress;
	struct ops_limits limits;
};

static const struct root *root_of(void *ctx)
{
	return ((struct world *)ctx)->root;
}

static int world_read(void *ctx, const char *path, size_t max, struct arena *a, const char **ret,
		      size_t *ret_size, struct file_attr *ret_attr)
{
	struct stat st;
	int err = ret_attr ? root_stat(root_of(ctx), path, &st) : 0;

	if (err == 0)
		err = root_read(root_of(ctx), path, max, a, ret, ret_size);
	if (err == 0 && ret_attr)
		*ret_attr = (struct file_attr){st.st_mode & 07777, st.st_uid, st.st_gid};
	return err;
}

static int world_readlink(void *ctx, const char *path, struct arena *a, const char **ret)
{
	return root_readlink(root_of(ctx), path, a, ret);
}

static int world_identity(void *ctx, const char *path, struct arena *a, const char **ret)
{
	const char *word;
	struct stat st;
	int err = root_stat(root_of(ctx), path, &st);

	if (err < 0)
		return err;
	word = arena_printf(a, "%ju:%ju:%jd:%jd.%09ld:%jd.%09ld", (uintmax_t)st.st_dev,
			    (uintmax_t)st.st_ino, (intmax_t)st.st_size, (intmax_t)st.st_mtim.tv_sec,
			    st.st_mtim.tv_nsec, (intmax_t)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
	if (!word)
		return -ENOMEM;
	*ret = word;
	return 0;
}

static int world_room(void *ctx, const char *path, struct ops_room *ret)
{
	struct root_space space;
	struct stat st = {0};
	char at[PATH_MAX];
	int err;

	if (*path != '/' || strlen(path) >= sizeof(at))
		return -EINVAL;
	memcpy(at, path, strlen(path) + 1);
	root_stat(root_of(ctx), at, &st); /* not there: no bytes */
	while ((err = root_space(root_of(ctx), at, &space)) == -ENOENT && *at)
		*strrchr(at, '/') = '\0';
	if (err < 0)
		return err;
	*ret = (struct ops_room){.size = (uint64_t)st.st_size,
				 .free = space.free,
				 .fs = space.fs,
				 .read_only = space.read_only};
	return 0;
}

static int world_boot_id(void *ctx, struct arena *a, const char **ret)
{
	const char *text = "";
	size_t size;
	int err = root_read(root_of(ctx), PATH_BOOT_ID, 256, a, &text, &size);

	if (err < 0 && err != -ENOENT)
		return err;
	*ret = arena_strndup(a, text, strcspn(text, "\n"));
	return *ret ? 0 : -ENOMEM;
}

static int world_holders(void *ctx, struct pci_addr addr, struct arena *a, struct words *ret)
{
	return holders_find(root_of(ctx), addr, a, ret);
}

static int world_replace(void *ctx, const char *path, const void *bytes, size_t size,
			 const struct file_attr *attr, bool force_attr)
{
	return force_attr ? root_restore(root_of(ctx), path, bytes, size, attr)
			  : root_replace(root_of(ctx), path, bytes, size, attr);
}

static int world_append(void *ctx, const char *path, const char *bytes)
{
	return root_append(root_of(ctx), path, bytes, MODE_APPENDED);
}

static int world_append_line(void *ctx, const char *path, const char *line)
{
	int err = root_append_line(root_of(ctx), path, line, MODE_APPENDED);

	return err < 0 ? err : 0;
}

static int world_unlink(void *ctx, const char *path)
{
	return root_unlink(root_of(ctx), path);
}

static int world_sweep(void *ctx, const char *path)
{
	return root_sweep(root_of(ctx), path);
}

static int world_mkdirs(void *ctx, const char *path)
{
	return root_mkdirs(root_of(ctx), path);
}

static int world_rmdir(void *ctx, const char *path)
{
	return root_rmdir(root_of(ctx), path);
}

static struct ops_command limited(const struct world *w, const struct ops_command *command)
{
	struct ops_command ret = *command;

	if (!ret.deadline_ms)
		ret.deadline_ms = w->limits.build_ms;
	return ret;
}

static int world_run(void *ctx, const struct ops_command *command, struct arena *a,
		     struct ops_result *ret)
{
	struct world *w = ctx;
	struct ops_command one = limited(w, command);

	return child_run(w->root, &one, w->progress, a, ret);
}

static size_t processors(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof(set), &set) < 0 ? 1 : CPU_COUNT(&set);

	return n < 1 ? 1 : n > BESIDE_MAX ? BESIDE_MAX : (size_t)n;
}

static void run_some(struct world *w, const struct ops_command *commands, size_t n, struct arena *a,
		     struct ops_outcome *ret)
{
	struct child children[BESIDE_MAX];

	for (size_t i = 0; i < n; i++) {
		struct ops_command one = limited(w, &commands[i]);

		/* A moment apart, so that what all of them write to stands in their order. */
		if (i)
			(void)poll(NULL, 0, APART_MS);
		ret[i].error = child_start(w->root, &one, a, &children[i]);
	}
	for (size_t i = 0; i < n; i++)
		if (ret[i].error == 0)
			ret[i].error = child_wait(&children[i], w->progress, a, &ret[i].result);
}

static void world_run_all(void *ctx, const struct ops_command *commands, size_t n, struct arena *a,
			  struct ops_outcome *ret)
{
	const size_t most = processors();

	for (size_t i = 0; i < n; i += most)
		run_some(ctx, commands + i, n - i < most ? n - i : most, a, ret + i);
}

struct attr_write {
	const struct root *root;
	const char *path, *value;
};

static int write_now(void *arg)
{
	const struct attr_write *job = arg;

	return root_write_attr(job->root, job->path, job->value);
}

static int world_write_attr(void *ctx, const char *path, const char *value)
{
	struct world *w = ctx;
	struct attr_write job = {w->root, path, value};

	return child_call(write_now, &job, w->limits.write_ms);
}

static int load_now(void *arg)
{
	return module_load(*(const char **)arg);
}

static int world_load_module(void *ctx, const char *name)
{
	/* libkmod knows the running kernel only (fact 11.8). */
	if (!root_is_live(root_of(ctx)))
		return -EOPNOTSUPP;
	return child_call(load_now, &name, MODULE_DEADLINE_MS);
}

int ops_root_new(const struct root *root, const struct progress *progress,
		 const struct ops_limits *limits, struct ops *ret)
{
	struct world *w = malloc(sizeof(*w));

	if (!w)
		return -ENOMEM;
	*w = (struct world){root, progress, *limits};
	*ret = (struct ops){
		.ctx = w,
		.live = root_is_live(root),
		.read = world_read,
		.readlink = world_readlink,
		.identity = world_identity,
		.room = world_room,
		.boot_id = world_boot_id,
		.holders = world_holders,
		.replace = world_replace,
		.append = world_append,
		.append_line = world_append_line,
		.unlink = world_unlink,
		.sweep = world_sweep,
		.mkdirs = world_mkdirs,
		.rmdir = world_rmdir,
		.run = world_run,
		.run_all = world_run_all,
		.write_attr = world_write_attr,
		.load_module = world_load_module,
	};
	return 0;
}

void ops_done(struct ops *ops)
{
	free(ops->ctx);
	ops->ctx = NULL;
}
