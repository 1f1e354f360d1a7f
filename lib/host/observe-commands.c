/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of the commands that we may run or judge by are there. */
#include <stdio.h>

#include "initramfs.h"
#include "observe-parts.h"
#include "paths.h"

static const char *const commands[] = {
	"update-initramfs",
	"dracut",
	"mkinitcpio",
	"booster",
	"update-grub",
	"grub-mkconfig",
	"grub2-mkconfig",
	"proxmox-boot-tool",
	"u-boot-update",
	"kernel-install",
	"sdbootutil",
	"ukify",
	"sbctl",
	"qm",
	"virsh",
};

/* Builders that are named though lib/platform has no row for them: what is not done is said. */
static const char *const other_builders[] = {"booster"};

static const char *const folders[] = {"/usr/sbin", "/usr/bin", "/sbin", "/bin"};

/* Merged roots have links for the last two: nothing new there. */
static bool merged(struct observer *o, const char *folder)
{
	const char *target = see_link(o, "%s", folder);

	return target && (has_prefix(target, "usr/") || has_prefix(target, "/usr/"));
}

static bool is_command(struct observer *o, const char *path)
{
	struct tree_stat st;

	return see_stat(o, &st, "%s", path) && S_ISREG(st.mode) && st.mode & 0111;
}

static const char *command_text(struct observer *o, const char *command)
{
	const char *text = NULL;

	for (size_t f = 0; f < ARRAY_LEN(folders) && !text; f++)
		text = see_text(o, MAX_CONFIG, "%s/%s", folders[f], command);
	return text;
}

static void choose_builder(struct observer *o)
{
	struct host *host = o->host;

	for (size_t i = 0; i < initramfs_builders_n && !host->initramfs_builder; i++) {
		const struct initramfs_builder *builder = initramfs_builders[i];
		const char *text;

		if (!words_has(&host->commands, builder->command))
			continue;
		host->initramfs_builder = builder->name;
		text = builder->reads_owned ? command_text(o, builder->command) : NULL;
		host->builder_old = text && !strstr(text, builder->reads_owned);
	}
	for (size_t i = 0; i < ARRAY_LEN(other_builders) && !host->initramfs_builder; i++)
		if (words_has(&host->commands, other_builders[i]))
			host->initramfs_builder = other_builders[i];
}

void observe_commands(struct observer *o)
{
	struct host *host = o->host;

	host->pci_serial_tool = is_command(o, PATH_PCI_SERIAL);

	for (size_t f = 0; f < ARRAY_LEN(folders); f++) {
		if (f >= 2 && merged(o, folders[f]))
			continue;
		for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
			char path[64];

			snprintf(path, sizeof(path), "%s/%s", folders[f], commands[i]);
			if (!words_has(&host->commands, commands[i]) && is_command(o, path))
				keep_word(o, &host->commands, commands[i]);
		}
	}
	choose_builder(o);
	host->image_hooks = keep_list(o, PATH_ITOOLS_AFTER);
}
