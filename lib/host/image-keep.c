/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image-keep.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "booster-yaml.h"
#include "paths.h"

#define ENTRIES_MAX    (1u << 20)
#define FILES_MAX      1024u
#define TEXT_MAX       (1u << 20) /* of one file */
#define TEXT_TOTAL_MAX (8u << 20)
#define MODULES_MAX    32768u
#define HOPS_MAX       8 /* of links inside the image */

/* --- names ----------------------------------------------------------------------------------- */

/* Where a name of the archive leads: without "./" and "/", and "usr/", as the merged layout. */
static const char *normal(const char *name)
{
	while (*name == '/' || (name[0] == '.' && name[1] == '/'))
		name++;
	if (strncmp(name, "usr/", 4) == 0)
		name += 4;
	while (*name == '/')
		name++;
	return name;
}

enum keep {
	KEEP_NOT,
	KEEP_FILE,
	KEEP_NAME,   /* that it is there, no bytes */
	KEEP_HIDDEN, /* for links to it alone */
	KEEP_INIT,   /* booster's, without what is private (5.34) */
};

static const struct {
	const char *folder;
	const char *name; /* NULL: any file in it; a path: its last part */
	enum keep keep;
} kept[] = {
	{"etc/modprobe.d/", NULL, KEEP_FILE},
	{"lib/modprobe.d/", NULL, KEEP_FILE},
	{"etc/udev/rules.d/", PATH_UDEV_RULES, KEEP_FILE},
	{"lib/udev/rules.d/", PATH_UDEV_RULES, KEEP_FILE},
	{"conf/", "/modules", KEEP_FILE},
	{"etc/modules-load.d/", NULL, KEEP_FILE},
	{"etc/cmdline.d/", NULL, KEEP_FILE},
	{"scripts/init-top/", "/ORDER", KEEP_FILE},
	{"scripts/init-top/", PATH_ITOOLS_INITTOP, KEEP_FILE},
	{"", "/config", KEEP_FILE}, /* mkinitcpio's (5.30) */
	{"etc/", "/booster.init.yaml", KEEP_INIT},
	{"libexec/passthroughd/", PATH_PCI_SERIAL, KEEP_NAME},
	/* Debian links /etc/modules-load.d/modules.conf there (5.18). */
	{"etc/", "/modules", KEEP_HIDDEN},
};

static bool file_name(const char *name)
{
	return *name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
	       strlen(name) <= NAME_MAX;
}

static enum keep how_kept(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		size_t n = strlen(kept[i].folder);
		const char *name = path + n;

		if (strncmp(path, kept[i].folder, n) != 0 || !file_name(name))
			continue;
		if (!kept[i].name || strcmp(strrchr(kept[i].name, '/') + 1, name) == 0)
			return kept[i].keep;
	}
	return KEEP_NOT;
}

/* Length of a module's name at the end of a path, 0 when it is none. */
static size_t module_name(const char *path, const char **ret)
{
	static const char *const endings[] = {".ko", ".ko.xz", ".ko.zst", ".ko.gz"};
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t n = strlen(name);

	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		size_t end = strlen(endings[i]);

		if (n <= end || strcmp(name + n - end, endings[i]) != 0)
			continue;
		/* Others cannot be modules: the kernel makes names of C's letters and "-". */
		for (size_t k = 0; k < n - end; k++)
			if (!isalnum((unsigned char)name[k]) && !strchr("_-+.,", name[k]))
				return 0;
		*ret = name;
		return n - end;
	}
	return 0;
}

/* --- gathering ------------------------------------------------------------------------------- */

static int too_much(struct image_keep *keep, const char *why)
{
	keep->why = why;
	return -EBADMSG;
}

