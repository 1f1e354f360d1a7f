/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loader.h"

#include "rows.h"

/*
 * proxmox-boot-tool copies what the others have written, so it comes last (fact 4.4). GRUB's
 * defaults come before /etc/kernel/cmdline: grub2-mkconfig writes that anew when it is the older
 * one (2.15).
 */
const struct boot_loader *const boot_loaders[] = {
	&loader_grub, &loader_bls, &loader_systemd_boot, &loader_extlinux, &loader_proxmox,
};
const size_t boot_loaders_n = ARRAY_LEN(boot_loaders);

bool loader_refreshed(const struct host *host, const struct boot_loader *loader)
{
	return loader->loader != LOADER_BLS &&
	       (loader->loader != LOADER_GRUB || !host->boot.blscfg);
}

const struct boot_loader *boot_loader(enum loader loader)
{
	for (size_t i = 0; i < boot_loaders_n; i++)
		if (boot_loaders[i]->loader == loader)
			return boot_loaders[i];
	return NULL;
}
