/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unified kernel images: each is an entry, with its own line, and the initramfs that boots (UAPI.5,
 * 2.30, 3.16).
 */
#include <ctype.h>
#include <strings.h>

#include "boot-entries.h"
#include "counted.h"
#include "early.h"
#include "observe-parts.h"

#define ADDON		  ".addon.efi"
#define SUFFIX		  ".efi"
#define MACHINE_ID_LENGTH 32

/* Such file systems know no difference. */
static bool ends_with(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n > m && strcasecmp(s + n - m, suffix) == 0;
}

static const char *text_in(const struct host_image *image, const char *path)
{
	const struct image_file *file = image_file(image, path);

	return file ? file->text : "";
}

static bool has_section(const struct host_image *image, const char *name)
{
	const char *line = text_in(image, UNIFIED_SECTIONS);
	size_t n = strlen(name);

	for (size_t end; *line; line += end + (line[end] == '\n')) {
		end = strcspn(line, "\n");
		if (end == n && strncmp(line, name, n) == 0)
			return true;
	}
	return false;
}

/* A machine id in the name that is not this host's: ESPs are shared. Captures hide whose it is. */
static bool is_foreign(const struct observer *o, const char *name)
{
	const char *id = o->host->machine_id;

	for (size_t n; strlen(id) == MACHINE_ID_LENGTH && *name; name += n) {
		for (n = 0; isxdigit((unsigned char)name[n]);)
			n++;
		if (n == MACHINE_ID_LENGTH && strncmp(name, id, n) != 0)
			return true;
		n += !n;
	}
	return false;
}

/* The installed kernel whose version stands in the name: not all makers say it inside. */
static struct host_kernel *named_in(struct observer *o, const char *name)
{
	struct host_kernel *best = NULL;

	array_foreach(it, &o->host->kernels) {
		size_t n = strlen(it->version);
		const char *at = n ? strstr(name, it->version) : NULL;

		if (at && (at == name || at[-1] == '-') &&
		    (strchr("-+", at[n]) || strcasecmp(at + n, SUFFIX) == 0) &&
		    (!best || n > strlen(best->version)))
			best = it;
	}
	return best;
}

/* --- addons ---------------------------------------------------------------------------------- */

static void add_addons(struct observer *o, const char *dir, const char *of)
{
	struct words names = see_list(o, "%s", dir);

	array_foreach(it, &names) {
		struct host_addon addon = {.of = of};
		struct host_image image = {0};

		if (!ends_with(*it, ADDON))
			continue;
		addon.path = keep_printf(o, "%s/%s", dir, *it);
		observe_image(o, addon.path, &image);
		addon.options = text_in(&image, UNIFIED_CMDLINE);
		/* One that is not signed is not taken then. */
		if (!*addon.options ||
		    (o->host->boot.secure == YES && !has_section(&image, UNIFIED_SIGNATURE)))
			continue;
		kept(o, array_push(o->a, &o->host->boot.unified.addons, addon) == 0);
	}
}

/* Those beside it; their folder's name has no count of tries. */
static void add_own_addons(struct observer *o, const char *of, const char *version)
{
	size_t n = counted_stem(of, SUFFIX, version);

	add_addons(o, keep_printf(o, "%s.extra.d", of), of);
	if (n < strlen(of) - strlen(SUFFIX))
		add_addons(o, keep_printf(o, "%.*s" SUFFIX ".extra.d", (int)n, of), of);
}

/* What the kernel gets: the stub appends what stands beside the image. */
static const char *whole_line(struct observer *o, const char *own, const char *source)
{
	const char *line = own;

	array_foreach(it, &o->host->boot.unified.addons)
		if (!it->of || strcmp(it->of, source) == 0)
			line = keep_printf(o, "%s%s%s", line, *line ? " " : "", it->options);
	return line;
}

/* --- images ---------------------------------------------------------------------------------- */

/* One that has no kernel beside it in /boot has it where its package put it. */
static void find_kernel(struct observer *o, struct host_kernel *kernel)
{
	if (!kernel->vmlinuz && see_exists(o, "/lib/modules/%s/vmlinuz", kernel->version))
		kernel->vmlinuz = keep_printf(o, "/lib/modules/%s/vmlinuz", kernel->version);
}

static void add_image(struct observer *o, const char *root, const char *name)
{
	const char *source = keep_printf(o, "%s/EFI/Linux/%s", root, name), *version;
	struct host_image image = {0};
	struct boot_line line = {.title = "", .image = source};
	struct host_kernel *kernel;

	observe_image(o, source, &image);
	if (image.status == IMAGE_ABSENT ||
	    (image.status == IMAGE_READ && !has_section(&image, ".linux")))
		return;
	version = text_in(&image, UNIFIED_UNAME);
	kernel = *version ? kernel_named(o->host, version) : named_in(o, name);
	if (kernel)
		find_kernel(o, kernel);
	if (kernel && (image.status != IMAGE_READ || has_section(&image, ".initrd")))
		kept(o, array_push(o->a, &kernel->copies, image) == 0);
	/* One that is cut is a kernel's all the same, and can be made anew. */
	if (image.status != IMAGE_READ && (!kernel || image.status != IMAGE_BAD))
		return;
	line.kernel = kernel ? kernel->version : *version ? version : NULL;
	add_own_addons(o, source, line.kernel ? line.kernel : "");
	line.options = whole_line(o, text_in(&image, UNIFIED_CMDLINE), source);
	observe_entry(o, LOADER_UNIFIED, source, &line);
	if (!o->lost)
		o->host->boot.entries.at[o->host->boot.entries.n - 1].has_signature =
			has_section(&image, UNIFIED_SIGNATURE);
}

void observe_unified(struct observer *o, const char *root)
{
	struct words names = keep_list(o, "%s/EFI/Linux", root);
	bool any = false;

	array_foreach(it, &names)
		any = any || ends_with(*it, SUFFIX);
	if (!any || !o->options->images)
		return;
	add_addons(o, keep_printf(o, "%s/loader/addons", root), NULL);
	array_foreach(it, &names)
		if (ends_with(*it, SUFFIX) && !ends_with(*it, ADDON) && !is_foreign(o, *it))
			add_image(o, root, *it);
}

/* --- entries that start one ------------------------------------------------------------------ */

bool observe_unified_start(struct observer *o, enum loader loader, const char *root,
			   const char *source, const struct boot_line *line)
{
	const char *path = keep_printf(o, "%s%s", root, line->image);
	const struct host_entry *image = NULL;
	struct boot_line own = *line;

	array_foreach(it, &o->host->boot.entries)
		if (it->loader == LOADER_UNIFIED && strcasecmp(it->source, path) == 0)
			image = it;
	if (!image)
		return false;
	if (!*line->options || o->host->boot.secure == YES)
		return true;
	path = image->source;
	own.kernel = image->kernel;
	own.options = whole_line(o, line->options, path);
	observe_entry(o, loader, source, &own);
	if (!o->lost)
		o->host->boot.entries.at[o->host->boot.entries.n - 1].starts = path;
	return true;
}
