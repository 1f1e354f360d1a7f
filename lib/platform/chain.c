/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "chain.h"

#include <string.h>

#include "kcmdline.h"
#include "unified.h"

static const char *value_of(const struct kcmdline *line, const char *name)
{
	array_foreach(it, &line->params)
		if (!it->for_init && strcmp(it->name, name) == 0 && it->value)
			return it->value;
	return NULL;
}

static bool begins(const char *text, const char *with)
{
	return text && strncmp(text, with, strlen(with)) == 0;
}

static int found(struct arena *a, struct boot_chain *c, enum loader used, const char *what,
		 const char *says)
{
	c->used = used;
	c->by = arena_printf(a, "%s%s", what, says);
	return c->by ? 0 : -ENOMEM;
}

/* Which of GRUB's two kinds of menu this host has (2.14). */
static enum loader grub_of(const struct host *host)
{
	return host->boot.blscfg ? LOADER_BLS : LOADER_GRUB;
}

/*
 * GRUB puts its image's path into the line (1.18). proxmox-boot-tool's GRUB reads from the root of
 * an ESP (4.4), one of its own from a folder named boot.
 */
static int by_image(struct arena *a, const struct host *host, const char *image,
		    struct boot_chain *c)
{
	bool esp = host->boot.proxmox && !strstr(image, "/boot/");

	return found(a, c, esp ? LOADER_PROXMOX : grub_of(host),
		     "the running line says BOOT_IMAGE=", image);
}

/* systemd-boot puts the image's path into the line, as the firmware writes paths (1.19). */
static int by_initrd(struct arena *a, const struct host *host, const char *initrd,
		     struct boot_chain *c)
{
	bool proxmox = host->boot.proxmox && begins(initrd, "\\EFI\\proxmox\\");

	return found(a, c, proxmox ? LOADER_PROXMOX : LOADER_SYSTEMD_BOOT,
		     "the running line begins with initrd=", initrd);
}

/* LoaderInfo is of whoever wrote it last: GRUB before 2.12 does not (2.29). */
static int by_info(struct arena *a, const struct host *host, const char *info, struct boot_chain *c)
{
	if (begins(info, "systemd-boot"))
		return found(a, c, host->boot.proxmox ? LOADER_PROXMOX : LOADER_SYSTEMD_BOOT,
			     "LoaderInfo says ", info);
	if (begins(info, "GRUB"))
		return found(a, c, grub_of(host), "LoaderInfo says ", info);
	c->stranger = info;
	return found(a, c, LOADER_NONE, "LoaderInfo says ", info);
}

int boot_chain_find(struct arena *a, const struct host *host, struct boot_chain *ret)
{
	const char *info = host->boot.loader_info, *image, *initrd;
	struct boot_chain c = {0};
	struct kcmdline line;
	int err = kcmdline_parse(a, host->cmdline, &line);

	if (err < 0)
		return err;
	image = value_of(&line, "BOOT_IMAGE");
	initrd = line.params.n && strcmp(line.params.at[0].name, "initrd") == 0
			 ? line.params.at[0].value
			 : NULL;
	if (host->boot.stub_info) {
		c.unified = true;
		err = found(a, &c, unified_present(host) ? LOADER_UNIFIED : LOADER_NONE,
			    "StubInfo says ", host->boot.stub_info);
	} else if (begins(initrd, "\\") && (!info || begins(info, "systemd-boot"))) {
		err = by_initrd(a, host, initrd, &c);
	} else if (image) {
		err = by_image(a, host, image, &c);
	} else if (info) {
		err = by_info(a, host, info, &c);
	}
	if (err == 0)
		*ret = c;
	return err;
}

bool entry_boots(const struct host *host, const struct host_entry *entry)
{
	if (host->boot.blscfg && entry->loader == LOADER_GRUB)
		return false;
	return !host->boot.proxmox || !host->boot.grub_cfg ||
	       strcmp(entry->source, host->boot.grub_cfg) != 0;
}

const char *entry_place(struct arena *a, const struct host_entry *entry)
{
	return entry->line ? arena_printf(a, "%s:%u", entry->source, entry->line) : entry->source;
}
