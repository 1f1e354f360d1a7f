/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI functions from /sys/bus/pci/devices. Each folder is listed once and only what stands there
 * is read, so that a host with thousands of functions costs few lookups. Config space is left
 * alone on a live host: observe-chosen.c reads it where it counts.
 */
#include <stdio.h>

#include "observe-parts.h"
#include "paths.h"
#include "pci-names.h"

#define DEVICES PATH_PCI_DEVICES
#define GROUPS	"/sys/kernel/iommu_groups"

/* What is looked for in a function's folder, sorted by name. */
enum entry {
	ENTRY_BOOT_VGA,
	ENTRY_CLASS,
	ENTRY_CONFIG,
	ENTRY_DEVICE,
	ENTRY_DRIVER,
	ENTRY_DRIVER_OVERRIDE,
	ENTRY_IOMMU_GROUP,
	ENTRY_LABEL,
	ENTRY_MODALIAS,
	ENTRY_NET,
	ENTRY_NVME,
	ENTRY_PHYSFN,
	ENTRY_RESET,
	ENTRY_RESET_METHOD,
	ENTRY_SECONDARY_BUS_NUMBER,
	ENTRY_SRIOV_NUMVFS,
	ENTRY_SUBSYSTEM_DEVICE,
	ENTRY_SUBSYSTEM_VENDOR,
	ENTRY_UEVENT,
	ENTRY_VENDOR,
	_ENTRY_MAX,
};

static const char *const entries[_ENTRY_MAX] = {
	[ENTRY_BOOT_VGA] = "boot_vga",
	[ENTRY_CLASS] = "class",
	[ENTRY_CONFIG] = "config",
	[ENTRY_DEVICE] = "device",
	[ENTRY_DRIVER] = "driver",
	[ENTRY_DRIVER_OVERRIDE] = "driver_override",
	[ENTRY_IOMMU_GROUP] = "iommu_group",
	[ENTRY_LABEL] = "label",
	[ENTRY_MODALIAS] = "modalias",
	[ENTRY_NET] = "net",
	[ENTRY_NVME] = "nvme",
	[ENTRY_PHYSFN] = "physfn",
	[ENTRY_RESET] = "reset",
	[ENTRY_RESET_METHOD] = "reset_method",
	[ENTRY_SECONDARY_BUS_NUMBER] = "secondary_bus_number",
	[ENTRY_SRIOV_NUMVFS] = "sriov_numvfs",
	[ENTRY_SUBSYSTEM_DEVICE] = "subsystem_device",
	[ENTRY_SUBSYSTEM_VENDOR] = "subsystem_vendor",
	[ENTRY_UEVENT] = "uevent",
	[ENTRY_VENDOR] = "vendor",
};

/* One function being read. */
struct folder {
	const char *name;     /* "0000:01:00.0" */
	bool has[_ENTRY_MAX]; /* what stands in it */
	size_t len;	      /* of the folder's part of path */
	char path[sizeof(DEVICES) + PCI_ADDR_TEXT_SIZE + 24];
};

/* Both lists are sorted: one pass over them. */
static void open_folder(struct observer *o, struct folder *f, const char *name)
{
	struct words names;
	size_t entry = 0;

	*f = (struct folder){.name = name};
	f->len = (size_t)snprintf(f->path, sizeof(f->path), DEVICES "/%s/", name);
	names = see_list(o, DEVICES "/%s", name);
	for (size_t i = 0; i < names.n && entry < _ENTRY_MAX;) {
		int order = strcmp(names.at[i], entries[entry]);

		if (order == 0)
			f->has[entry] = true;
		if (order <= 0)
			i++;
		if (order >= 0)
			entry++;
	}
}

static const char *entry_path(struct folder *f, enum entry entry)
{
	memcpy(f->path + f->len, entries[entry], strlen(entries[entry]) + 1);
	return f->path;
}

/* Text of an attribute, NULL when it is not there. */
static const char *text_of(struct observer *o, struct folder *f, enum entry entry)
{
	return f->has[entry] ? see_file(o, MAX_LINE, entry_path(f, entry)) : NULL;
}

/* Its first line. */
static const char *attribute(struct observer *o, struct folder *f, enum entry entry)
{
	return first_line(o, text_of(o, f, entry));
}

/* Base name of a link's target, NULL when it is not there. */
static const char *linked(struct observer *o, struct folder *f, enum entry entry)
{
	const char *target = f->has[entry] ? see_link(o, "%s", entry_path(f, entry)) : NULL;

	return target ? base_name(target) : NULL;
}

static uint32_t number(const char *text, int base, uint32_t fallback)
{
	char *end;
	unsigned long value = text ? strtoul(text, &end, base) : 0;

	return text && end != text && value <= UINT32_MAX ? (uint32_t)value : fallback;
}

