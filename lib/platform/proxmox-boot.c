/* SPDX-License-Identifier: GPL-2.0-or-later */
/* proxmox-boot-tool: /etc/kernel/cmdline and GRUB's configuration, copied to every ESP (4.1-4.16).
 */
#include "early.h"
#include "kernel-cmdline.h"
#include "rows.h"

static bool present(const struct host *host)
{
	return host->boot.proxmox;
}

/* Its success is no proof (4.11), and what it makes lies on ESPs: no one file must be new. */
static int refresh(struct arena *a, const struct host *host, struct step *step)
{
	const char *argv[] = {"proxmox-boot-tool", "refresh"};

	if (!host->boot.proxmox_tool)
		return 0;
	if (words_push(a, &step->argv, argv, ARRAY_LEN(argv)) < 0)
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
