/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "early.h"

#include <string.h>

#include "kcmdline.h"
#include "paths.h"
#include "udev.h"

/* In an image's own spelling: without the merged "usr/". */
#define IN_PCI_SERIAL "libexec/passthroughd/pci-serial"

bool early_wish_empty(const struct early_wish *wish)
{
	return wish->modules.n == 0 && wish->overrides.n == 0;
}

/* A captured host's are masked: letters and digits too (note 7). */
static bool serial_safe(const char *text)
{
	size_t n = strspn(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-");

	return n && !text[n] && text[0] != '-';
}

bool early_wish_safe(const struct early_wish *wish)
{
	array_foreach(name, &wish->modules)
		if (module_name_refused(*name))
			return false;
	array_foreach(device, &wish->overrides)
		if (module_name_refused(device->driver) ||
		    (device->serial && !serial_safe(device->serial)))
			return false;
	return true;
}

bool early_wish_serials(const struct early_wish *wish)
{
	array_foreach(device, &wish->overrides)
		if (device->serial)
			return true;
	return false;
}

static int add_module(struct arena *a, struct words *w, const char *name)
{
	const char *kernel_name = module_name_kernel(a, name);

	return kernel_name ? words_add(a, w, kernel_name) : -ENOMEM;
}

int early_modules(struct arena *a, const struct early_wish *wish, struct words *ret)
{
	struct words all = {};

	array_foreach(device, &wish->overrides)
		if (add_module(a, &all, device->driver) < 0)
			return -ENOMEM;
	array_foreach(name, &wish->modules)
		if (add_module(a, &all, *name) < 0)
			return -ENOMEM;
	*ret = all;
	return 0;
}

const struct image_file *image_file(const struct host_image *image, const char *path)
{
	array_foreach(file, &image->files)
		if (strcmp(file->path, path) == 0)
			return file;
	return NULL;
}

const char *image_by_format(struct arena *a, const char *format, const struct host_kernel *kernel)
{
	int before = (int)strcspn(format, "%");

	return arena_printf(a, "%.*s%s%s", before, format, host_kernel_name(kernel),
			    format + before + strlen("%s"));
}

static bool image_there(const struct host_kernel *kernel)
{
	return kernel->image.path && kernel->image.status != IMAGE_ABSENT;
}

const char *early_image_path(struct arena *a, const struct host *host,
			     const struct host_kernel *kernel, const char *const *formats)
{
	if (image_there(kernel))
		return kernel->image.path;
	if (!formats[0])
		return NULL;
	for (const char *const *format = formats; *format; format++)
		array_foreach(other, &host->kernels) {
			const char *path = image_by_format(a, *format, other);

			if (!path)
				return NULL;
			if (image_there(other) && strcmp(path, other->image.path) == 0)
				return image_by_format(a, *format, kernel);
		}
	return image_by_format(a, formats[0], kernel);
}

int early_started_with(struct arena *a, const struct host *host, const char *part,
		       const char **ret_word)
{
	struct kcmdline line;

	if (kcmdline_parse(a, host->cmdline, &line) < 0)
		return -ENOMEM;
	array_foreach(it, &line.params)
		if (strcmp(it->name, "initrd") == 0 && it->value && strstr(it->value, part)) {
			*ret_word = it->raw;
			return 1;
		}
	return 0;
}

int words_push(struct arena *a, struct words *w, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (array_push(a, w, words[i]) < 0)
			return -ENOMEM;
	return 0;
}

bool early_disproof(struct arena *a, const char **ret_why, const char *fmt, ...)
{
	const char *why;
	va_list ap;

	va_start(ap, fmt);
	why = arena_vprintf(a, fmt, ap);
	va_end(ap);
	*ret_why = why;
	return why ? false : early_unwritten(ret_why, -ENOMEM);
}

bool early_unwritten(const char **ret_why, int error)
{
	*ret_why = error == -ENOMEM ? "out of memory" : "a driver's or module's name is none";
	return false;
}

bool early_proof_read(const struct host_kernel *kernel, struct arena *a, const char **ret_why)
{
	const struct host_image *image = &kernel->image;
	const char *why = image->why ? image->why : "no reason known";

	switch (image->status) {
	case IMAGE_READ:
		return true;
	case IMAGE_ABSENT:
		return early_disproof(a, ret_why, "kernel %s has no image", kernel->version);
	case IMAGE_BAD:
		return early_disproof(a, ret_why, "%s is damaged: %s", image->path, why);
	case IMAGE_UNREADABLE:
		return early_disproof(a, ret_why, "%s cannot be read: %s", image->path, why);
	case _IMAGE_STATUS_MAX:
	case _IMAGE_STATUS_INVALID:
		break;
	}
	return early_disproof(a, ret_why, "the image of kernel %s was not looked at",
			      kernel->version);
}

/* Modules that newer kernels have merged into one that the wish names as well (fact 7.1). */
static const char *const merged_modules[] = {"vfio_virqfd"};

static bool merged(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(merged_modules); i++)
		if (strcmp(merged_modules[i], name) == 0)
			return true;
	return false;
}

bool early_proof_modules(const struct early_wish *wish, const struct host_kernel *kernel,
			 struct arena *a, const char **ret_why)
{
	struct words all = {};

	if (!early_proof_read(kernel, a, ret_why))
		return false;
	if (early_modules(a, wish, &all) < 0)
		return early_unwritten(ret_why, -ENOMEM);
	array_foreach(name, &all) {
		switch (host_kernel_module(kernel, *name)) {
		case MODULE_BUILTIN:
			break;
		case MODULE_ABSENT:
			if (!merged(*name))
				return early_disproof(a, ret_why, "kernel %s has no module %s",
						      kernel->version, *name);
			break;
		case MODULE_LOADABLE:
			if (!words_has(&kernel->image.modules, *name))
				return early_disproof(a, ret_why, "%s lacks the module %s",
						      kernel->image.path, *name);
			break;
		}
	}
	return true;
}

bool early_proof_program(const struct early_wish *wish, const struct host_kernel *kernel,
			 struct arena *a, const char **ret_why)
{
	if (!early_wish_serials(wish) || image_file(&kernel->image, IN_PCI_SERIAL))
		return true;
	return early_disproof(a, ret_why, "%s lacks " PATH_PCI_SERIAL, kernel->image.path);
}

bool early_proof_file(const struct host_kernel *kernel, const char *path, const char *text,
		      struct arena *a, const char **ret_why)
{
	const struct image_file *file = image_file(&kernel->image, path);
	size_t size = strlen(text);

	if (!file && size == 0)
		return true;
	if (!file)
		return early_disproof(a, ret_why, "%s lacks %s", kernel->image.path, path);
	if (size == 0)
		return early_disproof(a, ret_why, "%s still has %s", kernel->image.path, path);
	if (file->size != size || memcmp(file->text, text, size) != 0)
		return early_disproof(a, ret_why, "%s has an older %s", kernel->image.path, path);
	return true;
}

bool early_proof_along(const struct early_wish *wish, const struct host_kernel *kernel,
		       struct arena *a, const char **ret_why, struct words *ret_all)
{
	const char *rules;
	int r;

	if (!early_proof_modules(wish, kernel, a, ret_why))
		return false;
	r = udev_rules_render(a, wish, &rules);
	if (r == 0)
		r = early_modules(a, wish, ret_all);
	if (r < 0)
		return early_unwritten(ret_why, r);
	return early_proof_file(kernel, PATH_UDEV_RULES + 1, rules, a, ret_why) &&
	       early_proof_program(wish, kernel, a, ret_why);
}