/* What stands behind NAME= at the beginning of a line of uevent, up to the line's end. */
static const char *uevent_value(const char *uevent, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = uevent; *at; at += *at == '\n') {
		if (strncmp(at, name, n) == 0 && at[n] == '=')
			return at + n + 1;
		at += strcspn(at, "\n");
	}
	return NULL;
}

/* "VVVV:DDDD" and the end of the line. */
static bool id_pair(const char *text, uint32_t *ret_vendor, uint32_t *ret_device)
{
	char pair[sizeof("vvvv:dddd")] = "";
	struct pci_id id;

	if (!text || strcspn(text, "\n") != sizeof(pair) - 1)
		return false;
	memcpy(pair, text, sizeof(pair) - 1);
	if (pci_id_parse(pair, &id) < 0)
		return false;
	*ret_vendor = id.vendor;
	*ret_device = id.device;
	return true;
}

/* uevent says in one read what else takes six. */
static bool identity_from_uevent(struct observer *o, struct folder *f, struct host_device *d)
{
	const char *uevent = text_of(o, f, ENTRY_UEVENT);
	const char *class = uevent ? uevent_value(uevent, "PCI_CLASS") : NULL;
	const char *modalias;

	if (!class || !id_pair(uevent_value(uevent, "PCI_ID"), &d->id.vendor, &d->id.device))
		return false;
	d->class = number(class, 16, 0);
	if (!id_pair(uevent_value(uevent, "PCI_SUBSYS_ID"), &d->id.subvendor, &d->id.subdevice))
		d->id.subvendor = d->id.subdevice = PCI_ANY;
	modalias = first_line(o, uevent_value(uevent, "MODALIAS"));
	d->modalias = keep(o, modalias);
	return true;
}

/* False when there are no ids: not a function then, whatever the folder's name. */
static bool identity_from_files(struct observer *o, struct folder *f, struct host_device *d)
{
	d->id.vendor = number(attribute(o, f, ENTRY_VENDOR), 16, PCI_ANY);
	d->id.device = number(attribute(o, f, ENTRY_DEVICE), 16, PCI_ANY);
	d->id.subvendor = number(attribute(o, f, ENTRY_SUBSYSTEM_VENDOR), 16, PCI_ANY);
	d->id.subdevice = number(attribute(o, f, ENTRY_SUBSYSTEM_DEVICE), 16, PCI_ANY);
	d->class = number(attribute(o, f, ENTRY_CLASS), 16, 0);
	d->modalias = keep(o, attribute(o, f, ENTRY_MODALIAS));
	return d->id.vendor != PCI_ANY && d->id.device != PCI_ANY;
}

/* The bridge above: the folder above in the path that the bus link leads to. */
static void observe_parent(struct observer *o, struct folder *f, struct host_device *d)
{
	const char *target = see_link(o, DEVICES "/%s", f->name);
	const char *cut = target ? strrchr(target, '/') : NULL;
	const char *above = cut ? arena_strndup(o->scratch, target, (size_t)(cut - target)) : NULL;

	kept(o, above || !cut);
	d->has_parent = above && pci_addr_parse(base_name(above), &d->parent) == 0;
}

static bool is_bridge(struct observer *o, struct folder *f, const struct host_device *d)
{
	const unsigned char *config;
	size_t size;

	/* The kernel shows bus numbers for header types 1 and 2 only. */
	if (d->class >> 16 == 0x06 || f->has[ENTRY_SECONDARY_BUS_NUMBER])
		return true;
	if (o->tree->live || !f->has[ENTRY_CONFIG])
		return false;
	config = see_config(o, d->addr, &size);
	return config && size > CONFIG_HEADER_TYPE && (config[CONFIG_HEADER_TYPE] & 0x7f) != 0;
}

static void observe_serials(struct observer *o, struct folder *f, struct host_device *d)
{
	struct words controllers = {0};

	if (f->has[ENTRY_NVME])
		controllers = see_list(o, DEVICES "/%s/nvme", f->name);
	array_foreach(it, &controllers)
		keep_serial(o, &d->serials,
			    see_line(o, DEVICES "/%s/nvme/%s/serial", f->name, *it));
}

/* A bond gives its members one address: theirs is the one burnt in. */
static void observe_macs(struct observer *o, struct folder *f, struct host_device *d)
{
	struct words names = {0};

	if (f->has[ENTRY_NET])
		names = see_list(o, DEVICES "/%s/net", f->name);
	array_foreach(it, &names) {
		const char *mac = see_line(o, DEVICES "/%s/net/%s/bonding_slave/perm_hwaddr",
					   f->name, *it);

		if (!mac)
			mac = see_line(o, DEVICES "/%s/net/%s/address", f->name, *it);
		keep_serial(o, &d->macs, mac);
	}
}

static bool wants_labels(const struct observer *o)
{
	return o->options->names || o->options->labels;
}