static int add_module(struct image_keep *keep, const char *name, size_t n)
{
	char *copy;

	if (keep->modules.n >= MODULES_MAX)
		return too_much(keep, "too many kernel modules");
	copy = arena_strndup(keep->arena, name, n);
	if (!copy)
		return -ENOMEM;
	for (char *p = copy; *p; p++)
		if (*p == '-')
			*p = '_';
	return array_push(keep->arena, &keep->modules, (const char *)copy);
}

static bool same_inode(const struct kept_file *file, const struct newc_entry *entry)
{
	return file->ino == entry->ino && file->major == entry->major &&
	       file->minor == entry->minor;
}

/* A hard link's bytes stand once, usually with its last name. */
static bool awaited(const struct image_keep *keep, const struct newc_entry *entry)
{
	if (entry->nlink < 2 || !entry->size)
		return false;
	array_foreach(file, &keep->files)
		if (file->pending && same_inode(file, entry))
			return true;
	return false;
}

static struct kept_file *slot(struct image_keep *keep, const char *path)
{
	struct kept_file *file;

	/* A later archive replaces what an earlier one brought. */
	array_foreach(it, &keep->files)
		if (strcmp(it->file.path, path) == 0)
			return it;
	file = array_add(keep->arena, &keep->files);
	if (file)
		file->file.path = arena_strdup(keep->arena, path);
	return file;
}

static int keep_name(struct image_keep *keep, const char *path)
{
	struct kept_file *file = slot(keep, path);

	if (!file || !file->file.path)
		return -ENOMEM;
	*file = (struct kept_file){.file = {.path = file->file.path, .text = ""}};
	return 0;
}

static int on_entry(void *data, const struct newc_entry *entry)
{
	struct image_keep *keep = data;
	const char *path = normal(entry->name), *module;
	bool file = S_ISREG(entry->mode);
	size_t n;

	if (!file && !S_ISLNK(entry->mode))
		return 0;
	if (strncmp(path, "kernel/", 7) != 0 && strcmp(path, "early_cpio") != 0)
		keep->has_main = true;
	n = module_name(path, &module);
	if (n) {
		int r = add_module(keep, module, n);

		if (r < 0)
			return r;
	}
	if (how_kept(path) == KEEP_NAME)
		return file ? keep_name(keep, path) : 0;
	return how_kept(path) != KEEP_NOT || (file && awaited(keep, entry));
}

static void give_links(struct image_keep *keep, const struct newc_entry *entry, const char *text)
{
	array_foreach(it, &keep->files) {
		if (!it->pending || !same_inode(it, entry))
			continue;
		it->pending = false;
		it->file.text = text;
		it->file.size = entry->size;
	}
}

/* A further name of a file whose bytes came with an earlier one. */
static void take_link(struct image_keep *keep, struct kept_file *file,
		      const struct newc_entry *entry)
{
	file->pending = true;
	array_foreach(it, &keep->files) {
		if (it == file || it->pending || !it->ino || !same_inode(it, entry))
			continue;
		file->file.text = it->file.text;
		file->file.size = it->file.size;
		file->pending = false;
	}
}

static int keep_file(struct image_keep *keep, const char *path, const struct newc_entry *entry,
		     const char *text)
{
	struct kept_file *file;

	if (keep->files.n >= FILES_MAX)
		return too_much(keep, "too many configuration files");
	file = slot(keep, path);
	if (!file || !file->file.path)
		return -ENOMEM;
	*file = (struct kept_file){
		.file = {.path = file->file.path,
			 .text = text,
			 .size = how_kept(path) == KEEP_INIT ? strlen(text) : entry->size},
		.hidden = how_kept(path) == KEEP_HIDDEN,
	};
	if (S_ISLNK(entry->mode)) {
		file->target = text;
		return 0;
	}
	if (entry->nlink < 2)
		return 0;
	file->ino = entry->ino;
	file->major = entry->major;
	file->minor = entry->minor;
	if (!entry->size)
		take_link(keep, file, entry);
	return 0;
}

