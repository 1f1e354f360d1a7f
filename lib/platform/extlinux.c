/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * u-boot-menu: boards that U-Boot starts by an extlinux.conf (2.25). u-boot-update sources
 * /etc/default/u-boot and two folders; a line that they leave empty is that of /etc/kernel/cmdline,
 * and where that is not there either, "ro quiet".
 */
#include "extlinux.h"

#include <string.h>

#include "early.h"
#include "flags.h"
#include "kernel-cmdline.h"
#include "paths.h"
#include "rows.h"
#include "shell-edit.h"
#include "sources.h"

#define DEFAULT "ro quiet"
#define COMMAND "u-boot-update"

static bool present(const struct host *host)
{
	return host->boot.extlinux;
}

/* --- what comes of sourcing ------------------------------------------------------------------ */

struct sources {
	ARRAY_OF(struct grub_source) list;
	const char *unusable;
};

static int add(struct arena *a, struct sources *s, const char *path, const char *text)
{
	struct grub_source source = {.path = path, .text = text};

	return text ? array_push(a, &s->list, source) : 0;
}

/* The folder's files in the order of the shell's glob; own: in place of ours, NULL without. */
static int add_folder(struct arena *a, const struct host *host, const char *folder, const char *own,
		      struct sources *s)
{
	size_t n = strlen(folder);
	int r = 0;

	array_foreach(file, &host->files) {
		bool ours = strcmp(file->path, PATH_UBOOT_DROPIN) == 0;

		if (strncmp(file->path, folder, n) != 0 || file->path[n] != '/' ||
		    (!ours && file->status == FILE_ABSENT))
			continue;
		if (!ours && !s->unusable)
			r = file_unusable(a, file, &s->unusable);
		if (r == 0)
			r = add(a, s, file->path, ours ? own : file->text);
		if (r < 0)
			return r;
	}
	return 0;
}

static int value_of(struct arena *a, const struct sources *s, const char *var,
		    struct grub_value *ret, const char **ret_broken)
{
	struct grub_error error = {};
	int r = grub_defaults_value(a, s->list.at, s->list.n, var, ret, &error);

	if (r != -EBADMSG)
		return r;
	*ret_broken = arena_printf(a, "%s:%u: %s", error.path, error.line, error.why);
	return *ret_broken ? 0 : -ENOMEM;
}

static int outcome(struct arena *a, const struct host *host, const char *shared, const char *own,
		   struct outcome *ret)
{
	const struct host_file *defaults = host_file(host, PATH_UBOOT_DEFAULTS);
	struct outcome o = {.line = "", .all = {.text = ""}};
	struct grub_value update = {.text = ""};
	struct sources s = {};
	int r = add(a, &s, PATH_UBOOT_DEFAULTS, shared);

	if (r == 0 && defaults && defaults->status != FILE_ABSENT)
		r = file_unusable(a, defaults, &s.unusable);
	if (r == 0 && host->boot.uboot_dir_read)
		r = add_folder(a, host, PATH_UBOOT_USR_DIR, NULL, &s);
	if (r == 0 && host->boot.uboot_dir_read)
		r = add_folder(a, host, PATH_UBOOT_DIR, own, &s);
	o.broken = s.unusable;
	if (r == 0 && !o.broken)
		r = value_of(a, &s, UBOOT_VARIABLE, &o.normal, &o.broken);
	if (r == 0 && !o.broken)
		r = value_of(a, &s, "U_BOOT_UPDATE", &update, &o.broken);
	if (r < 0)
		return r;
	if (!o.broken && *update.text && strcmp(update.text, "true") != 0) {
		o.broken = arena_printf(a, "%s:%u: U_BOOT_UPDATE switches " COMMAND " off",
					update.last_path, update.last_line);
		r = o.broken ? 0 : -ENOMEM;
	}
	if (!o.broken)
		o.line = *o.normal.text ? o.normal.text : DEFAULT;
	*ret = o;
	return r;
}

