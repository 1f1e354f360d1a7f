/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake-ops.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "fake-part.h"
#include "strbuf.h"

static const struct ops_limits limits = {.write_ms = 10000, .build_ms = 60000};

/* --- trouble ---------------------------------------------------------------------------------- */

enum fate { GOES_WELL, NOT_DONE, DONE_UNHEARD, HALF_DONE, REFUSED };

/* What becomes of the next change. Freeing room works on a full disk. */
static enum fate fate_of(struct fake *f, bool frees)
{
	bool now = ++f->changes == f->at, spared = frees && f->error == -ENOSPC;

	if (f->dead)
		return NOT_DONE;
	switch (f->trouble) {
	case FAKE_NO_TROUBLE:
		return GOES_WELL;
	case FAKE_CUT_BEFORE:
		f->dead = now;
		return now ? NOT_DONE : GOES_WELL;
	case FAKE_CUT_AFTER:
		f->dead = now;
		return now ? DONE_UNHEARD : GOES_WELL;
	case FAKE_CUT_WITHIN:
		f->dead = now;
		return now ? HALF_DONE : GOES_WELL;
	case FAKE_ERROR:
		return now && !spared ? REFUSED : GOES_WELL;
	case FAKE_ERROR_ON:
		return f->at && f->changes >= f->at && !spared ? REFUSED : GOES_WELL;
	}
	return GOES_WELL;
}

/* Does a change, or what trouble makes of it. */
#define CHANGE(f, frees, call)                                                                     \
	({                                                                                         \
		enum fate fate_ = fate_of((f), (frees));                                           \
		int err_ = fate_ == REFUSED ? (f)->error : -EIO;                                   \
		if (fate_ == GOES_WELL || fate_ == DONE_UNHEARD)                                   \
			err_ = (call);                                                             \
		fate_ == DONE_UNHEARD ? -EIO : err_;                                               \
	})

static void note(struct fake *f, const char *what, const char *one, const char *two)
{
	const char *line = arena_printf(f->arena, "%s %s%s%s", what, one, two ? " " : "",
					two ? two : "");

	if (line && f->changes < 100000)
		(void)array_push(f->arena, &f->log, line);
}

/* --- the table -------------------------------------------------------------------------------- */

static int fake_ops_read(void *ctx, const char *path, size_t max, struct arena *a, const char **ret,
			 size_t *ret_size, struct file_attr *ret_attr)
{
	struct fake *f = ctx;

	return f->dead ? -EIO : f->real.read(f->real.ctx, path, max, a, ret, ret_size, ret_attr);
}

static int fake_ops_readlink(void *ctx, const char *path, struct arena *a, const char **ret)
{
	struct fake *f = ctx;

	return f->dead ? -EIO : f->real.readlink(f->real.ctx, path, a, ret);
}

static int fake_ops_identity(void *ctx, const char *path, struct arena *a, const char **ret)
{
	struct fake *f = ctx;

	return f->dead ? -EIO : f->real.identity(f->real.ctx, path, a, ret);
}

static int fake_ops_room(void *ctx, const char *path, struct ops_room *ret)
{
	struct fake *f = ctx;
	int err = f->dead ? -EIO : f->real.room(f->real.ctx, path, ret);

	if (err < 0)
		return err;
	ret->free = f->room;
	ret->read_only = f->read_only && strncmp(path, f->read_only, strlen(f->read_only)) == 0;
	return 0;
}

static int fake_ops_boot_id(void *ctx, struct arena *a, const char **ret)
{
	struct fake *f = ctx;

	return f->real.boot_id(f->real.ctx, a, ret);
}

/* A test may run as anybody: what is root's is then his. */
static struct file_attr possible(const struct file_attr *attr)
{
	if (geteuid() == 0)
		return *attr;
	return (struct file_attr){attr->mode, geteuid(), getegid()};
}

/* What root_replace leaves when the power goes in the middle of it. */
static void half_replace(struct fake *f, const char *path, const char *bytes, size_t size)
{
	const char *slash = strrchr(path, '/');
	const char *temp = arena_printf(f->arena, "%.*s/.%s.pthru-new", (int)(slash - path), path,
					slash + 1);

	fake_write(f, temp, bytes, size / 2);
}

static int fake_ops_replace(void *ctx, const char *path, const void *bytes, size_t size,
			    const struct file_attr *attr, bool force_attr)
{
	struct fake *f = ctx;
	struct file_attr mine = possible(attr);
	enum fate fate = fate_of(f, false);
	int err = 0;

	note(f, "replace", path, NULL);
	if (fate == GOES_WELL || fate == DONE_UNHEARD)
		err = f->real.replace(f->real.ctx, path, bytes, size, &mine, force_attr);
	if (fate == HALF_DONE)
		half_replace(f, path, bytes, size);
	if (fate == REFUSED)
		return f->error;
	return fate == GOES_WELL ? err : -EIO;
}

static int fake_ops_append(void *ctx, const char *path, const char *bytes)
{
	struct fake *f = ctx;
	enum fate fate = fate_of(f, false);
	int err = 0;

	if (fate == GOES_WELL || fate == DONE_UNHEARD)
		err = f->real.append(f->real.ctx, path, bytes);
	if (fate == HALF_DONE) {
		const char *half = arena_strndup(f->arena, bytes, strlen(bytes) / 2);

		f->real.append(f->real.ctx, path, half);
	}
	if (fate == REFUSED)
		return f->error;
	return fate == GOES_WELL ? err : -EIO;
}

static int fake_ops_append_line(void *ctx, const char *path, const char *line)
{
	struct fake *f = ctx;

	return CHANGE(f, false, f->real.append_line(f->real.ctx, path, line));
}

