/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Contexts, diagnostics and exit codes of the surface. */
#include "passthrough.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "paths.h"
#include "surface.h"

#define CAPTURE_MAX (256u << 20) /* bytes */
#define PATIENCE    600		 /* seconds; a package upgrade with kernels takes minutes */

enum pthru_exit pthru_exit_worse(enum pthru_exit a, enum pthru_exit b)
{
	static const int rank[] = {
		[PTHRU_EXIT_DONE] = 0,	  [PTHRU_EXIT_REBOOT] = 1, [PTHRU_EXIT_REFUSED] = 2,
		[PTHRU_EXIT_PENDING] = 3, [PTHRU_EXIT_FAILED] = 4, [PTHRU_EXIT_INVALID] = 5,
	};

	return rank[a] >= rank[b] ? a : b;
}

enum pthru_exit pthru_exit_of_error(int error)
{
	switch (error) {
	case -EINVAL:
	case -EOPNOTSUPP:
	case -ENODEV:
		return PTHRU_EXIT_INVALID;
	case -ENOSPC:
	case -EDQUOT:
	case -EROFS:
		return PTHRU_EXIT_REFUSED;
	default:
		return PTHRU_EXIT_FAILED;
	}
}

int pthru_ctx_new(struct pthru_ctx **ret)
{
	struct pthru_ctx *ctx = calloc(1, sizeof(*ctx));

	if (!ctx)
		return -ENOMEM;
	ctx->run_fd = -1;
	ctx->patience = PATIENCE;
	*ret = ctx;
	return 0;
}

struct pthru_ctx *pthru_ctx_free(struct pthru_ctx *ctx)
{
	if (!ctx)
		return NULL;
	tree_free(ctx->capture);
	root_free(ctx->root);
	free(ctx->spec_path);
	free(ctx->contested);
	closep(&ctx->run_fd);
	free(ctx);
	return NULL;
}

int pthru_ctx_set_root(struct pthru_ctx *ctx, const char *dir, struct pthru_diags *diags)
{
	struct root *root = NULL;
	int err = root_open(dir, &root);

	if (err < 0) {
		surface_errno(diags, err, dir);
		return err;
	}
	root_free(ctx->root);
	ctx->root = root;
	return 0;
}

int surface_root(struct pthru_ctx *ctx, struct pthru_diags *diags)
{
	return ctx->root ? 0 : pthru_ctx_set_root(ctx, "/", diags);
}

int pthru_ctx_set_capture(struct pthru_ctx *ctx, const char *path, struct pthru_diags *diags)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct surface_file file = {0};
	struct tree *tree = NULL;
	int err;

	if (!a)
		return -ENOMEM;
	err = surface_read(path, false, CAPTURE_MAX, a, &file);
	if (err < 0) {
		surface_errno(diags, err, path);
		return err;
	}
	err = tree_capture_new(path, file.bytes, file.size, &diags->d, &tree);
	if (err < 0)
		return err == -EBADMSG ? -EINVAL : err;
	tree_free(ctx->capture);
	ctx->capture = tree;
	return 0;
}

int surface_tree(struct pthru_ctx *ctx, struct pthru_diags *diags, struct tree **ret_owned,
		 struct tree **ret)
{
	struct tree *tree = NULL;
	int err;

	if (ctx->capture) {
		*ret_owned = NULL;
		*ret = ctx->capture;
		return 0;
	}
	err = surface_root(ctx, diags);
	if (err < 0)
		return err;
	err = tree_root_new(ctx->root, PATH_CACHE, &tree);
	if (err < 0)
		return err;
	*ret_owned = tree;
	*ret = tree;
	return 0;
}

int pthru_ctx_set_contested(struct pthru_ctx *ctx, const char *paths)
{
	char *copy = strdup(paths);

	if (!copy)
		return -ENOMEM;
	free(ctx->contested);
	ctx->contested = copy;
	return 0;
}

int pthru_ctx_set_spec(struct pthru_ctx *ctx, const char *path)
{
	char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	free(ctx->spec_path);
	ctx->spec_path = copy;
	return 0;
}

