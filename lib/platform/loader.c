/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loader.h"

#include "rows.h"

/*
 * proxmox-boot-tool copies what the others have written, so it comes last (fact 4.4). GRUB's
 * defaults come before /etc/kernel/cmdline: grub2-mkconfig writes that anew when it is the older
 * one (2.15).
 */
const struct boot_loader *const boot_loaders[] = {
	&loader_grub,	 &loader_bls,	   &loader_systemd_boot, &loader_entries,
	&loader_unified, &loader_extlinux, &loader_proxmox,
};
const size_t boot_loaders_n = ARRAY_LEN(boot_loaders);

bool loader_refreshed(const struct host *host, const struct boot_loader *loader)
{
	return loader->loader != LOADER_BLS && loader->loader != LOADER_ENTRIES &&
	       (loader->loader != LOADER_GRUB || !host->boot.blscfg);
}

const struct boot_loader *boot_loader(enum loader loader)
{
	for (size_t i = 0; i < boot_loaders_n; i++)
		if (boot_loaders[i]->loader == loader)
			return boot_loaders[i];
	return NULL;
}

int loader_command(struct arena *a, const struct host *host, const struct boot_loader *loader,
		   const char **ret)
{
	struct step step = {0};
	int err = loader->refresh ? loader->refresh(a, host, &step) : 0;

	for (size_t i = 0; err >= 0 && loader->refresh_kernel && i < host->kernels.n; i++)
		if (host->kernels.at[i].vmlinuz && !step.argv.n)
			err = loader->refresh_kernel(a, host, &host->kernels.at[i], &step);
	if (err < 0)
		return err;
	*ret = step.argv.n				       ? step.argv.at[0]
	       : host->boot.proxmox && host->boot.proxmox_tool ? loader_proxmox.name
							       : NULL;
	return 0;
}

int loader_left(struct arena *a, const struct host *host, enum loader used,
		const struct boot_loader *loader)
{
	const char *command;
	int err;

	/* On hosts of proxmox-boot-tool rows stand in for each other (4.15). */
	if (used == LOADER_NONE || used == loader->loader || host->boot.proxmox ||
	    !loader->present(host) || !loader_refreshed(host, loader))
		return 0;
	/* Without entries it has none that need a command: its line is for kernels to come. */
	if (loader->refresh_kernel)
		return loader->stuck(host);
	err = loader_command(a, host, loader, &command);
	return err < 0 ? err : !command;
}