static int on_body(void *data, const struct newc_entry *entry, const char *bytes)
{
	struct image_keep *keep = data;
	const char *path = normal(entry->name);
	const char *text;

	keep->text_total += entry->size;
	if (keep->text_total > TEXT_TOTAL_MAX)
		return too_much(keep, "too much configuration text");
	text = arena_memdup(keep->arena, bytes, entry->size);
	if (!text)
		return -ENOMEM;
	if (how_kept(path) == KEEP_INIT && booster_init_reduce(keep->arena, text, &text) < 0)
		return -ENOMEM;
	if (how_kept(path) != KEEP_NOT) {
		int r = keep_file(keep, path, entry, text);

		if (r < 0)
			return r;
	}
	if (entry->size && entry->nlink >= 2)
		give_links(keep, entry, text);
	return 0;
}

const struct newc_sink image_keep_sink = {
	.entry = on_entry,
	.body = on_body,
	.body_max = TEXT_MAX,
	.entries_max = ENTRIES_MAX,
};

/* --- finishing ------------------------------------------------------------------------------- */

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct kept_file *)a)->file.path,
		      ((const struct kept_file *)b)->file.path);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The path that a link's target names, normal, without "." and "..". NULL: not in the image. */
static const char *target_path(struct arena *a, const char *from, const char *target)
{
	const char *slash = strrchr(from, '/');
	int dir = *target == '/' || !slash ? 0 : (int)(slash - from);
	char *path = arena_printf(a, "%.*s/%s", dir, from, target), *out = path;

	if (!path)
		return NULL;
	for (const char *p = path; *p;) {
		size_t n = strcspn(p, "/");

		if (n == 2 && p[0] == '.' && p[1] == '.') {
			while (out > path && *--out != '/')
				;
		} else if (n && !(n == 1 && *p == '.')) {
			if (out > path)
				*out++ = '/';
			memmove(out, p, n);
			out += n;
		}
		p += n;
		p += *p == '/';
	}
	*out = '\0';
	return normal(path);
}

static const struct kept_file *find(const struct image_keep *keep, const char *path)
{
	struct kept_file key = {.file = {.path = path}};

	if (!keep->files.n)
		return NULL;
	return bsearch(&key, keep->files.at, keep->files.n, sizeof(key), by_path);
}

/* The text at the end of a chain of links. 1: found, 0: not in the image, -ENOMEM. */
static int resolve(const struct image_keep *keep, const struct kept_file *file,
		   struct image_file *ret)
{
	for (int hops = 0; file && !file->pending && hops < HOPS_MAX; hops++) {
		const char *path;

		if (!file->target) {
			ret->text = file->file.text;
			ret->size = file->file.size;
			return 1;
		}
		/* The usual way to switch a file of the distribution off. */
		if (strcmp(file->target, "/dev/null") == 0) {
			ret->text = "";
			ret->size = 0;
			return 1;
		}
		path = target_path(keep->arena, file->file.path, file->target);
		if (!path)
			return -ENOMEM;
		file = find(keep, path);
	}
	return 0;
}

int image_keep_finish(struct image_keep *keep, struct host_image *ret)
{
	struct words *modules = &keep->modules;
	size_t n = 0;

	if (modules->n)
		qsort(modules->at, modules->n, sizeof(*modules->at), by_bytes);
	for (size_t i = 0; i < modules->n; i++)
		if (i == 0 || strcmp(modules->at[i], modules->at[n - 1]) != 0)
			modules->at[n++] = modules->at[i];
	modules->n = n;
	ret->modules = *modules;
	if (keep->files.n)
		qsort(keep->files.at, keep->files.n, sizeof(*keep->files.at), by_path);
	array_foreach(file, &keep->files) {
		struct image_file found = {.path = file->file.path};
		int r = file->hidden ? 0 : resolve(keep, file, &found);

		if (r < 0 || (r > 0 && array_push(keep->arena, &ret->files, found) < 0))
			return -ENOMEM;
	}
	return 0;
}
