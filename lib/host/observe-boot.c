/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What boots: the loaders' files, their entries, and what the firmware said about itself. */
#include <stdio.h>

#include "boot-entries.h"
#include "observe-parts.h"
#include "paths.h"

#define EFI_VARS    "/sys/firmware/efi/efivars/"
#define LOADER_GUID "-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
#define GLOBAL_GUID "-8be4df61-93ca-11d2-aa0d-00e098032b8c"

#define IN_ESP_GRUB "/grub/grub.cfg"
#define UNIFIED_DIR "/EFI/Linux"

static const char *const grub_cfgs[] = {"/boot/grub/grub.cfg", "/boot/grub2/grub.cfg"}; /* 2.13 */
static const char *const boot_roots[] = {"/efi", "/boot", "/boot/efi"};			/* 3.3 */
static const char *const mkconfigs[] = {"update-grub", "grub-mkconfig", "grub2-mkconfig"};
static const char *const mkconfig_scripts[] = {
	"/usr/sbin/grub-mkconfig",  "/usr/bin/grub-mkconfig",  "/sbin/grub-mkconfig",
	"/usr/sbin/grub2-mkconfig", "/usr/bin/grub2-mkconfig",
};

/* --- firmware -------------------------------------------------------------------------------- */

const char *loader_variable(struct observer *o, const char *name)
{
	_cleanup_strbuf_ struct strbuf text = {0};
	const char *bytes;
	size_t size;
	int err;

	snprintf(o->path, sizeof(o->path), EFI_VARS "%s" LOADER_GUID, name);
	err = o->tree->ops->read(o->tree, o->path, MAX_LINE, o->scratch, &bytes, &size);
	if (!kept(o, err != -ENOMEM) || err < 0)
		return NULL;
	/* Four bytes of attributes, then UTF-16LE. */
	for (size_t i = 4; i + 1 < size; i += 2) {
		unsigned c = (unsigned char)bytes[i] | (unsigned)(unsigned char)bytes[i + 1] << 8;

		if (!c)
			break;
		strbuf_add_letter(&text, (uint16_t)c);
	}
	kept(o, !text.error);
	return keep(o, strbuf_text(&text));
}

/* Four bytes of attributes, then 1 or 0. */
static enum tristate secure_boot(struct observer *o)
{
	const char *bytes;
	size_t size;
	int err;

	snprintf(o->path, sizeof(o->path), EFI_VARS "SecureBoot" GLOBAL_GUID);
	err = o->tree->ops->read(o->tree, o->path, MAX_LINE, o->scratch, &bytes, &size);
	if (!kept(o, err != -ENOMEM) || err < 0 || size < 5)
		return UNKNOWN;
	return bytes[4] == 1;
}

/* --- entries --------------------------------------------------------------------------------- */

/* Such a kernel's image has no version in its name: "/vmlinuz-linux". */
static const char *version_by_pkgbase(const struct observer *o, const char *image)
{
	static const char prefix[] = "vmlinuz-";
	const char *name = base_name(image);

	if (!has_prefix(name, prefix))
		return NULL;
	array_foreach(it, &o->host->kernels)
		if (it->pkgbase && strcmp(it->pkgbase, name + strlen(prefix)) == 0)
			return it->version;
	return NULL;
}

void observe_entry(struct observer *o, enum loader loader, const char *source,
		   const struct boot_line *line)
{
	struct host_entry entry = {
		.loader = loader,
		.source = source,
		.line = line->line,
		.title = line->title,
		.kernel = line->kernel,
		.options = line->options,
		.recovery = line->recovery,
		.esp = o->esp,
	};

	if (!entry.kernel) {
		entry.kernel = version_by_pkgbase(o, line->image);
		/* What kernel-install writes has a version: this is somebody's. */
		if (entry.kernel && loader == LOADER_SYSTEMD_BOOT)
			entry.loader = LOADER_ENTRIES;
	}
	kept(o, array_push(o->a, &o->host->boot.entries, entry) == 0);
}

/* Its text, NULL when it is not there or cut short. */
static const char *add_grub_cfg(struct observer *o, enum loader loader, const char *path)
{
	const char *text = see_text(o, MAX_INDEX, "%s", path);
	struct boot_lines lines = {0};
	int err = text ? grub_cfg_parse(o->a, text, &lines) : -ENOENT;

	kept(o, err != -ENOMEM);
	if (err < 0)
		return NULL;
	array_foreach(it, &lines.list)
		observe_entry(o, loader, path, it);
	/* In GRUB mode of proxmox-boot-tool it boots from what lies beside it (4.4). */
	for (size_t i = 0; loader == LOADER_PROXMOX && i < lines.list.n; i++)
		if (lines.list.at[i].kernel)
			observe_copy(o, lines.list.at[i].kernel,
				     keep_printf(o, "%.*s/initrd.img-%s",
						 (int)(strlen(path) - strlen(IN_ESP_GRUB)), path,
						 lines.list.at[i].kernel));
	return text;
}

