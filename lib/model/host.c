/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host.h"

#include <string.h>

#include "names.h"

static const char *const image_statuses[_IMAGE_STATUS_MAX] = {
	[IMAGE_ABSENT] = "absent",
	[IMAGE_READ] = "read",
	[IMAGE_BAD] = "bad",
	[IMAGE_UNREADABLE] = "unreadable",
};
DEFINE_NAMES(image_status, enum image_status, image_statuses);

static const char *const loaders[_LOADER_MAX] = {
	[LOADER_NONE] = "none",
	[LOADER_GRUB] = "grub",
	[LOADER_BLS] = "grub-bls",
	[LOADER_SYSTEMD_BOOT] = "systemd-boot",
	[LOADER_UNIFIED] = "unified-image",
	[LOADER_ENTRIES] = "loader-entries",
	[LOADER_EXTLINUX] = "u-boot-menu",
	[LOADER_PROXMOX] = "proxmox-boot-tool",
};
DEFINE_NAMES(loader, enum loader, loaders);

static const char *const uses[_USE_KIND_MAX] = {
	[USE_ROOT] = "root",
	[USE_BOOT] = "boot",
	[USE_ESP] = "esp",
	[USE_SWAP] = "swap",
	[USE_MOUNT] = "mount",
	[USE_MEMBER] = "member",
	[USE_DEFAULT_ROUTE] = "default-route",
	[USE_NET_UP] = "network",
	[USE_SSH] = "ssh",
	[USE_KEYBOARD] = "keyboard",
	[USE_CONSOLE] = "console",
	[USE_OPEN] = "open",
};
DEFINE_NAMES(use_kind, enum use_kind, uses);

/* Binary search: arrays of a host are sorted, and a 10,000-function host asks often. */
#define FIND(array, compare)                                                                       \
	({                                                                                         \
		size_t lo_ = 0, hi_ = (array)->n;                                                  \
		typeof((array)->at + 0) found_ = NULL;                                             \
		while (lo_ < hi_ && !found_) {                                                     \
			size_t mid_ = lo_ + (hi_ - lo_) / 2;                                       \
			typeof((array)->at + 0) it = &(array)->at[mid_];                           \
			int order_ = (compare);                                                    \
			if (order_ == 0)                                                           \
				found_ = it;                                                       \
			else if (order_ < 0)                                                       \
				lo_ = mid_ + 1;                                                    \
			else                                                                       \
				hi_ = mid_;                                                        \
		}                                                                                  \
		found_;                                                                            \
	})

const struct host_file *host_file(const struct host *host, const char *path)
{
	return FIND(&host->files, strcmp(it->path, path));
}

const char *host_text(const struct host *host, const char *path)
{
	const struct host_file *file = host_file(host, path);

	return file && file->status == FILE_PRESENT ? file->text : "";
}

const struct host_device *host_device(const struct host *host, struct pci_addr addr)
{
	return FIND(&host->devices, pci_addr_compare(it->addr, addr));
}

bool host_device_on(const struct host_device *device, const char *driver)
{
	return device->driver && strcmp(device->driver, driver) == 0;
}

const char *host_device_path(const struct host *host, const struct host_device *device,
			     struct arena *a)
{
	const char *path = "";
	unsigned depth = 0;

	/* Buses are a byte: a longer way up is a loop in what a tree claims. */
	for (const struct host_device *at = device; path && at && depth++ < 256;) {
		const struct host_device *up = at->has_parent ? host_device(host, at->parent)
							      : NULL;
		char addr[PCI_ADDR_TEXT_SIZE];

		if (up)
			path = arena_printf(a, "%02x.%x%s%s", at->addr.dev, at->addr.fn,
					    *path ? "/" : "", path);
		else
			path = arena_printf(a, "%s%s%s", pci_addr_format(at->addr, addr),
					    *path ? "/" : "", path);
		at = up;
	}
	return path;
}

bool selector_may_fit(const struct selector *s, const struct host_device *device)
{
	return (!s->has_id || pci_id_match(&s->id, &device->id)) &&
	       (!s->has_address || pci_addr_compare(s->address, device->addr) == 0) &&
	       (!s->has_slot || pci_addr_same_slot(s->slot, device->addr)) &&
	       (!s->has_class || (device->class & s->class_mask) == s->class);
}

const struct host_module *host_module(const struct host *host, const char *name)
{
	return FIND(&host->modules, strcmp(it->name, name));
}

const struct host_param *host_param(const struct host *host, const char *module, const char *param)
{
	const struct host_module *m = host_module(host, module);

	if (!m)
		return NULL;
	array_foreach(it, &m->params)
		if (strcmp(it->name, param) == 0)
			return it;
	return NULL;
}

bool host_has_command(const struct host *host, const char *name)
{
	return words_has(&host->commands, name);
}

static bool same_letter(char a, char b)
{
	return (a == '-' ? '_' : a) == (b == '-' ? '_' : b);
}

/* Looks for "/name.ko" in lines "path/name.ko[.xz]:" or "path/name.ko". */
static bool part_has(const char *text, const char *end, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = text; (at = memmem(at, (size_t)(end - at), ".ko", 3)); at += 3) {
		const char *start = at - n;

		if ((size_t)(at - text) < n ||
		    (start > text && start[-1] != '/' && start[-1] != '\n'))
			continue;
		for (size_t i = 0; i <= n; i++) {
			if (i == n)
				return true;
			if (!same_letter(start[i], name[i]))
				break;
		}
	}
	return false;
}

static bool index_has(const char *text, const char *name)
{
	return part_has(text, text + strlen(text), name);
}

const char *host_kernel_name(const struct host_kernel *kernel)
{
	return kernel->pkgbase ? kernel->pkgbase : kernel->version;
}

enum module_presence host_kernel_module(const struct host_kernel *kernel, const char *name)
{
	if (index_has(kernel->modules_builtin, name))
		return MODULE_BUILTIN;
	return index_has(kernel->modules_dep, name) ? MODULE_LOADABLE : MODULE_ABSENT;
}

bool host_kernel_needs(const struct host_kernel *kernel, const char *name, const char *other)
{
	for (const char *line = kernel->modules_dep; *line;) {
		const char *end = line + strcspn(line, "\n"), *colon = line + strcspn(line, ":\n");

		if (part_has(line, colon, name) && part_has(colon, end, other))
			return true;
		line = end + (*end == '\n');
	}
	return false;
}

struct host *host_new(void)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host *host = a ? arena_new_of(a, struct host) : NULL;

	if (!host)
		return NULL;
	host->hostname = host->machine_id = host->boot_id = host->running_version = "";
	host->cmdline = host->dmi_vendor = host->dmi_product = host->dmi_board = "";
	host->cpu.model = "";
	host->cpu.virt_locked = host->iommu.firmware = host->iommu.remapping = UNKNOWN;
	host->arena = TAKE(a);
	return host;
}

struct host *host_free(struct host *host)
{
	if (host)
		arena_free(host->arena);
	return NULL;
}
