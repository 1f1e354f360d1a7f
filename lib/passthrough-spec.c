/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where spec files are found, who may write them, and which of them count on a host. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "paths.h"
#include "surface.h"

static const char *const folders[] = {PATH_SPEC_ETC, PATH_SPEC_RUN, PATH_SPEC_USR};

#define SUFFIX	    ".yaml"
#define MASK_TARGET "/dev/null" /* a link to it hides files of its name, as systemd's units do */

struct entry {
	const char *name;
	const char *dir;
};

/* What is being loaded: tree NULL means the caller's own paths (note 28). */
struct loading {
	struct tree *tree;
	struct pthru_spec *spec;
	struct pthru_diags *diags;
	bool judge;	/* owners and permissions (note 29) */
	bool in_folder; /* found there, not named by the caller: only a regular file is meant */
	ARRAY_OF(struct entry) entries;
};

int surface_read(const char *path, bool regular, size_t max, struct arena *a,
		 struct surface_file *ret)
{
	int wait = regular ? O_NONBLOCK : 0;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC | wait);
	struct surface_file file = {0};
	struct stat st;
	int err;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (regular && !S_ISREG(st.st_mode))
		return -EINVAL;
	err = fd_read(fd, (size_t)st.st_size, max, a, &file.bytes, &file.size);
	if (err < 0)
		return err;
	file.mode = st.st_mode;
	file.uid = st.st_uid;
	*ret = file;
	return 0;
}

static void complain(struct loading *l, enum code code, const char *path, const char *message)
{
	diags_add(&l->diags->d, SEVERITY_ERROR, code, (struct place){.file = path}, NULL, "%s",
		  message);
}

static void complain_errno(struct loading *l, const char *path, int error)
{
	if (error == -EFBIG)
		complain(l, CODE_TOO_LARGE, path, "larger than 1 MiB, which no spec file is");
	else if (error == -EINVAL)
		complain(l, CODE_BAD_FILE, path, "not a regular file");
	else if (error == -ENOMEM)
		l->diags->d.lost = true;
	else
		complain(l, CODE_BAD_FILE, path, strerror(-error));
}

/* Who can write here can make root do anything: only root and the caller may. */
static bool safe(struct loading *l, const char *path, mode_t mode, uid_t uid)
{
	if (!l->judge)
		return true;
	if (uid != 0 && uid != geteuid()) {
		complain(l, CODE_UNSAFE_PERMISSIONS, path,
			 "owned by somebody who is neither root nor the caller; chown root it");
		return false;
	}
	/* In a sticky folder others can add files, which are then theirs and refused. */
	if ((mode & (S_IWGRP | S_IWOTH)) && !(S_ISDIR(mode) && (mode & S_ISVTX))) {
		complain(l, CODE_UNSAFE_PERMISSIONS, path,
			 "writable by others than its owner; chmod go-w it");
		return false;
	}
	return true;
}

static int read_entry(struct loading *l, const char *path, struct surface_file *ret)
{
	struct surface_file file = {0};
	struct tree_stat st = {0};
	int err;

	if (!l->tree)
		return surface_read(path, l->in_folder, SPEC_FILE_MAX, l->spec->arena, ret);
	err = l->tree->ops->stat(l->tree, path, &st);
	if (err < 0)
		return err;
	err = l->tree->ops->read(l->tree, path, SPEC_FILE_MAX, l->spec->arena, &file.bytes,
				 &file.size);
	if (err < 0)
		return err;
	file.mode = st.mode;
	file.uid = st.uid;
	*ret = file;
	return 0;
}

static int add_file(struct loading *l, const char *path)
{
	struct surface_file file = {0};
	struct config_input *input;
	int err = read_entry(l, path, &file);

	if (err < 0) {
		complain_errno(l, path, err);
		return 0;
	}
	if (!safe(l, path, file.mode, file.uid))
		return 0;
	input = array_add(l->spec->arena, &l->spec->inputs);
	if (!input)
		return -ENOMEM;
	*input = (struct config_input){.path = path, .bytes = file.bytes, .size = file.size};
	return 0;
}

static bool is_spec_name(const char *name)
{
	size_t n = strlen(name), suffix = strlen(SUFFIX);

	return name[0] != '.' && n > suffix && strcmp(name + n - suffix, SUFFIX) == 0;
}

/* The one of that name in a stronger folder, NULL: none. */
static const struct entry *known(const struct loading *l, const char *name)
{
	array_foreach(it, &l->entries)
		if (strcmp(it->name, name) == 0)
			return it;
	return NULL;
}

static int note_hidden(struct loading *l, const struct entry *entry, const struct entry *by)
{
	struct arena *a = l->spec->arena;
	struct config_file file = {
		.path = arena_printf(a, "%s/%s", entry->dir, entry->name),
		.missed = arena_printf(a, "hidden by %s/%s", by->dir, by->name),
	};

	return file.path && file.missed ? array_push(a, &l->spec->hidden, file) : -ENOMEM;
}

