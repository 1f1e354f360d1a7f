/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `explain boot --json`. */
#include <string.h>

#include "render-boot.h"
#include "render-json.h"

static void put_loader(struct doc *b, struct json_object *array, const struct loader_view *row)
{
	struct json_object *to = doc_row(b, array);

	doc_put_text(b, to, "name", loader_name(row->loader->loader));
	doc_put_text(b, to, "flags_in", row->files.where);
	doc_put_text(b, to, "flags", row->files.known ? row->files.line : NULL);
	doc_put_text(b, to, "flags_unknown", row->files.known ? NULL : row->files.why);
	doc_put_text(b, to, "command", row->command);
	doc_put_count(b, to, "entries", row->entries);
	doc_put_bool(b, to, "left_over", row->left);
}

static void put_kernel(struct doc *b, struct json_object *array, const struct host *host,
		       const struct host_kernel *kernel)
{
	struct json_object *to = doc_row(b, array), *list;

	doc_put_text(b, to, "version", kernel->version);
	doc_put_bool(b, to, "running", kernel->running);
	doc_put_text(b, to, "image", kernel->image.path);
	list = doc_array(b, to, "copies");
	array_foreach(it, &kernel->copies)
		doc_push(b, list, doc_text(b, it->path));
	list = doc_array(b, to, "entries");
	array_foreach(it, &host->boot.entries) {
		struct json_object *entry;

		if (!entry_boots(host, it) || !it->kernel ||
		    strcmp(it->kernel, kernel->version) != 0)
			continue;
		entry = doc_row(b, list);
		doc_put_text(b, entry, "source", it->source);
		doc_put_count(b, entry, "line", it->line);
		doc_put_text(b, entry, "options", it->options);
		doc_put_bool(b, entry, "recovery", it->recovery);
		doc_put_bool(b, entry, "signed", it->has_signature);
		doc_put_text(b, entry, "starts", it->starts);
	}
}

static void put_unified(struct doc *b, struct json_object *boot, const struct host_unified *from)
{
	struct json_object *to, *list;

	if (!from->by && !from->why) {
		doc_put_text(b, boot, "unified_images", NULL);
		return;
	}
	to = doc_object(b, boot, "unified_images");
	doc_put_text(b, to, "made_by", from->by);
	doc_put_text(b, to, "unknown", from->why);
	doc_put_text(b, to, "signed_by", from->signs);
	list = doc_array(b, to, "addons");
	array_foreach(it, &from->addons) {
		struct json_object *addon = doc_row(b, list);

		doc_put_text(b, addon, "path", it->path);
		doc_put_text(b, addon, "options", it->options);
		doc_put_text(b, addon, "image", it->of);
	}
}

static void put_deployment(struct doc *b, struct json_object *boot, const struct host_boot *from)
{
	struct json_object *to;

	if (!from->ostree) {
		doc_put_text(b, boot, "deployment", NULL);
		return;
	}
	to = doc_object(b, boot, "deployment");
	doc_put_text(b, to, "source", from->deployment.source);
	doc_put_bool(b, to, "staged", from->deployment.staged);
	doc_put_text(b, to, "options", from->deployment.line);
	doc_put_text(b, to, "unknown", from->deployment.line ? NULL : from->deployment.why);
}

static void put_firmware(struct doc *b, struct json_object *to, const struct host_boot *boot)
{
	doc_put_text(b, to, "firmware", boot->efi ? "uefi" : "bios");
	if (boot->secure == UNKNOWN)
		doc_put_text(b, to, "secure_boot", NULL);
	else
		doc_put_bool(b, to, "secure_boot", boot->secure == YES);
	doc_put_text(b, to, "loader_info", boot->loader_info);
	doc_put_text(b, to, "stub_info", boot->stub_info);
}

int render_boot_json(const struct host *host, const struct diags *diags, struct strbuf *out)
{
	const struct diags *const lists[3] = {diags, NULL, NULL};
	_cleanup_arena_ struct arena *a = arena_new();
	struct json_object *document, *boot, *array;
	struct boot_view view;
	struct doc b = {0};
	int err = a ? boot_view_make(a, host, &view) : -ENOMEM;

	if (err < 0)
		return err;
	document = json_object_new_object();
	boot = doc_object(&b, document, "boot");
	doc_put_text(&b, boot, "started_by",
		     view.chain.used != LOADER_NONE ? loader_name(view.chain.used)
		     : view.chain.unified	    ? "unified-image"
						    : view.chain.stranger);
	doc_put_text(&b, boot, "evidence", view.chain.by);
	put_firmware(&b, boot, &host->boot);
	put_unified(&b, boot, &host->boot.unified);
	put_deployment(&b, boot, &host->boot);
	doc_put_text(&b, boot, "cmdline", host->cmdline_known ? host->cmdline : NULL);
	array = doc_array(&b, boot, "loaders");
	array_foreach(it, &view.loaders)
		put_loader(&b, array, it);
	array = doc_array(&b, boot, "kernels");
	array_foreach(it, &host->kernels)
		if (it->vmlinuz)
			put_kernel(&b, array, host, it);
	doc_put_diags(&b, document, lists);
	return doc_finish(&b, document, out);
}