#define MACHINE_ID_LENGTH 32

/* ESPs are shared: a kernel of that version is another system's too. Captures hide whose it is. */
static bool is_foreign(const struct observer *o, const struct boot_line *line)
{
	const char *id = o->host->machine_id;

	return strlen(id) == MACHINE_ID_LENGTH && strlen(line->machine_id) == MACHINE_ID_LENGTH &&
	       strcmp(id, line->machine_id) != 0;
}

/* Files of type 1 below root, with or without boot counting in their names (3.11). */
static void add_loader_entries(struct observer *o, enum loader loader, const char *root)
{
	struct words names = see_list(o, "%s/loader/entries", root);

	array_foreach(it, &names) {
		struct boot_line line = {0};
		const char *text = NULL, *source;
		int err;

		if (has_suffix(*it, ".conf"))
			text = see_text(o, MAX_CONFIG, "%s/loader/entries/%s", root, *it);
		err = text ? loader_entry_parse(o->a, text, &line) : -ENOENT;
		if (!kept(o, err != -ENOMEM) || err < 0 || is_foreign(o, &line))
			continue;
		source = keep_printf(o, "%s/loader/entries/%s", root, *it);
		if (observe_unified_start(o, loader, root, source, &line))
			continue;
		observe_entry(o, loader, source, &line);
		/* Microcode comes first, where it is apart. */
		if (line.initrds.n)
			observe_copy(
				o, line.kernel,
				keep_printf(o, "%s%s", root, line.initrds.at[line.initrds.n - 1]));
	}
}

/* --- ESPs ------------------------------------------------------------------------------------ */

static const char *mounted_at(struct observer *o, const char *name)
{
	const struct block *block = block_named(o, name);

	if (o->mounts_elsewhere)
		return NULL;
	array_foreach(it, &o->mounts)
		if ((block && *block->dev && strcmp(block->dev, it->dev) == 0) ||
		    (*name && strcmp(base_name(it->source), name) == 0))
			return it->point;
	return NULL;
}

/*
 * Where the ESP's files are seen; NULL: nowhere. Mostly it is not mounted (4.10): then it is read
 * as a device, below a path that no file has.
 */
static const char *look_into(struct observer *o, const char *uuid, const char *name,
			     const char *mount, uint64_t *ret_free)
{
	const char *at;
	int err;

	if (mount || !*name)
		return mount;
	at = keep_printf(o, "/esp:%s", uuid);
	err = o->tree->ops->attach(o->tree, name, at, ret_free);
	kept(o, err != -ENOMEM);
	return err == 0 ? at : NULL;
}

static void add_esp(struct observer *o, const char *uuid)
{
	const char *name = block_of_uuid(o, uuid), *mount = mounted_at(o, name);
	uint64_t space = UINT64_MAX;
	const char *seen = look_into(o, uuid, name, mount, &space);
	struct host_esp esp = {.uuid = keep(o, uuid),
			       .mount = mount,
			       .mounted = mount,
			       .there = *name,
			       .seen = seen,
			       .free = space};

	kept(o, array_push(o->a, &o->host->boot.esps, esp) == 0);
	if (!seen)
		return;
	o->esp = esp.uuid;
	add_loader_entries(o, LOADER_PROXMOX, seen);
	add_grub_cfg(o, LOADER_PROXMOX, keep_printf(o, "%s" IN_ESP_GRUB, seen));
	o->esp = NULL;
}

static void observe_esps(struct observer *o)
{
	const char *text = see_text(o, MAX_CONFIG, PATH_PROXMOX_UUIDS);

	o->host->boot.proxmox = text;
	o->host->boot.proxmox_tool = host_has_command(o->host, "proxmox-boot-tool");
	for (const char *line; text && (line = next_line(o, &text));) {
		const char *uuid = field_of(o, line, 0);

		if (uuid && *uuid != '#')
			add_esp(o, uuid);
	}
}

/* --- /boot ----------------------------------------------------------------------------------- */

/* By the last mount on the longest path that holds /boot. */
static bool mounted_read_only(const struct observer *o, const char *path)
{
	const struct mount *best = NULL;

	array_foreach(it, &o->mounts)
		if (path_holds(it->point, path) &&
		    (!best || strlen(it->point) >= strlen(best->point)))
			best = it;
	return best && best->read_only;
}

