/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boards that U-Boot starts by an extlinux.conf which u-boot-update makes (2.25). */
#include "boot-entries.h"
#include "observe-parts.h"
#include "paths.h"

static void add_folder(struct observer *o, const char *folder)
{
	struct words names = see_list(o, "%s", folder);

	array_foreach(it, &names) {
		const char *path = keep_printf(o, "%s/%s", folder, *it);

		if (has_suffix(*it, ".conf") && (*it)[0] != '.' && !host_file(o->host, path))
			observe_file(o, path);
	}
}

void observe_extlinux(struct observer *o)
{
	struct host_boot *boot = &o->host->boot;
	const char *text = see_text(o, MAX_INDEX, PATH_EXTLINUX), *script;
	struct boot_lines lines = {0};

	/* One that a person keeps is none of ours. */
	if (!text ||
	    (!strstr(text, "u-boot-update") && !host_has_command(o->host, "u-boot-update")))
		return;
	boot->extlinux = PATH_EXTLINUX;
	if (!kept(o, extlinux_parse(o->a, text, &lines) == 0))
		return;
	array_foreach(it, &lines.list)
		observe_entry(o, LOADER_EXTLINUX, PATH_EXTLINUX, it);
	/* The folder came with version 4.1: the script itself says. */
	script = see_text(o, MAX_CONFIG, "/usr/sbin/u-boot-update");
	boot->uboot_dir_read = script && strstr(script, "u-boot-menu/conf.d");
	observe_file(o, PATH_UBOOT_DEFAULTS);
	observe_file(o, PATH_UBOOT_DROPIN);
	add_folder(o, PATH_UBOOT_USR_DIR);
	add_folder(o, PATH_UBOOT_DIR);
}
