/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `explain boot`: what started this host, by what evidence, and what each loader here holds. */
#include <string.h>

#include "deployment.h"
#include "early.h"
#include "render-boot.h"
#include "render-page.h"

#define LABEL_WIDTH 19

int boot_view_make(struct arena *a, const struct host *host, struct boot_view *ret)
{
	struct boot_view view = {.arena = a};
	int err = boot_chain_find(a, host, &view.chain);

	for (size_t i = 0; err == 0 && i < boot_loaders_n; i++) {
		const struct boot_loader *loader = boot_loaders[i];
		struct loader_view row = {.loader = loader};
		int left;

		if (!loader->present(host) || host->boot.ostree)
			continue;
		err = loader->files(a, host, &row.files);
		if (err == 0)
			err = loader_command(a, host, loader, &row.command);
		left = err < 0 ? err : loader_left(a, host, view.chain.used, loader);
		if (left < 0)
			return left;
		row.left = left;
		row.edited = !loader_refreshed(host, loader);
		array_foreach(it, &host->boot.entries)
			row.entries += it->loader == loader->loader && entry_boots(host, it);
		if (array_push(a, &view.loaders, row) < 0)
			return -ENOMEM;
	}
	if (err == 0)
		*ret = view;
	return err;
}

static void label(struct page *p, const char *name)
{
	page_line(p, 2, 2 + LABEL_WIDTH);
	page_put_whole(p, INK_FAINT, name);
	page_column(p, 2 + LABEL_WIDTH);
}

static void fact(struct page *p, const char *name, const char *value)
{
	label(p, name);
	page_put(p, INK_PLAIN, value);
	page_end(p);
}

static void put_verdict(struct page *p, const struct boot_chain *chain)
{
	page_line(p, 0, 4);
	if (chain->unified)
		page_put(p, INK_STRONG, "This host was started from a unified kernel image");
	else if (chain->stranger)
		page_putf(p, INK_STRONG, "This host was started by %s", chain->stranger);
	else if (chain->used == LOADER_PROXMOX)
		page_put(p, INK_STRONG,
			 "This host was started from an ESP that proxmox-boot-tool keeps");
	else if (chain->used != LOADER_NONE)
		page_putf(p, INK_STRONG, "This host was started by %s",
			  boot_loader(chain->used)->name);
	else
		page_put(p, INK_WARN, "What started this host cannot be seen");
	if (chain->by) {
		page_mark(p, ':');
		page_putf(p, INK_PLAIN, "%s.", chain->by);
	} else {
		page_mark(p, '.');
	}
	page_end(p);
}

static const char *yes_no(enum tristate value)
{
	return value == YES ? "on" : value == NO ? "off" : NULL;
}

/* What makes unified images, and what stands beside them. */
static void put_unified(struct page *p, const struct host_unified *unified)
{
	if (unified->by || unified->why)
		fact(p, "unified images", unified->by ? unified->by : unified->why);
	if (unified->signs)
		fact(p, "signed, as", unified->signs);
	array_foreach(it, &unified->addons) {
		label(p, "addon");
		page_put(p, INK_PLAIN, it->path);
		page_mark(p, ':');
		page_put(p, INK_PLAIN, it->options);
		page_end(p);
	}
}

/* Of ostree: what the next boot starts. */
static void put_deployment(struct page *p, const struct host_deployment *next)
{
	if (next->source)
		fact(p, next->staged ? "staged deployment" : "next deployment", next->source);
	fact(p, "its line", next->line ? next->line : next->why ? next->why : "not known");
}

static void put_evidence(struct page *p, const struct host *host)
{
	const struct host_boot *boot = &host->boot;

	page_head(p, "Evidence");
	fact(p, "firmware", boot->efi ? "UEFI" : "BIOS: /sys/firmware/efi is not there");
	if (yes_no(boot->secure))
		fact(p, "Secure Boot", yes_no(boot->secure));
	if (boot->efi)
		fact(p, "LoaderInfo", boot->loader_info ? boot->loader_info : "not set");
	if (boot->stub_info)
		fact(p, "StubInfo", boot->stub_info);
	put_unified(p, &boot->unified);
	if (boot->ostree)
		put_deployment(p, &boot->deployment);
	fact(p, "running line", host->cmdline_known ? host->cmdline : "not known");
}

