/* SPDX-License-Identifier: GPL-2.0-or-later */
/* systemd-boot with kernel-install: an entry and copies of kernel and image each (3.1 to 3.12). */
#include "systemd-boot.h"

#include <string.h>

#include "counted.h"
#include "early.h"
#include "kernel-cmdline.h"
#include "paths.h"
#include "rows.h"
#include "unified.h"

#define COMMAND	 "kernel-install"
#define OPENSUSE "sdbootutil"
#define SUFFIX	 ".conf"

/* One that starts a unified image is written by hand (3.16). */
static bool is_entry(const struct host_entry *entry, const struct host_kernel *kernel)
{
	return entry->loader == LOADER_SYSTEMD_BOOT && !entry->starts && entry->kernel &&
	       kernel->vmlinuz && strcmp(entry->kernel, kernel->version) == 0;
}

/* Its entry of kernel-install's, else anybody's; NULL. */
static const struct host_entry *entry_of(const struct host *host, const struct host_kernel *kernel)
{
	const struct host_entry *found = NULL;

	array_foreach(entry, &host->boot.entries)
		if (is_entry(entry, kernel) && (!found || !counted_named(found, SUFFIX)))
			found = entry;
	return found;
}

static bool has_entries(const struct host *host)
{
	array_foreach(kernel, &host->kernels)
		if (entry_of(host, kernel))
			return true;
	return false;
}

/* proxmox-boot-tool writes such entries too, and takes kernel-install's hooks away (4.16). */
static bool present(const struct host *host)
{
	const struct host_file *file = host_file(host, PATH_KERNEL_CMDLINE);

	if (host->boot.proxmox)
		return false;
	/* Where GRUB reads loader entries the file is for those, and kept by that row (2.19); where
	 * there are unified images it is for these. */
	return has_entries(host) || systemd_boot_foreign(host) ||
	       (file && file->status != FILE_ABSENT && !host->boot.blscfg &&
		!unified_present(host));
}

/* With layout=uki it writes unified images and no entry (3.6, 3.13). */
static bool writes_entries(const struct host *host)
{
	return host_has_command(host, COMMAND) && host->boot.unified.maker != UNIFIED_BY_UKIFY;
}

bool systemd_boot_installs(const struct host *host)
{
	return !host->boot.proxmox && !systemd_boot_foreign(host) && writes_entries(host) &&
	       has_entries(host);
}

bool systemd_boot_foreign(const struct host *host)
{
	if (host->boot.proxmox || !host_has_command(host, OPENSUSE))
		return false;
	array_foreach(entry, &host->boot.entries)
		if (entry->loader == LOADER_SYSTEMD_BOOT)
			return true;
	return false;
}

bool kernel_install_drops(const struct host *host, const struct host_kernel *kernel, bool unified)
{
	if (!kernel->vmlinuz || kernel->image.status != IMAGE_ABSENT || host->boot.initrd_plugin)
		return false;
	array_foreach(it, &kernel->copies)
		if ((image_file(it, UNIFIED_SECTIONS) != NULL) == unified)
			return true;
	return false;
}

static bool drops_any(const struct host *host)
{
	array_foreach(it, &host->kernels)
		if (kernel_install_drops(host, it, false))
			return true;
	return false;
}

const char *systemd_boot_stuck(const struct host *host)
{
	if (systemd_boot_foreign(host))
		return OPENSUSE " makes the boot entries of this host and the initramfs that they "
				"boot, and nothing here knows how to run it yet; put flags into "
				"" PATH_KERNEL_CMDLINE " and run " OPENSUSE " update-all-entries: "
				"they count as done once they are on the running line";
	if (systemd_boot_installs(host) && drops_any(host))
		return "an entry of systemd-boot boots a copy of an initramfs that is no longer in "
		       "/boot, and " COMMAND " would write the entry without one; have the "
		       "initramfs made first (update-initramfs -c -k VERSION)";
	if (systemd_boot_installs(host) && counted_trouble(host))
		return counted_trouble(host);
	if (host->boot.proxmox || writes_entries(host) || !has_entries(host))
		return NULL;
	return host_has_command(host, COMMAND) ? COMMAND
		       " makes unified images here, and no entries of systemd-boot's any more"
					       : COMMAND
		       ", which writes systemd-boot's entries and the copies that they "
		       "boot, is not installed";
}

/*
 * One kernel a call: add-all looks for kernels where Debian does not keep them (3.5). The image is
 * named, since without a name some plugins build another one. With layout "other" nothing is
 * written and all is well (3.6): the entry, which is written in place (3.11), must be new.
 */
static int refresh_kernel(struct arena *a, const struct host *host,
			  const struct host_kernel *kernel, struct step *step)
{
	const char *argv[] = {COMMAND, "add", kernel->version, kernel->vmlinuz, kernel->image.path};
	const struct host_entry *entry = entry_of(host, kernel);
	size_t n = kernel->image.status == IMAGE_ABSENT ? 4 : 5;

	if (!systemd_boot_installs(host))
		return 0;
	step->target = arena_printf(a, COMMAND " %s", kernel->version);
	if (!step->target || words_push(a, &step->argv, argv, n) < 0)
		return -ENOMEM;
	if (entry && counted_next(a, host, entry, SUFFIX, step) < 0)
		return -ENOMEM;
	step->keeps = entry ? "initrd" : NULL;
	array_foreach(it, &kernel->copies) {
		struct step_copy copy = {.from = kernel->image.path, .to = it->path};

		if (n == 5 && !image_file(it, UNIFIED_SECTIONS) &&
		    array_push(a, &step->copies, copy) < 0)
			return -ENOMEM;
	}
	return 1;
}

static bool stuck(const struct host *host)
{
	return systemd_boot_stuck(host);
}

const struct boot_loader loader_systemd_boot = {
	.loader = LOADER_SYSTEMD_BOOT,
	.name = "systemd-boot",
	.present = present,
	.files = kernel_cmdline_files,
	.edit = kernel_cmdline_edit,
	.refresh_kernel = refresh_kernel,
	.stuck = stuck,
};