static int fake_ops_unlink(void *ctx, const char *path)
{
	struct fake *f = ctx;

	note(f, "unlink", path, NULL);
	return CHANGE(f, true, f->real.unlink(f->real.ctx, path));
}

static int fake_ops_sweep(void *ctx, const char *path)
{
	struct fake *f = ctx;

	return CHANGE(f, true, f->real.sweep(f->real.ctx, path));
}

/* Only a folder that is really made counts as a change. */
static int fake_ops_mkdirs(void *ctx, const char *path)
{
	struct fake *f = ctx;
	const char *word;

	if (f->dead)
		return -EIO;
	if (f->real.identity(f->real.ctx, path, f->arena, &word) == 0)
		return 0;
	return CHANGE(f, false, f->real.mkdirs(f->real.ctx, path));
}

static int fake_ops_rmdir(void *ctx, const char *path)
{
	struct fake *f = ctx;

	return CHANGE(f, true, f->real.rmdir(f->real.ctx, path));
}

static int fake_ops_holders(void *ctx, struct pci_addr addr, struct arena *a, struct words *ret)
{
	struct fake *f = ctx;
	char text[PCI_ADDR_TEXT_SIZE];

	if (!f->holder || !f->hangs || strcmp(pci_addr_format(addr, text), f->hangs) != 0)
		return 0;
	return words_add(a, ret, f->holder) < 0 ? -ENOMEM : 0;
}

static int fake_ops_run(void *ctx, const struct ops_command *command, struct arena *a,
			struct ops_result *ret)
{
	struct fake *f = ctx;
	_cleanup_strbuf_ struct strbuf line = {0};

	array_foreach(it, command->env)
		strbuf_addf(&line, "%s ", *it);
	array_foreach(it, command->argv)
		strbuf_addf(&line, "%s ", *it);
	note(f, "run", strbuf_text(&line), NULL);
	f->runs++;
	return CHANGE(f, false, fake_build(f, command, a, ret));
}

static void fake_ops_run_all(void *ctx, const struct ops_command *commands, size_t n,
			     struct arena *a, struct ops_outcome *ret)
{
	struct fake *f = ctx;

	f->beside += n;
	for (size_t i = 0; i < n; i++)
		ret[i].error = fake_ops_run(ctx, &commands[i], a, &ret[i].result);
}

static int fake_ops_write_attr(void *ctx, const char *path, const char *value)
{
	struct fake *f = ctx;

	note(f, "write", path, value);
	f->attr_writes++;
	return CHANGE(f, true, fake_kernel_write(f, path, value));
}

static int fake_ops_load_module(void *ctx, const char *name)
{
	struct fake *f = ctx;

	note(f, "load", name, NULL);
	return CHANGE(f, true, fake_kernel_load(f, name));
}

/* --- life ------------------------------------------------------------------------------------- */

void fake_restart(struct fake *f)
{
	f->trouble = FAKE_NO_TROUBLE;
	f->initramfs = f->loader = f->guests = FAKE_BUILDS;
	f->at = f->good_runs = f->changes = f->attr_writes = f->runs = f->beside = 0;
	f->dead = false;
	f->log = (struct words){0};
	f->room = UINT64_MAX;
	f->read_only = f->hangs = f->holder = f->refuses = f->only_version = f->says = NULL;
}

struct fake *fake_free(struct fake *f)
{
	if (!f)
		return NULL;
	ops_done(&f->real);
	root_free(f->root);
	arena_free(f->arena);
	free(f);
	return NULL;
}

int fake_new(const char *dir, struct fake **ret)
{
	_cleanup_fake_ struct fake *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return -ENOMEM;
	snprintf(f->dir, sizeof(f->dir), "%s", dir);
	f->arena = arena_new();
	err = f->arena ? root_open(dir, &f->root) : -ENOMEM;
	if (err == 0)
		err = ops_root_new(f->root, NULL, &limits, &f->real);
	if (err < 0)
		return err;
	fake_restart(f);
	f->grub_cfg = fake_read(f, "/boot/grub/grub.cfg");
	f->ops = (struct ops){
		.ctx = f,
		.live = true,
		.read = fake_ops_read,
		.readlink = fake_ops_readlink,
		.identity = fake_ops_identity,
		.room = fake_ops_room,
		.boot_id = fake_ops_boot_id,
		.holders = fake_ops_holders,
		.replace = fake_ops_replace,
		.append = fake_ops_append,
		.append_line = fake_ops_append_line,
		.unlink = fake_ops_unlink,
		.sweep = fake_ops_sweep,
		.mkdirs = fake_ops_mkdirs,
		.rmdir = fake_ops_rmdir,
		.run = fake_ops_run,
		.run_all = fake_ops_run_all,
		.write_attr = fake_ops_write_attr,
		.load_module = fake_ops_load_module,
	};
	*ret = TAKE(f);
	return 0;
}

const char *fake_read(struct fake *f, const char *path)
{
	const char *text;
	size_t size;

	return root_read(f->root, path, 64u << 20, f->arena, &text, &size) == 0 ? text : NULL;
}

/* In place and without a sync: the fake's own doing need not survive a power cut. */
int fake_write(struct fake *f, const char *path, const void *bytes, size_t size)
{
	const char *full = arena_printf(f->arena, "%s%s", f->dir, path);
	FILE *out = full ? fopen(full, "we") : NULL;
	bool good;

	if (!out)
		return -errno;
	good = fwrite(bytes, 1, size, out) == size;
	return fclose(out) == 0 && good ? 0 : -EIO;
}
