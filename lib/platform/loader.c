/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loader.h"

#include "rows.h"

/* proxmox-boot-tool copies what the others have written, so it comes last (fact 4.4). */
const struct boot_loader *const boot_loaders[] = {
	&loader_grub,
	&loader_systemd_boot,
	&loader_proxmox,
};
const size_t boot_loaders_n = ARRAY_LEN(boot_loaders);

const struct boot_loader *boot_loader(enum loader loader)
{
	for (size_t i = 0; i < boot_loaders_n; i++)
		if (boot_loaders[i]->loader == loader)
			return boot_loaders[i];
	return NULL;
}
