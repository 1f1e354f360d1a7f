/* SPDX-License-Identifier: GPL-2.0-or-later */
/* proxmox-boot-tool: /etc/kernel/cmdline and GRUB's configuration, copied to every ESP (4.1-4.16).
 */
#include <string.h>

#include "early.h"
#include "kernel-cmdline.h"
#include "rows.h"

static bool present(const struct host *host)
{
	return host->boot.proxmox;
}

/* The ESP that is not mounted and has the copy on it; NULL: none. */
static const struct host_esp *esp_of(const struct host *host, const struct host_image *copy)
{
	array_foreach(it, &host->boot.esps)
		if (it->seen && !it->mounted && it->free != UINT64_MAX &&
		    strncmp(copy->path, it->seen, strlen(it->seen)) == 0 &&
		    copy->path[strlen(it->seen)] == '/')
			return it;
	return NULL;
}

/* What cp writes over in place (4.12). */
static int list_copies(struct arena *a, const struct host *host, struct step *step)
{
	array_foreach(kernel, &host->kernels)
		array_foreach(copy, &kernel->copies) {
			const struct host_esp *esp = esp_of(host, copy);
			struct step_copy row = {.from = kernel->image.path, .to = copy->path};

			if (!esp || !row.from)
				continue;
			row.measured = true;
			row.size = copy->size;
			row.free = esp->free;
			row.fs = UINT64_MAX - (uint64_t)(esp - host->boot.esps.at);
			if (array_push(a, &step->copies, row) < 0)
				return -ENOMEM;
		}
	return 0;
}

/* Its success is no proof (4.11), and what it makes lies on ESPs: no one file must be new. */
static int refresh(struct arena *a, const struct host *host, struct step *step)
{
	const char *argv[] = {"proxmox-boot-tool", "refresh"};

	if (!host->boot.proxmox_tool)
		return 0;
	if (words_push(a, &step->argv, argv, ARRAY_LEN(argv)) < 0 || list_copies(a, host, step) < 0)
		return -ENOMEM;
	step->target = argv[0];
	return 1;
}

const struct boot_loader loader_proxmox = {
	.loader = LOADER_PROXMOX,
	.name = "proxmox-boot-tool",
	.present = present,
	.files = kernel_cmdline_files,
	.edit = kernel_cmdline_edit,
	.refresh = refresh,
};