static void put_part(struct page *p, enum ink ink, const char *before, const char *text)
{
	page_mark(p, ';');
	page_putf(p, ink, "%s%s", before, text);
}

static void put_loader(struct page *p, const struct boot_view *view, const struct loader_view *row)
{
	label(p, row->loader->name);
	if (view->chain.used == row->loader->loader ||
	    (view->chain.used == LOADER_SYSTEMD_BOOT && row->loader->loader == LOADER_ENTRIES))
		page_put(p, INK_GOOD, "started this host");
	else if (row->left)
		page_put(p, INK_WARN, "left over: its entries stay as they are");
	else
		page_put(p, INK_PLAIN, "installed, and kept right, as it may start this host too");
	if (row->entries == 1)
		put_part(p, INK_PLAIN, "", "1 entry");
	else if (row->entries)
		put_part(p, INK_PLAIN, "", arena_printf(view->arena, "%zu entries", row->entries));
	if (row->files.known)
		put_part(p, INK_PLAIN, "flags in ", row->files.where);
	else
		put_part(p, INK_BAD, "flags cannot be read: ",
			 row->files.why ? row->files.why : "unknown form");
	if (row->edited)
		put_part(p, INK_PLAIN, "", "its entries are edited themselves");
	else if (row->command)
		put_part(p, INK_PLAIN, "made anew by ", row->command);
	else
		put_part(p, INK_WARN, "", "no command here makes its entries anew");
	page_end(p);
}

static void put_entry(struct page *p, const char *place, const struct host_entry *entry)
{
	label(p, "");
	page_putf(p, INK_PLAIN, "%s%s%s", place ? place : "",
		  entry->recovery	 ? " (recovery)"
		  : entry->has_signature ? " (signed)"
					 : "",
		  entry->starts ? ", which starts" : "");
	if (entry->starts)
		page_putf(p, INK_PLAIN, "%s with options of its own", entry->starts);
	page_end(p);
}

static void put_kernel(struct page *p, struct arena *a, const struct host *host,
		       const struct host_kernel *kernel)
{
	label(p, kernel->version);
	page_putf(p, INK_PLAIN, "%s%s", kernel->running ? "running, " : "",
		  kernel->image.path ? kernel->image.path : "no initramfs in /boot");
	page_end(p);
	array_foreach(it, &kernel->copies)
		if (!image_file(it, UNIFIED_SECTIONS))
			fact(p, "", it->path);
	array_foreach(it, &host->boot.entries)
		if (entry_boots(host, it) && it->kernel && strcmp(it->kernel, kernel->version) == 0)
			put_entry(p, entry_place(a, it), it);
}

int render_boot(const struct host *host, struct render_style style, struct strbuf *out)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct page p = {.out = out, .style = style};
	struct boot_view view = {0};
	int err = a ? boot_view_make(a, host, &view) : -ENOMEM;

	if (err < 0)
		return err;
	put_verdict(&p, &view.chain);
	put_evidence(&p, host);
	page_head(&p, "Boot loaders");
	array_foreach(it, &view.loaders)
		put_loader(&p, &view, it);
	if (host->boot.ostree)
		fact(&p, DEPLOYMENT_COMMAND,
		     host_has_command(host, DEPLOYMENT_COMMAND)
			     ? "makes another deployment with other flags (rpm-ostree kargs)"
			     : "not installed: nothing here makes another deployment");
	else if (!view.loaders.n)
		page_text(&p, 2, INK_WARN, "None whose configuration is known here.");
	array_foreach(it, &host->boot.esps)
		fact(&p, "ESP",
		     arena_printf(a, "%s, %s", it->uuid,
				  it->mounted  ? it->mount
				  : it->seen   ? "not mounted; read as a device"
				  : !it->there ? "listed, and not there"
					       : "not mounted, and cannot be read"));
	page_head(&p, "Kernels");
	array_foreach(it, &host->kernels)
		if (it->vmlinuz)
			put_kernel(&p, a, host, it);
	return out->error;
}