/*
 * Reading it takes the device's lock, which an unbind that hangs holds for as long as it does; by
 * then the driver's link is gone (7.11). Nothing is judged by an override without a driver.
 */
static void observe_override(struct observer *o, struct folder *f, struct host_device *d)
{
	const char *text = NULL;

	if (d->driver || !o->tree->live)
		text = attribute(o, f, ENTRY_DRIVER_OVERRIDE);
	/* Unset reads "(null)" (7.7). */
	d->override = text && *text && strcmp(text, "(null)") != 0 ? keep(o, text) : NULL;
}

static void observe_function(struct observer *o, struct folder *f, struct host_device *d)
{
	const char *text;

	d->driver = keep(o, linked(o, f, ENTRY_DRIVER));
	observe_override(o, f, d);
	text = linked(o, f, ENTRY_IOMMU_GROUP);
	d->group = text ? (int)number(text, 10, UINT32_MAX) : -1;
	observe_parent(o, f, d);
	d->bridge = is_bridge(o, f, d);
	d->boot_vga = number(attribute(o, f, ENTRY_BOOT_VGA), 10, 0) == 1;
	d->has_reset = f->has[ENTRY_RESET];
	d->reset_methods = keep(o, attribute(o, f, ENTRY_RESET_METHOD));
	d->vfs = number(attribute(o, f, ENTRY_SRIOV_NUMVFS), 10, 0);
	text = linked(o, f, ENTRY_PHYSFN);
	d->is_vf = text && pci_addr_parse(text, &d->physfn) == 0;
	/* Firmware is run for it. */
	d->label = wants_labels(o) ? keep(o, attribute(o, f, ENTRY_LABEL)) : NULL;
	observe_serials(o, f, d);
	observe_macs(o, f, d);
}

static int by_address(const void *a, const void *b)
{
	const struct host_device *x = a, *y = b;

	return pci_addr_compare(x->addr, y->addr);
}

/* The folder's order is that of the addresses but where domains differ in width. */
static void sort_devices(struct host *host)
{
	for (size_t i = 1; i < host->devices.n; i++)
		if (by_address(&host->devices.at[i - 1], &host->devices.at[i]) > 0) {
			qsort(host->devices.at, host->devices.n, sizeof(*host->devices.at),
			      by_address);
			return;
		}
}

static int by_number(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

/* Groups with a "direct" region, which no guest may have (7.21); "direct-relaxable" is harmless. */
static void observe_groups(struct observer *o)
{
	struct words groups = see_list(o, GROUPS);
	ARRAY_OF(int) direct = {0};

	o->host->iommu.groups = (unsigned)groups.n;
	array_foreach(it, &groups) {
		const char *text = see_text(o, MAX_LINE, GROUPS "/%s/reserved_regions", *it);

		if (text && strstr(text, " direct\n"))
			kept(o, array_push(o->scratch, &direct, (int)number(*it, 10, UINT32_MAX)) ==
					0);
	}
	if (!direct.n)
		return;
	qsort(direct.at, direct.n, sizeof(*direct.at), by_number);
	array_foreach(d, &o->host->devices)
		d->reserved_region = bsearch(&d->group, direct.at, direct.n, sizeof(*direct.at),
					     by_number);
}

/* Names are for people's eyes: without the library or its list there are none. */
static void observe_device_names(struct observer *o)
{
	_cleanup_names_ struct names *names = NULL;
	int err = names_open(NULL, &names);

	kept(o, err != -ENOMEM);
	if (err < 0)
		return;
	array_foreach(d, &o->host->devices) {
		err = names_look_up(names, &d->id, o->a, &d->vendor_name, &d->device_name);
		kept(o, err != -ENOMEM);
		if (err < 0)
			return;
	}
}

/* The kernel's own spelling only: another of the same function would stand for a second one. */
static bool is_address(const char *name, struct pci_addr *ret)
{
	char spelt[PCI_ADDR_TEXT_SIZE];

	return pci_addr_parse(name, ret) == 0 && strcmp(pci_addr_format(*ret, spelt), name) == 0;
}

void observe_devices(struct observer *o)
{
	struct words names = keep_list(o, DEVICES);

	array_foreach(it, &names) {
		struct host_device d = {.group = -1, .acs = UNKNOWN};
		struct folder f;

		scratch_trim(o);
		if (!is_address(*it, &d.addr))
			continue;
		open_folder(o, &f, *it);
		if (!identity_from_uevent(o, &f, &d) && !identity_from_files(o, &f, &d))
			continue;
		observe_function(o, &f, &d);
		kept(o, array_push(o->a, &o->host->devices, d) == 0);
	}
	sort_devices(o->host);
	observe_chosen(o);
	observe_groups(o);
	if (wants_labels(o))
		observe_labels(o);
	if (o->options->names)
		observe_device_names(o);
}