/* Whether the line is that of /etc/kernel/cmdline, but for ours. 1, 0, -ENOMEM. */
static int from_cmdline(struct arena *a, const struct host *host)
{
	const struct host_file *file = host_file(host, PATH_KERNEL_CMDLINE);
	struct outcome o;
	int r = outcome(a, host, file_text(host, PATH_UBOOT_DEFAULTS), NULL, &o);

	return r < 0 ? r
		     : !o.broken && !*o.normal.text && !o.normal.uncertain && file &&
			       file->status != FILE_ABSENT;
}

static int files(struct arena *a, const struct host *host, struct loader_files *ret)
{
	const char *own = host->boot.uboot_dir_read ? file_text(host, PATH_UBOOT_DROPIN) : NULL;
	struct outcome o;
	int r = from_cmdline(a, host);

	if (r > 0 && !own)
		return kernel_cmdline_files(a, host, ret);
	if (r >= 0)
		r = outcome(a, host, file_text(host, PATH_UBOOT_DEFAULTS), own, &o);
	if (r < 0)
		return r;
	*ret = (struct loader_files){
		.line = o.line,
		.known = !o.broken,
		.why = o.broken ? o.broken : o.normal.why,
		.where = o.normal.last_path ? o.normal.last_path : PATH_UBOOT_DEFAULTS,
	};
	return 0;
}

/* A line that is none yet would lose what stands in for it. */
static int check_set(struct arena *a, const struct host *host, const char **ret_conflict)
{
	struct outcome o;
	int r = outcome(a, host, file_text(host, PATH_UBOOT_DEFAULTS), NULL, &o);

	if (r == 0 && !o.broken && !*o.normal.text)
		*ret_conflict = PATH_UBOOT_DEFAULTS ": " UBOOT_VARIABLE
						    " is not set; set it to \"" DEFAULT
						    "\", which it is now, to have flags added";
	return r;
}

static int edit(struct arena *a, const struct host *host, const struct ledger *ledger,
		const struct words *wanted, const struct words *surplus, struct loader_edits *ret,
		const char **ret_conflict)
{
	static const struct shell_place place = {
		.shared = PATH_UBOOT_DEFAULTS,
		.own = PATH_UBOOT_DROPIN,
		.var = UBOOT_VARIABLE,
		.takes_up = "${" UBOOT_VARIABLE ":-" DEFAULT "}",
		.outcome = outcome,
	};
	struct shell_place here = place;
	const struct loader_edit gone = {.path = PATH_UBOOT_DROPIN, .owned = true};
	int r = from_cmdline(a, host);

	here.own_read = host->boot.uboot_dir_read;
	if (r == 0 && wanted->n && !here.own_read)
		r = check_set(a, host, ret_conflict);
	if (r == 0 && *ret_conflict)
		return 0;
	if (r == 0)
		return shell_edit(a, host, ledger, &here, wanted, surplus, ret, ret_conflict);
	/* What ours would make of the line is not what it is made of. */
	if (r > 0)
		r = kernel_cmdline_edit(a, host, ledger, wanted, surplus, ret, ret_conflict);
	return r < 0 || *ret_conflict ? r : edits_add(a, host, ret, gone);
}

/* Sourced under set -e. */
static const char *const check[] = {SOURCES_SOUND(
	"sh", PATH_UBOOT_DEFAULTS " " PATH_UBOOT_USR_DIR "/*.conf " PATH_UBOOT_DIR "/*.conf")};

/* It leaves a file alone that would be the same: none must be new. */
static int refresh(struct arena *a, const struct host *host, struct step *step)
{
	const char *argv[] = {COMMAND};

	if (!host->boot.extlinux || !host_has_command(host, COMMAND))
		return 0;
	if (words_push(a, &step->argv, argv, ARRAY_LEN(argv)) < 0 ||
	    words_push(a, &step->check, check, ARRAY_LEN(check)) < 0)
		return -ENOMEM;
	step->target = COMMAND;
	return 1;
}

const struct boot_loader loader_extlinux = {
	.loader = LOADER_EXTLINUX,
	.name = "u-boot-menu",
	.present = present,
	.files = files,
	.edit = edit,
	.refresh = refresh,
};
