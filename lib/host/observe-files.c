/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The "files" layer: every configuration file that somebody may ask host_file() for. */
#include "initramfs.h"
#include "modprobe.h"
#include "observe-parts.h"
#include "paths.h"

/* Looked at whether they are there or not: ours, and those that are edited or read by name. */
static const char *const single_files[] = {
	PATH_GRUB_DROPIN,
	PATH_MODPROBE,
	PATH_MODULES_LOAD,
	PATH_UDEV_RULES,
	PATH_GRUB_DEFAULTS,
	PATH_KERNEL_CMDLINE,
	PATH_BOOSTER,
	PATH_PROXMOX_UUIDS,
	PATH_REBOOT,
	PATH_REBOOT_PKGS,
	"/etc/modules",
	"/etc/initramfs-tools/modules",
	"/etc/initramfs-tools/initramfs.conf",
	"/etc/initramfs-tools/update-initramfs.conf",
	"/usr/lib/kernel/cmdline",
};

/*
 * libkmod's folders, strongest first (6.1). /run/modprobe.d is left out: it is gone at the next
 * boot. Where /lib is a link to /usr/lib the last two are one.
 */
static const char *const modprobe_dirs[] = {
	"/etc/modprobe.d",
	"/usr/local/lib/modprobe.d",
	"/usr/lib/modprobe.d",
	"/lib/modprobe.d",
};

/* Folders whose files count when their name ends so; "" takes all. */
static const struct folder {
	const char *path, *suffix;
} folders[] = {
	{PATH_GRUB_DIR, ".cfg"},
	{"/etc/modules-load.d", ".conf"},
	{"/run/modules-load.d", ".conf"},
	{"/usr/local/lib/modules-load.d", ".conf"},
	{"/usr/lib/modules-load.d", ".conf"},
	{"/etc/initramfs-tools/conf.d", ""},
	{"/etc/initramfs-tools/scripts/init-top", ""},
	{"/usr/share/initramfs-tools/modules.d", ""},
	{"/etc/dracut.conf.d", ".conf"},
	{"/etc/mkinitcpio.conf.d", ".conf"},
	{PATH_PRESETS, ".preset"},
	{"/etc/driverctl.d", ""},
};

/*
 * Folders of udev rules: foreign ones are kept only when they set driver_override. Packaged rules
 * are not read: there are many, and driverctl's stands for what /etc/driverctl.d says (7.42).
 */
static const char *const rules_dirs[] = {
	"/etc/udev/rules.d",
	"/run/udev/rules.d",
	"/usr/local/lib/udev/rules.d",
};

static enum file_status status_of(struct observer *o, const char *path, int *error)
{
	switch (*error) {
	case -ENOENT:
	case -ENOTDIR:
		/* A link is there, what it leads to is not. */
		if (see_link(o, "%s", path))
			return FILE_UNSAFE;
		*error = 0;
		return FILE_ABSENT;
	case -EISDIR:
	case -EINVAL:
	case -EFBIG:
	case -ELOOP:
	case -ENXIO:
		return FILE_UNSAFE;
	default:
		return FILE_UNREADABLE;
	}
}

/* Reads one file; what is found wrong with it is part of the answer. */
static struct host_file read_file(struct observer *o, const char *path)
{
	struct host_file file = {.path = keep(o, path), .text = ""};
	struct tree_stat st;

	file.error = o->tree->ops->read(o->tree, path, MAX_CONFIG, o->a, &file.text, &file.size);
	kept(o, file.error != -ENOMEM);
	file.status = file.error < 0 ? status_of(o, path, &file.error) : FILE_PRESENT;
	if (file.status == FILE_ABSENT || !see_stat(o, &st, "%s", path))
		return file;
	file.mode = st.mode & 07777;
	file.uid = st.uid;
	file.gid = st.gid;
	return file;
}

static void add_file(struct observer *o, const char *path)
{
	struct host_file file = read_file(o, path);

	kept(o, array_push(o->a, &o->host->files, file) == 0);
}

/* One that was found in a folder: a folder inside it is nobody's configuration. */
static void add_found(struct observer *o, const char *folder, const char *name)
{
	const char *path = keep_printf(o, "%s/%s", folder, name);
	struct host_file file = read_file(o, path);

	if (file.error != -EISDIR)
		kept(o, array_push(o->a, &o->host->files, file) == 0);
}

/* Whether folder is the same directory as one seen before it: /lib/x beside /usr/lib/x. */
static bool seen_before(struct observer *o, const char *folder, const char *const *before, size_t n)
{
	struct tree_stat st, other;

	if (!has_prefix(folder, "/lib/") || !see_stat(o, &st, "%s", folder) || !st.ino)
		return false;
	for (size_t i = 0; i < n; i++)
		if (see_stat(o, &other, "%s", before[i]) && other.dev == st.dev &&
		    other.ino == st.ino)
			return true;
	return false;
}