static bool masked(struct loading *l, const char *path)
{
	const char *target = NULL;

	return l->tree && l->tree->ops->readlink(l->tree, path, l->spec->arena, &target) == 0 &&
	       strcmp(target, MASK_TARGET) == 0;
}

static int list_folder(struct loading *l, const char *dir)
{
	struct words names = {0};
	struct tree_stat st = {0};
	int err = l->tree->ops->stat(l->tree, dir, &st);

	if (err == -ENOENT)
		return 0;
	if (err == 0)
		err = l->tree->ops->list(l->tree, dir, l->spec->arena, &names);
	if (err < 0) {
		complain_errno(l, dir, err);
		return 0;
	}
	if (!safe(l, dir, st.mode, st.uid))
		return 0;
	for (size_t i = 0; i < names.n; i++) {
		const struct entry entry = {.name = names.at[i], .dir = dir};
		const struct entry *stronger = known(l, entry.name);

		if (!is_spec_name(entry.name))
			continue;
		err = stronger ? note_hidden(l, &entry, stronger)
			       : array_push(l->spec->arena, &l->entries, entry);
		if (err < 0)
			return err;
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static int add_entries(struct loading *l)
{
	int err = 0;

	l->in_folder = true;
	if (l->entries.at)
		qsort(l->entries.at, l->entries.n, sizeof(*l->entries.at), by_name);
	array_foreach(it, &l->entries) {
		const char *path = arena_printf(l->spec->arena, "%s/%s", it->dir, it->name);

		if (!path)
			return -ENOMEM;
		if (!masked(l, path))
			err = add_file(l, path);
		if (err < 0)
			return err;
	}
	l->entries.n = 0;
	l->in_folder = false;
	return 0;
}

static int load_folders(struct loading *l, const char *path _unused_)
{
	l->spec->from_folders = true;
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		if (list_folder(l, folders[i]) < 0)
			return -ENOMEM;
	return add_entries(l);
}

/* The folder in which path lies, and the one in which the file lies that it leads to. */
static bool safe_folders(struct loading *l, const char *path)
{
	char real[PATH_MAX];
	const char *ways[] = {path, realpath(path, real) ? real : path};

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		const char *slash = strrchr(ways[i], '/');
		const char *dir = slash ? arena_strndup(l->spec->arena, ways[i],
							slash == ways[i] ? 1 : slash - ways[i])
					: ".";
		struct stat st;

		if (!dir)
			l->diags->d.lost = true;
		if (!dir || (stat(dir, &st) == 0 && !safe(l, dir, st.st_mode, st.st_uid)))
			return false;
	}
	return true;
}

static int list_own_folder(struct loading *l, const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int err = 0;

	if (!d) {
		complain_errno(l, dir, -errno);
		return 0;
	}
	while (err == 0 && (e = readdir(d))) {
		struct entry entry = {.name = arena_strdup(l->spec->arena, e->d_name), .dir = dir};

		if (!entry.name)
			err = -ENOMEM;
		else if (is_spec_name(entry.name))
			err = array_push(l->spec->arena, &l->entries, entry);
	}
	closedir(d);
	return err;
}

static int load_path(struct loading *l, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		complain_errno(l, path, -errno);
		return 0;
	}
	if (!S_ISDIR(st.st_mode))
		return safe_folders(l, path) ? add_file(l, path) : 0;
	if (!safe(l, path, st.st_mode, st.st_uid))
		return 0;
	return list_own_folder(l, path) < 0 ? -ENOMEM : add_entries(l);
}

static int new_spec(struct pthru_spec **ret)
{
	struct arena *a = arena_new();
	struct pthru_spec *spec = a ? arena_new_of(a, struct pthru_spec) : NULL;

	if (!spec) {
		arena_free(a);
		return -ENOMEM;
	}
	spec->arena = a;
	*ret = spec;
	return 0;
}

/* Where load() reads from. */
struct source {
	int (*read)(struct loading *l, const char *path);
	char *const *paths; /* n of them; NULL where read knows its own */
	size_t n;
};

static int load(struct loading *l, const struct source *source, struct pthru_spec **ret)
{
	int err = new_spec(&l->spec);

	if (err < 0)
		return err;
	for (size_t i = 0; err == 0 && i < source->n; i++)
		err = source->read(l, source->paths ? source->paths[i] : "");
	if (err == 0 && l->tree)
		err = l->tree->trouble;
	/*
	 * With unreadable files among them, what is wrong in the others is still told; and all that
	 * is wrong on any machine is found now, so that match: hides no errors (note 16).
	 */
	if (err == 0 && l->spec->inputs.n)
		err = config_load(l->spec->inputs.at, l->spec->inputs.n, NULL, &l->diags->d,
				  &l->spec->everywhere);
	if (err == 0 && pthru_diags_errors(l->diags))
		err = -EINVAL;
	if (err < 0) {
		pthru_spec_free(l->spec);
		return err;
	}
	*ret = l->spec;
	return 0;
}

