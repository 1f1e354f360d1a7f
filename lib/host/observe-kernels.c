/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Installed kernels: /boot, /lib/modules, and each one's initramfs. */
#include <stdio.h>

#include "early.h"
#include "initramfs.h"
#include "observe-parts.h"

#define MODULES "/lib/modules"

/* What tools leave beside a kernel in /boot: no kernel that would boot. */
static const char *const leftovers[] = {".old",	 ".bak", "~",	       ".sig",
					".hmac", ".new", ".efi.signed"};
static const char *const images[] = {"vmlinuz-", "vmlinux-"};

/* Version in a name of /boot, NULL when it is no kernel's. */
static const char *version_of(const char *name)
{
	const char *version = NULL;

	for (size_t i = 0; i < ARRAY_LEN(images); i++)
		if (has_prefix(name, images[i]))
			version = name + strlen(images[i]);
	if (!version || !*version || strstr(version, ".dpkg-") || strstr(version, ".rpm"))
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(leftovers); i++)
		if (has_suffix(version, leftovers[i]))
			return NULL;
	/* A rescue copy has no modules of its own. */
	return has_prefix(version, "0-rescue") ? NULL : version;
}

struct host_kernel *kernel_named(struct host *host, const char *version)
{
	array_foreach(it, &host->kernels)
		if (strcmp(it->version, version) == 0)
			return it;
	return NULL;
}

static void add_kernel(struct observer *o, const char *version, const char *pkgbase,
		       const char *vmlinuz)
{
	struct host_kernel kernel = {.version = keep(o, version),
				     .pkgbase = keep(o, pkgbase),
				     .iommu_default_on = UNKNOWN};

	if (kernel_named(o->host, version))
		return;
	kernel.vmlinuz = vmlinuz;
	kernel.running = strcmp(version, o->host->running_version) == 0;
	kept(o, array_push(o->a, &o->host->kernels, kernel) == 0);
}

/* A folder of modules, and what Arch's package says that the kernel's files are named after. */
struct folder {
	const char *version, *pkgbase;
};
struct folders {
	ARRAY_OF(struct folder) list;
};

static struct folder *named_after(const struct folders *folders, const char *pkgbase)
{
	array_foreach(it, &folders->list)
		if (it->pkgbase && strcmp(it->pkgbase, pkgbase) == 0)
			return it;
	return NULL;
}

/* Modules that somebody keeps of an older version are none of what lies in /boot by that name. */
static void add_folder(struct observer *o, struct folders *folders, const char *version)
{
	const char *pkgbase = see_line(o, MODULES "/%s/pkgbase", version);
	struct folder *other;

	if (pkgbase && (!*pkgbase || strchr(pkgbase, '/')))
		pkgbase = NULL;
	other = pkgbase ? named_after(folders, pkgbase) : NULL;
	if (other && strverscmp(other->version, version) > 0)
		pkgbase = NULL;
	else if (other)
		other->pkgbase = NULL;
	kept(o, array_push(o->scratch, &folders->list, ((struct folder){version, pkgbase})) == 0);
}

static void find_in_boot(struct observer *o, const struct folders *folders)
{
	struct words boot = keep_list(o, "/boot");

	array_foreach(it, &boot) {
		const char *version = version_of(*it);
		const struct folder *folder = version ? named_after(folders, version) : NULL;

		if (version)
			add_kernel(o, folder ? folder->version : version,
				   folder ? folder->pkgbase : NULL,
				   keep_printf(o, "/boot/%s", *it));
	}
}

static void find_kernels(struct observer *o)
{
	struct words modules = keep_list(o, MODULES);
	struct folders folders = {0};

	array_foreach(it, &modules)
		add_folder(o, &folders, *it);
	find_in_boot(o, &folders);
	/*
	 * Without an image in /boot a folder of modules counts when the kernel lies in it, or
	 * runs (it was loaded from the ESP): removed packages leave such folders behind.
	 */
	array_foreach(it, &folders.list) {
		bool running = strcmp(it->version, o->host->running_version) == 0;

		if (kernel_named(o->host, it->version) ||
		    !see_exists(o, MODULES "/%s/modules.dep", it->version))
			continue;
		if (running || see_exists(o, MODULES "/%s/vmlinuz", it->version))
			add_kernel(o, it->version, it->pkgbase, NULL);
	}
}

/*
 * Fact 7.29: only plain DEFAULT_ON means all devices; DEFAULT_ON_INTGPU_OFF leaves the
 * integrated GPU out.
 */
static enum tristate iommu_default(struct observer *o, const char *version)
{
	const char *text = see_text(o, MAX_INDEX, "/boot/config-%s", version);

	if (!text)
		text = see_text(o, MAX_INDEX, MODULES "/%s/config", version);
	if (!text)
		return UNKNOWN;
	return has_prefix(text, "CONFIG_INTEL_IOMMU_DEFAULT_ON=y\n") ||
	       strstr(text, "\nCONFIG_INTEL_IOMMU_DEFAULT_ON=y\n");
}