static void add_folder(struct observer *o, const struct folder *folder)
{
	struct words names = see_list(o, "%s", folder->path);

	array_foreach(it, &names)
		if (has_suffix(*it, folder->suffix) && (*it)[0] != '.')
			add_found(o, folder->path, *it);
}

/*
 * A softdep that the kernel's package brings counts between the files, by its own name (6.3):
 * the running kernel's, or the newest one's, speaks for all.
 */
static void add_softdeps(struct observer *o)
{
	const struct host_kernel *kernel = NULL;
	struct host_file file = {.status = FILE_PRESENT, .mode = 0644};

	array_foreach(it, &o->host->kernels)
		if (!kernel || !kernel->running)
			kernel = it;
	if (!kernel || !*kernel->modules_softdep)
		return;
	file.path = keep_printf(o, "/lib/modules/%s/modules.softdep", kernel->version);
	file.text = kernel->modules_softdep;
	file.size = strlen(file.text);
	kept(o, array_push(o->a, &o->host->files, file) == 0);
}

static void add_modprobe(struct observer *o)
{
	struct words paths = {0};
	size_t first = o->host->files.n;
	int err;

	for (size_t i = 0; i < ARRAY_LEN(modprobe_dirs); i++) {
		struct folder folder = {modprobe_dirs[i], ".conf"};

		if (!seen_before(o, modprobe_dirs[i], modprobe_dirs, i))
			add_folder(o, &folder);
	}
	add_softdeps(o);
	for (size_t i = first; i < o->host->files.n; i++)
		kept(o, array_push(o->scratch, &paths, o->host->files.at[i].path) == 0);
	err = modprobe_order(o->a, &paths, modprobe_dirs, ARRAY_LEN(modprobe_dirs),
			     &o->host->modprobe_order);
	kept(o, err == 0);
}

/* A rule of another's hand that sets driver_override decides what binds: it is evidence. */
static void add_rules(struct observer *o)
{
	for (size_t i = 0; i < ARRAY_LEN(rules_dirs); i++) {
		struct words names = see_list(o, "%s", rules_dirs[i]);

		array_foreach(it, &names) {
			const char *text = NULL;

			if (has_suffix(*it, ".rules"))
				text = see_text(o, MAX_CONFIG, "%s/%s", rules_dirs[i], *it);
			if (text && strstr(text, "driver_override"))
				add_found(o, rules_dirs[i], *it);
		}
	}
}

static int by_path(const void *a, const void *b)
{
	const struct host_file *x = a, *y = b;

	return strcmp(x->path, y->path);
}

/* Sorts, and drops what was asked for by name and found in its folder too. */
static void sort_files(struct host *host)
{
	size_t n = 0;

	if (!host->files.n)
		return;
	qsort(host->files.at, host->files.n, sizeof(*host->files.at), by_path);
	array_foreach(it, &host->files)
		if (!n || strcmp(host->files.at[n - 1].path, it->path) != 0)
			host->files.at[n++] = *it;
	host->files.n = n;
}

void observe_file(struct observer *o, const char *path)
{
	add_file(o, path);
	sort_files(o->host);
}

void observe_files(struct observer *o)
{
	add_modprobe(o);
	for (size_t i = 0; i < ARRAY_LEN(single_files); i++)
		add_file(o, single_files[i]);
	for (size_t i = 0; i < initramfs_builders_n; i++)
		for (const char *const *path = initramfs_builders[i]->owned; *path; path++)
			add_file(o, *path);
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		add_folder(o, &folders[i]);
	add_rules(o);
	sort_files(o->host);
}

/* What lies in /run is gone at the next boot, and the folder sees much that is not ours. */
static void watch(struct strbuf *out, const char *what, const char *path)
{
	if (!has_prefix(path, "/run/"))
		strbuf_addf(out, "%s %s\n", what, path);
}

void watch_files(struct strbuf *out)
{
	for (size_t i = 0; i < ARRAY_LEN(modprobe_dirs); i++)
		watch(out, "any", modprobe_dirs[i]);
	for (size_t i = 0; i < ARRAY_LEN(single_files); i++)
		watch(out, "file", single_files[i]);
	for (size_t i = 0; i < initramfs_builders_n; i++)
		for (const char *const *path = initramfs_builders[i]->owned; *path; path++)
			watch(out, "file", *path);
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		watch(out, "any", folders[i].path);
	for (size_t i = 0; i < ARRAY_LEN(rules_dirs); i++)
		watch(out, "any", rules_dirs[i]);
}
