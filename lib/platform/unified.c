/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unified kernel images that kernel-install has ukify make (3.13), of /etc/kernel/cmdline and of
 * the initramfs in /boot or one that its own plugins make; or that dracut makes (3.15), of its own
 * configuration. Either is one run a kernel.
 */
#include "unified.h"

#include <string.h>

#include "counted.h"
#include "dracut-line.h"
#include "early.h"
#include "flags.h"
#include "kernel-cmdline.h"
#include "paths.h"
#include "rows.h"
#include "sources.h"
#include "systemd-boot.h"

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

/* One beside a unified image: what would be written there is another matter, or none at all. */
static const struct host_kernel *with_image(const struct host *host)
{
	array_foreach(it, &host->kernels)
		if (it->vmlinuz && it->image.status != IMAGE_ABSENT)
			return it;
	return NULL;
}

/* Of what makes initramfs and image in one run. */
static const char *builder_trouble(const struct host *host, const struct initramfs_builder *builder)
{
	if (!host->initramfs_builder || strcmp(host->initramfs_builder, builder->name) != 0)
		return "another initramfs builder than the one that makes them is used here";
	return with_image(host)
		       ? "an initramfs stands in /boot as well, and which of them the next "
			 "run makes is not known"
		       : NULL;
}

/* NULL: nothing is wrong with what makes them. */
static const char *maker_trouble(const struct host *host)
{
	const struct host_unified *u = &host->boot.unified;

	switch (u->maker) {
	case UNIFIED_BY_UKIFY:
		if (counted_trouble(host))
			return counted_trouble(host);
		array_foreach(it, &host->kernels)
			if (kernel_install_drops(host, it, true))
				return "it holds an initramfs that is no longer in /boot, and "
				       "kernel-install would make it anew without one; have the "
				       "initramfs made first";
		return NULL;
	case UNIFIED_BY_DRACUT:
		return builder_trouble(host, &dracut);
	case UNIFIED_BY_MKINITCPIO:
		return builder_trouble(host, &mkinitcpio);
	case UNIFIED_BY_NONE:
	case _UNIFIED_MAKER_MAX:
	case _UNIFIED_MAKER_INVALID:
		break;
	}
	return u->why ? u->why : "what makes them is not known";
}

/* What keeps those that are there from being made anew; ret_of: the one that it is said of. */
static const char *trouble(const struct host *host, const struct host_entry **ret_of)
{
	const struct host_unified *u = &host->boot.unified;
	const char *why = maker_trouble(host);

	*ret_of = NULL;
	if (why)
		return why;
	for (const struct host_entry *it = NULL; (it = next_image(host, it));) {
		*ret_of = it;
		if (u->maker == UNIFIED_BY_UKIFY && !counted_named(it, SUFFIX))
			return " is not named as " COMMAND " names them: something else made it";
		/* One that is not signed any more would not be started. */
		if (it->has_signature && host->boot.secure != NO && !u->signs)
			return " is signed, and nothing says that a new one would be (no key in "
			       "uki.conf or dracut's configuration, no keys of sbctl's): it might "
			       "not be started any more";
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
	return host->boot.unified.maker == UNIFIED_BY_UKIFY && unified_present(host) &&
	       !stuck(host);
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

/*
 * As systemd-boot's row: one kernel a call (3.5), by name. With another layout, or a plugin that is
 * switched off, nothing is written and all is well (3.6): the image must be new.
 */
static int by_kernel_install(struct arena *a, const struct host *host,
			     const struct host_kernel *kernel, const struct host_entry *image,
			     struct step *step)
{
	const char *argv[] = {COMMAND, "add", kernel->version, kernel->vmlinuz, kernel->image.path};

	step->target = arena_printf(a, COMMAND " %s", kernel->version);
	return step->target && counted_next(a, host, image, SUFFIX, step) == 0
		       ? words_push(a, &step->argv, argv,
				    kernel->image.status == IMAGE_ABSENT ? 4 : 5)
		       : -ENOMEM;
}

static int by_dracut(struct arena *a, const struct host_kernel *kernel,
		     const struct host_entry *image, struct step *step)
{
	static const char *const check[] = {SOURCES_SOUND(
		"bash", PATH_DRACUT " " PATH_DRACUT_DIR "/*.conf " PATH_DRACUT_USR_DIR "/*.conf")};
	const char *argv[] = {"dracut", "-q", "--force", "--uefi", image->source, kernel->version};

	step->target = arena_printf(a, "dracut --uefi %s", kernel->version);
	step->produces = image->source;
	if (!step->target || words_push(a, &step->check, check, ARRAY_LEN(check)) < 0)
		return -ENOMEM;
	return words_push(a, &step->argv, argv, ARRAY_LEN(argv));
}

static int by_mkinitcpio(struct arena *a, const struct host *host, const struct host_kernel *kernel,
			 const struct host_entry *image, struct step *step)
{
	int r = mkinitcpio.command_for(a, host, kernel, step);

	step->target = arena_printf(a, "mkinitcpio %s", host_kernel_name(kernel));
	step->produces = image->source;
	return step->target ? r : -ENOMEM;
}

static int by_maker(struct arena *a, const struct host *host, const struct host_kernel *kernel,
		    const struct host_entry *image, struct step *step)
{
	switch (host->boot.unified.maker) {
	case UNIFIED_BY_UKIFY:
		return by_kernel_install(a, host, kernel, image, step);
	case UNIFIED_BY_DRACUT:
		return by_dracut(a, kernel, image, step);
	case UNIFIED_BY_MKINITCPIO:
		return by_mkinitcpio(a, host, kernel, image, step);
	case UNIFIED_BY_NONE:
	case _UNIFIED_MAKER_MAX:
	case _UNIFIED_MAKER_INVALID:
		break;
	}
	return -EINVAL;
}

static int refresh_kernel(struct arena *a, const struct host *host,
			  const struct host_kernel *kernel, struct step *step)
{
	const struct host_entry *image = NULL;
	int r;

	array_foreach(entry, &host->boot.entries)
		if (is_image_of(entry, kernel))
			image = entry;
	if (!image || stuck(host))
		return 0;
	r = by_maker(a, host, kernel, image, step);
	array_foreach(it, &kernel->copies) {
		struct step_copy copy = {.from = it->path, .to = it->path};

		if (r == 0 && image_file(it, UNIFIED_SECTIONS))
			r = array_push(a, &step->copies, copy);
	}
	return r < 0 ? r : 1;
}

static int files(struct arena *a, const struct host *host, struct loader_files *ret)
{
	return host->boot.unified.maker == UNIFIED_BY_DRACUT ? dracut_line_files(a, host, ret)
							     : kernel_cmdline_files(a, host, ret);
}

static int edit(struct arena *a, const struct host *host, const struct ledger *ledger,
		const struct words *wanted, const struct words *surplus, struct loader_edits *ret,
		const char **ret_conflict)
{
	const struct loader_edit gone = {.path = PATH_DRACUT_LINE, .owned = true};
	int r;

	if (host->boot.unified.maker == UNIFIED_BY_DRACUT)
		return dracut_line_edit(a, host, ledger, wanted, surplus, ret, ret_conflict);
	r = kernel_cmdline_edit(a, host, ledger, wanted, surplus, ret, ret_conflict);
	return r < 0 || *ret_conflict ? r : edits_add(a, host, ret, gone);
}

const struct boot_loader loader_unified = {
	.loader = LOADER_UNIFIED,
	.name = "unified images",
	.present = unified_present,
	.files = files,
	.edit = edit,
	.refresh_kernel = refresh_kernel,
	.stuck = stuck,
};
