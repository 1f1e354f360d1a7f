/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of the commands that we may run or judge by are there. */
#include <stdio.h>

#include "initramfs.h"
#include "kcmdline.h"
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
	"rpm-ostree",
	"ukify",
	"sbctl",
	"qm",
	"virsh",
};

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

/* Whether the builder gives its images such a name. */
static bool makes(const struct initramfs_builder *builder, const char *name)
{
	for (const char *const *format = builder->image_formats; *format; format++) {
		const char *base = base_name(*format);
		size_t before = strcspn(base, "%"), after = strlen(base + before) - strlen("%s");

		if (strlen(name) > before + after && strncmp(name, base, before) == 0 &&
		    has_suffix(name, base + before + strlen("%s")))
			return true;
	}
	return false;
}

/* Of those that are here, the one that makes images of that name. NULL: none does. */
static const struct initramfs_builder *maker_of(const struct host *host, const char *name)
{
	for (size_t i = 0; i < initramfs_builders_n; i++)
		if (words_has(&host->commands, initramfs_builders[i]->command) &&
		    makes(initramfs_builders[i], name))
			return initramfs_builders[i];
	return NULL;
}

/* The last part of a path, as either kind of firmware writes it. */
static const char *file_in(struct observer *o, const char *path, size_t n)
{
	const char *copy = arena_strndup(o->scratch, path, n), *slash;

	if (!kept(o, copy))
		return "";
	slash = strrchr(copy, '\\');
	return base_name(slash ? slash + 1 : copy);
}

/*
 * The first of these words that is an image of somebody's here; what others there are, as those of
 * microcode, nobody here makes.
 */
static const struct initramfs_builder *maker_in(struct observer *o, const char *words)
{
	const struct initramfs_builder *found = NULL;

	while (!found && *words && *words != '\n') {
		size_t n = strcspn(words, " \t\n");

		found = maker_of(o->host, file_in(o, words, n));
		words += n + strspn(words + n, " \t");
	}
	return found;
}

/* By the running line, where the loader says it there (1.19): systemd-boot, and the kernel's stub.
 */
static const struct initramfs_builder *by_line(struct observer *o)
{
	const struct initramfs_builder *found = NULL;
	struct kcmdline line = {0};

	if (!kept(o, kcmdline_parse(o->scratch, o->host->cmdline, &line) == 0))
		return NULL;
	array_foreach(it, &line.params)
		if (!found && !it->for_init && strcmp(it->name, "initrd") == 0 && it->value)
			found = maker_in(o, it->value);
	return found;
}

/* By GRUB's first entry that has one. */
static const struct initramfs_builder *by_menu(struct observer *o)
{
	const char *at = see_text(o, MAX_INDEX, "/boot/grub/grub.cfg");
	const struct initramfs_builder *found = NULL;

	while (at && *at && !found) {
		at += strspn(at, " \t");
		if (has_prefix(at, "initrd ") || has_prefix(at, "initrd\t"))
			found = maker_in(o, at + strlen("initrd "));
		at += strcspn(at, "\n");
		at += *at == '\n';
	}
	return found;
}

/* More than one may be installed, and then each makes images; that of what boots counts (5.34). */
static void choose_builder(struct observer *o)
{
	const struct initramfs_builder *found = NULL;
	struct host *host = o->host;
	size_t n = 0;
	const char *text;

	for (size_t i = 0; i < initramfs_builders_n; i++) {
		if (!words_has(&host->commands, initramfs_builders[i]->command))
			continue;
		found = found ? found : initramfs_builders[i];
		n++;
	}
	if (n > 1) {
		const struct initramfs_builder *maker = by_line(o);

		maker = maker ? maker : by_menu(o);
		found = maker ? maker : found;
	}
	if (!found)
		return;
	host->initramfs_builder = found->name;
	text = found->reads_owned ? command_text(o, found->command) : NULL;
	host->builder_old = text && !strstr(text, found->reads_owned);
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