/* Debian's update-grub names the file and hands on what it is given (2.8, 2.9). */
static bool grub_copies(struct observer *o, const char *mkconfig)
{
	const char *command = o->host->boot.grub_mkconfig, *wrapper;

	if (!command || !mkconfig || !strstr(mkconfig, ".new > ${grub_cfg}"))
		return false;
	if (strcmp(command, "update-grub") != 0)
		return true;
	wrapper = see_text(o, MAX_CONFIG, "/usr/sbin/update-grub");
	return wrapper && strstr(wrapper, "grub-mkconfig -o ") && strstr(wrapper, " \"$@\"");
}

/* Returns the loader that reads /boot/loader/entries: Fedora's grub.cfg leaves the menu to it
 * (2.14). */
static enum loader observe_grub(struct observer *o)
{
	struct host_boot *boot = &o->host->boot;
	const char *script = NULL, *cfg = NULL;

	for (size_t i = 0; i < ARRAY_LEN(mkconfigs) && !boot->grub_mkconfig; i++)
		if (host_has_command(o->host, mkconfigs[i]))
			boot->grub_mkconfig = mkconfigs[i];
	for (size_t i = 0; i < ARRAY_LEN(mkconfig_scripts) && !script; i++)
		script = see_text(o, MAX_CONFIG, "%s", mkconfig_scripts[i]);
	/* A patch of Debian's (2.4): the script itself says. Without one, the folder does. */
	boot->grub_dir_read = script ? strstr(script, "default/grub.d") != NULL
				     : see_exists(o, PATH_GRUB_DIR);
	boot->grub_copies = grub_copies(o, script);
	for (size_t i = 0; i < ARRAY_LEN(grub_cfgs) && !boot->grub_cfg; i++)
		if (see_exists(o, "%s", grub_cfgs[i]))
			boot->grub_cfg = grub_cfgs[i];
	if (boot->grub_cfg)
		cfg = add_grub_cfg(o, LOADER_GRUB, boot->grub_cfg);
	boot->grub_cfg_readable = cfg;
	boot->blscfg = cfg && strstr(cfg, "\nblscfg");
	return boot->blscfg ? LOADER_BLS : LOADER_SYSTEMD_BOOT;
}

static bool is_esp_mount(const struct host_boot *boot, const char *point)
{
	array_foreach(it, &boot->esps)
		if (it->mounted && strcmp(it->mount, point) == 0)
			return true;
	return false;
}

/* A file system says so itself where there is one; the text of mountinfo speaks for a capture. */
static bool boot_read_only(struct observer *o)
{
	int answer = o->tree->ops->read_only(o->tree, "/boot");

	return answer > 0 || (!o->mounts_elsewhere && mounted_read_only(o, "/boot"));
}

void observe_boot(struct observer *o)
{
	struct host_boot *boot = &o->host->boot;
	enum loader entries;

	boot->efi = see_exists(o, "/sys/firmware/efi");
	boot->secure = UNKNOWN;
	if (boot->efi) {
		boot->loader_info = loader_variable(o, "LoaderInfo");
		boot->stub_info = loader_variable(o, "StubInfo");
		boot->secure = secure_boot(o);
	}
	boot->boot_read_only = boot_read_only(o);
	entries = observe_grub(o);
	observe_esps(o);
	for (size_t i = 0; i < ARRAY_LEN(boot_roots); i++) {
		bool boot_itself = strcmp(boot_roots[i], "/boot") == 0;

		if (is_esp_mount(boot, boot_roots[i]))
			continue;
		observe_unified(o, boot_roots[i]);
		add_loader_entries(o, boot_itself ? entries : LOADER_SYSTEMD_BOOT, boot_roots[i]);
	}
	observe_unified_maker(o);
	observe_bls(o);
	if (boot->ostree)
		observe_deployment(o);
	array_foreach(it, &boot->entries)
		if (it->loader == LOADER_ENTRIES && !host_file(o->host, it->source))
			observe_file(o, it->source);
	observe_extlinux(o);
}

void watch_boot(const struct host_boot *boot, struct strbuf *out)
{
	for (size_t i = 0; i < ARRAY_LEN(grub_cfgs); i++)
		strbuf_addf(out, "file %s\n", grub_cfgs[i]);
	for (size_t i = 0; i < ARRAY_LEN(boot_roots); i++)
		strbuf_addf(out, "any %s/loader/entries\nany %s" UNIFIED_DIR "\n", boot_roots[i],
			    boot_roots[i]);
	array_foreach(it, &boot->esps)
		if (it->mounted)
			strbuf_addf(out, "any %s/loader/entries\n", it->mount);
	if (boot->ostree)
		strbuf_add(out, "file " PATH_STAGED "\n");
	if (boot->extlinux)
		strbuf_add(out, "file " PATH_EXTLINUX "\nfile " PATH_UBOOT_DEFAULTS
				"\nany " PATH_UBOOT_USR_DIR "\nany " PATH_UBOOT_DIR "\n");
}
