/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lies in the folders for state and run-time files. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "observe.h"
#include "paths.h"
#include "surface.h"

int pthru_run_make(struct pthru_ctx *ctx)
{
	int err = ctx->capture ? -EOPNOTSUPP : surface_root(ctx, NULL);

	return err < 0 ? err : root_mkdirs(ctx->root, PATH_RUN_DIR);
}

int pthru_status_save(struct pthru_ctx *ctx, const char *document)
{
	const struct file_attr attr = {.mode = 0600};
	int err = pthru_run_make(ctx);

	return err < 0 ? err
		       : root_replace(ctx->root, PATH_STATUS, document, strlen(document), &attr);
}

int pthru_metrics_save(struct pthru_ctx *ctx, const struct pthru_plan *plan,
		       const struct pthru_metrics *metrics)
{
	const struct render_metrics m = {.exit_code = metrics->exit,
					 .last_success = metrics->last_success,
					 .apply_ms = metrics->apply_ms,
					 .heals = metrics->heals};
	const struct file_attr attr = {.mode = 0644};
	_cleanup_strbuf_ struct strbuf text = {0};
	struct stat st;
	int err = ctx->capture ? -EOPNOTSUPP : surface_root(ctx, NULL);

	if (err == 0)
		err = root_stat(ctx->root, PATH_METRICS_DIR, &st);
	if (err < 0)
		return err;
	render_metrics(plan->plan, &m, &text);
	return text.error
		       ? text.error
		       : root_replace(ctx->root, PATH_METRICS, strbuf_text(&text), text.len, &attr);
}

int surface_keep_spec(struct pthru_ctx *ctx, const struct spec *spec, struct pthru_diags *diags)
{
	const struct file_attr attr = {.mode = 0600};
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text = spec->canonical ? spec->canonical : "", *old = NULL;
	size_t size = strlen(text), old_size = 0;
	int err = a ? root_mkdirs(ctx->root, PATH_STATE_DIR) : -ENOMEM;

	if (err == 0 && root_read(ctx->root, PATH_LAST_SPEC, size, a, &old, &old_size) == 0 &&
	    old_size == size && memcmp(old, text, size) == 0)
		return 0;
	if (err == 0)
		err = root_replace(ctx->root, PATH_LAST_SPEC, text, size, &attr);
	if (err < 0)
		surface_errno(diags, err, PATH_LAST_SPEC);
	return err;
}

/* The spec as it holds on this host: only what match: looks at is observed. */
static int narrow_here(struct pthru_ctx *ctx, const struct pthru_spec *spec,
		       struct pthru_diags *diags, struct spec **ret)
{
	const struct observe_options options = {0};
	_cleanup_tree_ struct tree *owned = NULL;
	_cleanup_host_ struct host *host = NULL;
	struct tree *tree = NULL;
	int err = surface_tree(ctx, diags, &owned, &tree);

	if (err == 0)
		err = host_observe(tree, &options, &host);
	return err < 0 ? err : surface_narrow(spec, host, diags, ret);
}

int pthru_spec_accept(struct pthru_ctx *ctx, const struct pthru_spec *spec,
		      struct pthru_diags *diags)
{
	_cleanup_spec_ struct spec *here = NULL;
	int err = ctx->capture ? -EOPNOTSUPP : narrow_here(ctx, spec, diags, &here);

	return err < 0 || !here ? err : surface_keep_spec(ctx, here, diags);
}

/* Whether the spec is, on this host, what was accepted last: 1, 0, or errno. */
static int is_accepted(struct pthru_ctx *ctx, const struct pthru_spec *spec,
		       struct pthru_diags *diags)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_spec_ struct spec *here = NULL;
	const char *text, *accepted;
	size_t size;
	int err = a ? narrow_here(ctx, spec, diags, &here) : -ENOMEM;

	if (err < 0)
		return err;
	text = here->canonical ? here->canonical : "";
	err = root_read(ctx->root, PATH_LAST_SPEC, strlen(text), a, &accepted, &size);
	if (err == -ENOMEM)
		return err;
	return err == 0 && size == strlen(text) && memcmp(text, accepted, size) == 0;
}

int pthru_spec_load_in_force(struct pthru_ctx *ctx, struct pthru_diags *diags, bool *ret_current,
			     struct pthru_spec **ret)
{
	struct pthru_spec *spec = NULL;
	int err = ctx->capture ? -EOPNOTSUPP : pthru_spec_load(ctx, diags, &spec);
	int accepted = err < 0 ? 0 : is_accepted(ctx, spec, diags);

	if (err == -ENOMEM || err == -EOPNOTSUPP || accepted == -ENOMEM) {
		pthru_spec_free(spec);
		return err < 0 ? err : accepted;
	}
	*ret_current = accepted > 0;
	if (accepted > 0) {
		*ret = spec;
		return 0;
	}
	pthru_spec_free(spec);
	return pthru_spec_load_accepted(ctx, diags, ret);
}

int pthru_plan_watches(const struct pthru_plan *plan, char **ret)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	int err = host_watches(plan ? plan->host : NULL, &out);

	return err < 0 ? err : strbuf_take(&out, ret);
}

int pthru_watch_open(struct pthru_ctx *ctx, const char *path)
{
	int err = ctx->capture ? -EOPNOTSUPP : surface_root(ctx, NULL);

	return err < 0 ? err : root_openat(ctx->root, path, O_PATH);
}

bool pthru_is_live(struct pthru_ctx *ctx)
{
	return !ctx->capture && surface_root(ctx, NULL) == 0 && root_is_live(ctx->root);
}

/*
 * An address has room for 107 bytes, and its path would be resolved outside the root: below a root
 * other than "/" it leads through a descriptor of the folder.
 */
int pthru_control_address(struct pthru_ctx *ctx, struct sockaddr_un *ret)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int err = ctx->capture ? -EOPNOTSUPP : surface_root(ctx, NULL);
	int n;

	if (err < 0)
		return err;
	if (root_is_live(ctx->root)) {
		n = snprintf(address.sun_path, sizeof(address.sun_path), "%s", PATH_SOCKET);
	} else {
		if (ctx->run_fd < 0) {
			err = root_openat(ctx->root, PATH_RUN_DIR, O_PATH | O_DIRECTORY);
			if (err < 0)
				return err;
			ctx->run_fd = err;
		}
		n = snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d%s",
			     ctx->run_fd, strrchr(PATH_SOCKET, '/'));
	}
	if (n < 0 || (size_t)n >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	*ret = address;
	return 0;
}
