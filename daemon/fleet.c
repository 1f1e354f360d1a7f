/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "macro.h"
#include "strbuf.h"
#include "text.h"

#define NAME_WIDTH 28
#define SUFFIX	   ".host" /* of captures in a folder; one that is named may have any name */

struct fleet {
	struct call *call;
	struct pthru_spec *spec;
	struct strbuf out;
	size_t hosts, by_code[PTHRU_EXIT_INVALID + 1];
	enum pthru_exit worst;
};

/* What is said of one host. */
struct row {
	const char *path;
	enum pthru_exit code;
	char *brief;	/* NULL: it could not be planned for */
	char *document; /* JSON */
};

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool fleet_asked(const struct options *options)
{
	return options->n_args > 0 || (options->host && is_folder(options->host));
}

/* "captures/pve8.host" is pve8. */
static void add_name(const char *path, struct strbuf *out)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	size_t n = strlen(base), end = strlen(SUFFIX);

	if (n > end && strcmp(base + n - end, SUFFIX) == 0)
		n -= end;
	strbuf_addf(out, "%-*.*s", NAME_WIDTH, (int)n, base);
}

static void add_row(struct fleet *f, const struct row *row)
{
	strbuf_addf(&f->out, "%4d  ", (int)row->code);
	add_name(row->path, &f->out);
	strbuf_addf(&f->out, "  %s\n", row->brief ? row->brief : "not read");
}

static void add_document(struct fleet *f, const struct row *row)
{
	strbuf_add(&f->out, f->hosts ? ",\n{\"host\":" : "{\"hosts\":[\n{\"host\":");
	text_add_json(&f->out, row->path);
	strbuf_addf(&f->out, ",\"exit_code\":%d,\"plan\":%s}", (int)row->code, row->document);
}

static int plan_one(const struct fleet *f, struct pthru_ctx *ctx, struct pthru_diags *diags,
		    struct row *row)
{
	struct pthru_plan *plan = NULL;
	int err = pthru_ctx_set_capture(ctx, row->path, diags);

	if (err == 0)
		err = pthru_plan_make(ctx, f->spec, false, diags, &plan);
	if (err == 0) {
		row->code = pthru_plan_exit(plan);
		err = pthru_plan_brief(plan, &row->brief);
	}
	/* What could not be planned has a document too: its diagnostics. */
	if (err != -ENOMEM && f->call->options->json) {
		int printed = pthru_plan_print(ctx, plan, diags, &row->document);

		err = printed < 0 ? printed : err;
	}
	pthru_plan_free(plan);
	return err;
}

static int add_host(struct fleet *f, const char *path)
{
	struct row row = {.path = path, .code = PTHRU_EXIT_INVALID};
	struct pthru_diags *diags = NULL;
	struct pthru_ctx *ctx = NULL;
	int err = pthru_ctx_new(&ctx);

	if (err == 0)
		err = pthru_diags_new(&diags);
	if (err == 0) {
		pthru_ctx_set_form(ctx, pthru_ctx_form(f->call->ctx), 0);
		pthru_ctx_set_open(ctx, true);
		err = plan_one(f, ctx, diags, &row);
	}
	if (err != -ENOMEM) {
		if (f->call->options->json)
			add_document(f, &row);
		else
			add_row(f, &row);
		f->hosts++;
		f->by_code[row.code]++;
		f->worst = pthru_exit_worse(f->worst, row.code);
		if (pthru_diags_errors(diags) && err < 0)
			pthru_diags_join(f->call->diags, diags);
	}
	free(row.brief);
	free(row.document);
	pthru_diags_free(diags);
	pthru_ctx_free(ctx);
	return err == -ENOMEM || f->out.error ? -ENOMEM : 0;
}

static int is_capture(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name), suffix = strlen(SUFFIX);

	return entry->d_name[0] != '.' && n > suffix &&
	       strcmp(entry->d_name + n - suffix, SUFFIX) == 0;
}

static int add_folder(struct fleet *f, const char *folder)
{
	struct dirent **names = NULL;
	int n = scandir(folder, &names, is_capture, alphasort), err = 0;

	if (n < 0) {
		pthru_diags_error(f->call->diags, "bad-file", "%s: %s", folder, strerror(errno));
		f->worst = PTHRU_EXIT_INVALID;
		return 0;
	}
	for (int i = 0; i < n; i++) {
		_cleanup_strbuf_ struct strbuf path = {0};

		strbuf_addf(&path, "%s/%s", folder, names[i]->d_name);
		if (err == 0 && !is_folder(strbuf_text(&path)))
			err = add_host(f, strbuf_text(&path));
		free(names[i]);
	}
	free(names);
	return err;
}

static int add_path(struct fleet *f, const char *path)
{
	return is_folder(path) ? add_folder(f, path) : add_host(f, path);
}

static void add_totals(struct fleet *f)
{
	static const char *const words[] = {
		[PTHRU_EXIT_DONE] = "with nothing to do",
		[PTHRU_EXIT_FAILED] = "failed",
		[PTHRU_EXIT_PENDING] = "with changes pending",
		[PTHRU_EXIT_REBOOT] = "with only a reboot outstanding",
		[PTHRU_EXIT_REFUSED] = "blocked",
		[PTHRU_EXIT_INVALID] = "not read",
	};
	const char *sep = ": ";

	strbuf_addf(&f->out, "\n%zu host%s", f->hosts, f->hosts == 1 ? "" : "s");
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (f->by_code[i]) {
			strbuf_addf(&f->out, "%s%zu %s", sep, f->by_code[i], words[i]);
			sep = ", ";
		}
	strbuf_add(&f->out, ".\n");
}

static int add_all(struct fleet *f)
{
	const struct options *o = f->call->options;
	int err;

	if (!o->json)
		strbuf_addf(&f->out, "exit  %-*s  what\n", NAME_WIDTH, "host");
	err = add_path(f, o->host);
	for (int i = 0; err == 0 && i < o->n_args; i++)
		err = add_path(f, o->args[i]);
	if (err < 0)
		return err;
	if (o->json)
		strbuf_addf(&f->out, "%s\n],\"exit_code\":%d}\n", f->hosts ? "" : "{\"hosts\":[",
			    (int)f->worst);
	else
		add_totals(f);
	return f->out.error;
}

enum pthru_exit fleet_plan(struct call *call)
{
	struct fleet f = {.call = call, .worst = PTHRU_EXIT_DONE};
	int err;

	if (!call->options->host) {
		pthru_diags_error(call->diags, "usage", "captures stand after --host");
		return PTHRU_EXIT_INVALID;
	}
	err = pthru_spec_load(call->ctx, call->diags, &f.spec);
	if (err == 0)
		err = add_all(&f);
	if (err == 0)
		err = strbuf_take(&f.out, &call->out);
	pthru_spec_free(f.spec);
	strbuf_done(&f.out);
	return err < 0 ? call_failed(call, err) : f.worst;
}
