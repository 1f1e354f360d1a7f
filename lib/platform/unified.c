/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unified kernel images that kernel-install has ukify make (3.13): of /etc/kernel/cmdline, and of
 * the initramfs in /boot or one that its own plugins make.
 */
#include "unified.h"

#include <string.h>

#include "early.h"
#include "kernel-cmdline.h"
#include "rows.h"

#define COMMAND "kernel-install"
#define SUFFIX	".efi"

static bool is_image_of(const struct host_entry *entry, const struct host_kernel *kernel)
{
	return entry->loader == LOADER_UNIFIED && entry->kernel && kernel->vmlinuz &&
	       strcmp(entry->kernel, kernel->version) == 0;
}

/* The next one of an installed kernel behind last, the first for NULL. */
static const struct host_entry *next_image(const struct host *host, const struct host_entry *last)
{
	array_foreach(entry, &host->boot.entries)
		array_foreach(kernel, &host->kernels)
			if ((!last || entry > last) && is_image_of(entry, kernel))
				return entry;
	return NULL;
}

bool unified_present(const struct host *host)
{
	return next_image(host, NULL);
}

/* The length of its path without the count of tries and the suffix. */
static size_t stem(const char *source)
{
	const char *slash = strrchr(source, '/'), *name = slash ? slash + 1 : source;
	size_t n = strlen(name), suffix = strlen(SUFFIX), plus;

	n -= n > suffix ? suffix : 0;
	for (plus = n; plus && strchr("0123456789-", name[plus - 1]);)
		plus--;
	if (plus && name[plus - 1] == '+')
		n = plus - 1;
	return (size_t)(name - source) + n;
}

/* As 90-uki-copy names them: TOKEN-VERSION[+TRIES].efi. */
static bool is_named(const struct host_entry *entry)
{
	size_t n = stem(entry->source), version = strlen(entry->kernel);

	return n > version && entry->source[n - version - 1] == '-' &&
	       strncmp(entry->source + n - version, entry->kernel, version) == 0;
}

/* What keeps those that are there from being made anew; ret_of: the one that it is said of. */
static const char *trouble(const struct host *host, const struct host_entry **ret_of)
{
	const struct host_unified *u = &host->boot.unified;

	*ret_of = NULL;
	if (u->maker == UNIFIED_BY_NONE)
		return u->why ? u->why : "what makes them is not known";
	for (const struct host_entry *it = NULL; (it = next_image(host, it));) {
		*ret_of = it;
		if (!is_named(it))
			return " is not named as " COMMAND " names them: something else made it";
		/* One that is not signed any more would not be started. */
		if (it->has_signature && host->boot.secure != NO && !u->signs)
			return " is signed, and nothing says that " COMMAND " would have a new one "
			       "signed (no key in uki.conf, no keys of sbctl's): it might not be "
			       "started any more";
	}
	return NULL;
}

static bool stuck(const struct host *host)
{
	const struct host_entry *of;

	return unified_present(host) && trouble(host, &of);
}

bool unified_installs(const struct host *host)
{
	return unified_present(host) && !stuck(host);
}

int unified_refusal(struct arena *a, const struct host *host, const char **ret)
{
	const struct host_entry *of = NULL;
	const char *why = unified_present(host)
				  ? trouble(host, &of)
				  : "none of an installed kernel is on a boot partition that is "
				    "mounted at /efi, /boot/efi or /boot";

	if (why)
		why = arena_printf(
			a,
			"this host was started by a unified kernel image, and nothing here "
			"can make one anew: %s%s (passthroughctl explain boot)",
			of ? of->source : "", why);
	else
		of = NULL;
	*ret = why;
	return why || !of ? 0 : -ENOMEM;
}

/* --- the row --------------------------------------------------------------------------------- */

/* The file that the next run writes (3.11). */
static const char *written(struct arena *a, const struct host *host, const struct host_entry *entry)
{
	const char *tries = host->boot.unified.tries;

	return arena_printf(a, "%.*s%s%s" SUFFIX, (int)stem(entry->source), entry->source,
			    tries ? "+" : "", tries ? tries : "");
}

/*
 * As systemd-boot's row: one kernel a call (3.5), by name. With another layout, or a plugin that is
 * switched off, nothing is written and all is well (3.6): the image must be new.
 */
static int refresh_kernel(struct arena *a, const struct host *host,
			  const struct host_kernel *kernel, struct step *step)
{
	const char *argv[] = {COMMAND, "add", kernel->version, kernel->vmlinuz, kernel->image.path};
	const struct host_entry *image = NULL;

	array_foreach(entry, &host->boot.entries)
		if (is_image_of(entry, kernel))
			image = entry;
	if (!image || stuck(host))
		return 0;
	step->target = arena_printf(a, COMMAND " %s", kernel->version);
	step->produces = written(a, host, image);
	if (!step->target || !step->produces ||
	    words_push(a, &step->argv, argv, kernel->image.status == IMAGE_ABSENT ? 4 : 5) < 0)
		return -ENOMEM;
	array_foreach(it, &kernel->copies) {
		struct step_copy copy = {.from = it->path, .to = it->path};

		if (image_file(it, UNIFIED_SECTIONS) && array_push(a, &step->copies, copy) < 0)
			return -ENOMEM;
	}
	return 1;
}

const struct boot_loader loader_unified = {
	.loader = LOADER_UNIFIED,
	.name = "unified images",
	.present = unified_present,
	.files = kernel_cmdline_files,
	.edit = kernel_cmdline_edit,
	.refresh_kernel = refresh_kernel,
	.stuck = stuck,
};