void pthru_ctx_set_form(struct pthru_ctx *ctx, enum pthru_form form, unsigned width)
{
	ctx->form = form;
	ctx->width = width;
}

void pthru_ctx_set_open(struct pthru_ctx *ctx, bool open)
{
	ctx->open = open;
}

enum pthru_form pthru_ctx_form(const struct pthru_ctx *ctx)
{
	return ctx->form;
}

unsigned pthru_ctx_width(const struct pthru_ctx *ctx)
{
	return ctx->width;
}

void pthru_ctx_set_progress(struct pthru_ctx *ctx, void *userdata,
			    void (*step)(void *userdata, size_t index, size_t count,
					 const char *what, bool done),
			    void (*tick)(void *userdata, unsigned seconds),
			    void (*wait)(void *userdata, const char *holder))
{
	ctx->userdata = userdata;
	ctx->step = step;
	ctx->tick = tick;
	ctx->wait = wait;
}

void pthru_ctx_set_patience(struct pthru_ctx *ctx, unsigned seconds)
{
	ctx->patience = seconds;
}

void pthru_ctx_set_look(struct pthru_ctx *ctx, void (*look)(void *userdata))
{
	ctx->look = look;
}

int pthru_diags_new(struct pthru_diags **ret)
{
	struct arena *a = arena_new();
	struct pthru_diags *diags = a ? arena_new_of(a, struct pthru_diags) : NULL;

	if (!diags) {
		arena_free(a);
		return -ENOMEM;
	}
	diags->arena = a;
	diags->d.arena = a;
	*ret = diags;
	return 0;
}

struct pthru_diags *pthru_diags_free(struct pthru_diags *diags)
{
	if (diags)
		arena_free(diags->arena);
	return NULL;
}

static void add(struct pthru_diags *diags, enum severity severity, enum code code, const char *fmt,
		va_list ap)
{
	const struct place nowhere = {0};
	const char *message = arena_vprintf(diags->arena, fmt, ap);

	if (message)
		diags_add(&diags->d, severity, code, nowhere, NULL, "%s", message);
	else
		diags->d.lost = true;
}

void surface_error(struct pthru_diags *diags, enum code code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(diags, SEVERITY_ERROR, code, fmt, ap);
	va_end(ap);
}

void pthru_diags_error(struct pthru_diags *diags, const char *code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(diags, SEVERITY_ERROR, code_from_name(code), fmt, ap);
	va_end(ap);
}

void pthru_diags_note(struct pthru_diags *diags, const char *code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(diags, SEVERITY_NOTE, code_from_name(code), fmt, ap);
	va_end(ap);
}

static enum code code_of_errno(int error)
{
	switch (error) {
	case -ENOMEM:
		return CODE_OUT_OF_MEMORY;
	case -ENOSPC:
	case -EDQUOT:
		return CODE_NO_SPACE;
	case -EROFS:
		return CODE_READ_ONLY;
	case -EFBIG:
		return CODE_TOO_LARGE;
	case -EACCES:
	case -EPERM:
		return CODE_NO_PERMISSION;
	default:
		return CODE_BAD_FILE;
	}
}

void surface_errno(struct pthru_diags *diags, int error, const char *what)
{
	if (diags)
		surface_error(diags, code_of_errno(error), "%s: %s", what, strerror(-error));
}

void surface_join(struct pthru_diags *diags, const struct diags *more)
{
	array_foreach(it, &more->list)
		diags_add(&diags->d, it->severity, it->code, it->place, it->source, "%s",
			  it->message);
	diags->d.lost |= more->lost;
}

void pthru_diags_join(struct pthru_diags *diags, const struct pthru_diags *more)
{
	surface_join(diags, &more->d);
}

size_t pthru_diags_errors(const struct pthru_diags *diags)
{
	size_t n = diags->d.lost;

	array_foreach(it, &diags->d.list)
		n += it->severity == SEVERITY_ERROR;
	return n;
}