/* modules.builtin.modinfo separates by NUL; as text it has a line each. */
static const char *builtin_modinfo(struct observer *o, const char *version)
{
	const char *bytes;
	char *text;
	size_t size;
	int err;

	snprintf(o->path, sizeof(o->path), MODULES "/%s/modules.builtin.modinfo", version);
	err = o->tree->ops->read(o->tree, o->path, MAX_INDEX, o->scratch, &bytes, &size);
	if (!kept(o, err != -ENOMEM) || err < 0)
		return "";
	text = arena_memdup(o->a, bytes, size);
	if (!kept(o, text))
		return "";
	for (size_t i = 0; i < size; i++)
		if (!text[i])
			text[i] = '\n';
	return text;
}

static void read_indexes(struct observer *o, struct host_kernel *kernel)
{
	const char *v = kernel->version;

	kernel->iommu_default_on = iommu_default(o, v);
	kernel->modules_dep = keep_text(o, MAX_INDEX, MODULES "/%s/modules.dep", v);
	kernel->modules_builtin = keep_text(o, MAX_INDEX, MODULES "/%s/modules.builtin", v);
	kernel->modules_softdep = keep_text(o, MAX_INDEX, MODULES "/%s/modules.softdep", v);
	kernel->modules_alias = kernel->builtin_modinfo = "";
	if (!o->options->aliases)
		return;
	kernel->modules_alias = keep_text(o, MAX_INDEX, MODULES "/%s/modules.alias", v);
	kernel->builtin_modinfo = builtin_modinfo(o, v);
	scratch_trim(o);
}

/* Where the kernel has settings of its own, they name the image. NULL: they do not, or it is not
 * there. */
static const char *image_by_settings(struct observer *o, const struct initramfs_builder *builder,
				     const struct host_kernel *kernel)
{
	const char *path, *settings, *image = NULL;

	if (!builder->settings_format || !kernel->pkgbase)
		return NULL;
	path = image_by_format(o->scratch, builder->settings_format, kernel);
	settings = kept(o, path) ? see_file(o, MAX_CONFIG, path) : NULL;
	if (settings)
		kept(o, builder->image_in(o->scratch, settings, &image) == 0);
	return image && see_exists(o, "%s", image) ? keep(o, image) : NULL;
}

/* Path of the kernel's image by one builder's names, NULL when none of them is there. */
static const char *image_by(struct observer *o, const struct initramfs_builder *builder,
			    const struct host_kernel *kernel)
{
	const char *named = image_by_settings(o, builder, kernel);

	if (named)
		return named;
	for (const char *const *format = builder->image_formats; *format; format++) {
		const char *path = image_by_format(o->scratch, *format, kernel);

		if (kept(o, path) && see_exists(o, "%s", path))
			return keep(o, path);
	}
	return NULL;
}

static const char *image_path(struct observer *o, const struct host_kernel *kernel)
{
	const struct initramfs_builder *own =
		o->host->initramfs_builder ? initramfs_builder(o->host->initramfs_builder) : NULL;
	const char *path = own ? image_by(o, own, kernel) : NULL;

	for (size_t i = 0; !path && i < initramfs_builders_n; i++)
		path = image_by(o, initramfs_builders[i], kernel);
	return path;
}

void observe_image(struct observer *o, const char *path, struct host_image *image)
{
	int err;

	image->status = IMAGE_ABSENT;
	image->path = path;
	if (!path || !o->options->images)
		return;
	err = o->tree->ops->image(o->tree, path, o->a, image);
	kept(o, err != -ENOMEM);
	if (err < 0 && err != -ENOMEM) {
		image->status = IMAGE_UNREADABLE;
		image->why = strerrordesc_np(-err);
	}
	image->path = path;
}

/* What stands where an initramfs is booted from. */
static void read_image(struct observer *o, const char *path, struct host_image *image)
{
	observe_image(o, path, image);
	if (image->status != IMAGE_READ || !image_file(image, UNIFIED_SECTIONS))
		return;
	*image = (struct host_image){.path = path, .status = IMAGE_BAD, .size = image->size};
	image->why = "a unified kernel image, and no initramfs";
}

void observe_copy(struct observer *o, const char *version, const char *path)
{
	struct host_kernel *kernel = version ? kernel_named(o->host, version) : NULL;
	struct host_image copy = {0};

	if (!kernel || !kernel->vmlinuz ||
	    (kernel->image.path && strcmp(kernel->image.path, path) == 0))
		return;
	array_foreach(it, &kernel->copies)
		if (strcmp(it->path, path) == 0)
			return;
	read_image(o, keep(o, path), &copy);
	if (copy.status != IMAGE_ABSENT)
		kept(o, array_push(o->a, &kernel->copies, copy) == 0);
}

static int by_version(const void *a, const void *b)
{
	const struct host_kernel *x = a, *y = b;

	return strverscmp(x->version, y->version);
}

void observe_kernels(struct observer *o)
{
	struct host *host = o->host;

	find_kernels(o);
	if (host->kernels.n)
		qsort(host->kernels.at, host->kernels.n, sizeof(*host->kernels.at), by_version);
	array_foreach(it, &host->kernels) {
		read_indexes(o, it);
		read_image(o, image_path(o, it), &it->image);
	}
}