int pthru_spec_load(struct pthru_ctx *ctx, struct pthru_diags *diags, struct pthru_spec **ret)
{
	const struct source own = {.read = load_path, .paths = &ctx->spec_path, .n = 1};
	const struct source folders_of_root = {.read = load_folders, .n = 1};
	struct loading l = {.diags = diags, .judge = true};
	_cleanup_tree_ struct tree *owned = NULL;
	int err;

	if (ctx->spec_path)
		return load(&l, &own, ret);
	err = surface_tree(ctx, diags, &owned, &l.tree);
	return err < 0 ? err : load(&l, &folders_of_root, ret);
}

int pthru_spec_load_files(char *const *paths, size_t n, struct pthru_diags *diags,
			  struct pthru_spec **ret)
{
	const struct source source = {.read = load_path, .paths = paths, .n = n};
	struct loading l = {.diags = diags};

	return load(&l, &source, ret);
}

static int load_accepted(struct loading *l, const char *path _unused_)
{
	return add_file(l, PATH_LAST_SPEC);
}

int pthru_spec_load_accepted(struct pthru_ctx *ctx, struct pthru_diags *diags,
			     struct pthru_spec **ret)
{
	const struct source accepted = {.read = load_accepted, .n = 1};
	struct loading l = {.judge = true};
	_cleanup_tree_ struct tree *owned = NULL;
	struct tree_stat st;
	int err = surface_tree(ctx, diags, &owned, &l.tree);

	if (err < 0)
		return err;
	if (l.tree->ops->stat(l.tree, PATH_LAST_SPEC, &st) < 0)
		return -ENOENT;
	/* The caller's errors are about other files: only these count here. */
	err = pthru_diags_new(&l.diags);
	if (err == 0)
		err = load(&l, &accepted, ret);
	if (err < 0 && l.diags)
		pthru_diags_join(diags, l.diags);
	pthru_diags_free(l.diags);
	return err;
}

int pthru_spec_new_empty(struct pthru_spec **ret)
{
	return new_spec(ret);
}

struct pthru_spec *pthru_spec_free(struct pthru_spec *spec)
{
	if (spec) {
		spec_free(spec->everywhere);
		arena_free(spec->arena);
	}
	return NULL;
}

size_t pthru_spec_files(const struct pthru_spec *spec)
{
	return spec->inputs.n;
}

static bool said(const struct diags *d, const struct diag *diag)
{
	array_foreach(it, &d->list)
		if (it->code == diag->code && it->place.line == diag->place.line &&
		    it->place.column == diag->place.column &&
		    strcmp(it->message, diag->message) == 0)
			return true;
	return false;
}

/* Checking has told most of it already: only what is new joins. */
static void join_new(struct pthru_diags *diags, const struct diags *more)
{
	array_foreach(it, &more->list)
		if (!said(&diags->d, it))
			diags_add(&diags->d, it->severity, it->code, it->place, it->source, "%s",
				  it->message);
	diags->d.lost |= more->lost;
}

/* What match: is compared with. 0 or -ENOMEM. */
static int facts_of(const struct host *host, struct arena *a, struct config_facts *ret)
{
	struct pci_id *ids = a ? arena_alloc(a, (host->devices.n + 1) * sizeof(*ids)) : NULL;

	if (!ids)
		return -ENOMEM;
	for (size_t i = 0; i < host->devices.n; i++)
		ids[i] = host->devices.at[i].id;
	*ret = (struct config_facts){
		.hostname = host->hostname,
		.machine_id = host->machine_id,
		.kernel = host->running_version,
		.cpu_vendor = host->cpu.vendor,
		.dmi_vendor = host->dmi_vendor,
		.dmi_product = host->dmi_product,
		.dmi_board = host->dmi_board,
		.ids = ids,
		.n_ids = host->devices.n,
	};
	return 0;
}

int pthru_spec_trace(const struct pthru_spec *spec, const struct pthru_plan *plan,
		     const struct pthru_trace *trace, void *userdata)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct config_facts facts;
	struct config_trace found = {0};
	int err = facts_of(plan->host, a, &facts);

	if (err == 0)
		err = config_trace(spec->inputs.at, spec->inputs.n, &facts, a, &found);
	if (err < 0)
		return err;
	array_foreach(it, &found.files)
		trace->file(userdata, it->path, it->missed);
	array_foreach(it, &spec->hidden)
		trace->file(userdata, it->path, it->missed);
	array_foreach(it, &found.values)
		trace->value(userdata, it->key, it->value, it->place.file, it->place.line);
	return 0;
}

int surface_narrow(const struct pthru_spec *spec, const struct host *host,
		   struct pthru_diags *diags, struct spec **ret)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct diags here = {.arena = a};
	struct config_facts facts;
	int err = facts_of(host, a, &facts);

	if (err < 0)
		return err;
	if (spec->inputs.n == 0) {
		*ret = spec_new();
		return *ret ? 0 : -ENOMEM;
	}
	err = config_load(spec->inputs.at, spec->inputs.n, &facts, &here, ret);
	join_new(diags, &here);
	return err;
}
