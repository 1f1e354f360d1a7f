/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI functions from /sys/bus/pci/devices. Each folder is listed once and only what stands there
 * is read, so that a host with thousands of functions costs few lookups. Config space is left
 * alone on a live host unless serial numbers are asked for: reading it wakes sleeping devices.
 */
#include <stdio.h>

#include "observe-parts.h"

#define DEVICES "/sys/bus/pci/devices"
#define GROUPS	"/sys/kernel/iommu_groups"

#define CONFIG_SIZE	   4096
#define CONFIG_HEADER_TYPE 0x0e
#define CONFIG_EXTENDED	   0x100
#define EXTENDED_SERIAL	   0x0003 /* Device Serial Number capability */

/* One function being read. */
struct folder {
	const char *name;   /* "0000:01:00.0" */
	struct words names; /* what stands in it, sorted */
};

static int by_bytes(const void *key, const void *at)
{
	return strcmp(key, *(const char *const *)at);
}

static bool listed(const struct folder *f, const char *name)
{
	return f->names.n && bsearch(name, f->names.at, f->names.n, sizeof(*f->names.at), by_bytes);
}

/* First line of an attribute, NULL when it is not there. */
static const char *attribute(struct observer *o, const struct folder *f, const char *name)
{
	return listed(f, name) ? see_line(o, DEVICES "/%s/%s", f->name, name) : NULL;
}

/* Base name of a link's target, NULL when it is not there. */
static const char *linked(struct observer *o, const struct folder *f, const char *name)
{
	const char *target = listed(f, name) ? see_link(o, DEVICES "/%s/%s", f->name, name) : NULL;

	return target ? base_name(target) : NULL;
}

static uint32_t number(const char *text, int base, uint32_t fallback)
{
	char *end;
	unsigned long value = text ? strtoul(text, &end, base) : 0;

	return text && end != text && value <= UINT32_MAX ? (uint32_t)value : fallback;
}

static bool id_pair(const char *text, uint32_t *ret_vendor, uint32_t *ret_device)
{
	struct pci_id id;

	if (pci_id_parse(text, &id) < 0)
		return false;
	*ret_vendor = id.vendor;
	*ret_device = id.device;
	return true;
}

/* Value of NAME=VALUE in uevent text, in scratch. */
static const char *uevent_value(struct observer *o, const char *uevent, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = uevent, *line; (line = next_line(o, &at));)
		if (strncmp(line, name, n) == 0 && line[n] == '=')
			return line + n + 1;
	return NULL;
}

/* uevent says in one read what else takes six. */
static bool identity_from_uevent(struct observer *o, const struct folder *f, struct host_device *d)
{
	const char *uevent = listed(f, "uevent")
				     ? see_text(o, MAX_LINE, DEVICES "/%s/uevent", f->name)
				     : NULL;
	const char *id = uevent ? uevent_value(o, uevent, "PCI_ID") : NULL;
	const char *class = uevent ? uevent_value(o, uevent, "PCI_CLASS") : NULL;
	const char *subsystem = uevent ? uevent_value(o, uevent, "PCI_SUBSYS_ID") : NULL;

	if (!id || !class || !id_pair(id, &d->id.vendor, &d->id.device))
		return false;
	d->class = number(class, 16, 0);
	if (!subsystem || !id_pair(subsystem, &d->id.subvendor, &d->id.subdevice))
		d->id.subvendor = d->id.subdevice = PCI_ANY;
	d->modalias = keep(o, uevent_value(o, uevent, "MODALIAS"));
	return true;
}

/* False when there are no ids: not a function then, whatever the folder's name. */
static bool identity_from_files(struct observer *o, const struct folder *f, struct host_device *d)
{
	d->id.vendor = number(attribute(o, f, "vendor"), 16, PCI_ANY);
	d->id.device = number(attribute(o, f, "device"), 16, PCI_ANY);
	d->id.subvendor = number(attribute(o, f, "subsystem_vendor"), 16, PCI_ANY);
	d->id.subdevice = number(attribute(o, f, "subsystem_device"), 16, PCI_ANY);
	d->class = number(attribute(o, f, "class"), 16, 0);
	d->modalias = keep(o, attribute(o, f, "modalias"));
	return d->id.vendor != PCI_ANY && d->id.device != PCI_ANY;
}

/* The bridge above: the folder above in the path that the bus link leads to. */
static void observe_parent(struct observer *o, const struct folder *f, struct host_device *d)
{
	const char *target = see_link(o, DEVICES "/%s", f->name);
	const char *cut = target ? strrchr(target, '/') : NULL;
	const char *above = cut ? arena_strndup(o->scratch, target, (size_t)(cut - target)) : NULL;

	kept(o, above || !cut);
	d->has_parent = above && pci_addr_parse(base_name(above), &d->parent) == 0;
}

/* Raw config space, size bytes or NULL. */
static const unsigned char *config_space(struct observer *o, const struct folder *f, size_t size)
{
	const char *bytes;
	size_t n;
	int err;

	if (!listed(f, "config"))
		return NULL;
	snprintf(o->path, sizeof(o->path), DEVICES "/%s/config", f->name);
	err = o->tree->ops->read(o->tree, o->path, CONFIG_SIZE, o->scratch, &bytes, &n);
	kept(o, err != -ENOMEM);
	return err == 0 && n >= size ? (const unsigned char *)bytes : NULL;
}

static bool is_bridge(struct observer *o, const struct folder *f, const struct host_device *d)
{
	const unsigned char *config;

	/* The kernel shows bus numbers for header types 1 and 2 only. */
	if (d->class >> 16 == 0x06 || listed(f, "secondary_bus_number"))
		return true;
	if (o->tree->live)
		return false;
	config = config_space(o, f, CONFIG_HEADER_TYPE + 1);
	return config && (config[CONFIG_HEADER_TYPE] & 0x7f) != 0;
}

static uint32_t dword(const unsigned char *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

/* The PCIe serial number, as lspci and newer kernels' serial_number write it. */
static void serial_from_config(struct observer *o, const struct folder *f, struct host_device *d)
{
	const unsigned char *config = config_space(o, f, CONFIG_SIZE);
	uint32_t at = CONFIG_EXTENDED;

	/* Capabilities are 4 bytes apart at least: a loop ends with the count. */
	for (unsigned i = 0; config && at >= CONFIG_EXTENDED && i < CONFIG_SIZE / 4; i++) {
		uint32_t header = dword(config + at);

		if ((header & 0xffff) == EXTENDED_SERIAL && at + 12 <= CONFIG_SIZE) {
			const unsigned char *s = config + at + 4;

			keep_word(o, &d->serials,
				  keep_printf(o, "%02x-%02x-%02x-%02x-%02x-%02x-%02x-%02x", s[7],
					      s[6], s[5], s[4], s[3], s[2], s[1], s[0]));
			return;
		}
		at = header >> 20 & 0xffc;
	}
}

static void observe_serials(struct observer *o, const struct folder *f, struct host_device *d)
{
	const char *serial;

	if (o->options->serials) {
		serial = attribute(o, f, "serial_number");
		if (serial)
			keep_serial(o, &d->serials, serial);
		else
			serial_from_config(o, f, d);
	}
	if (listed(f, "nvme")) {
		struct words controllers = see_list(o, DEVICES "/%s/nvme", f->name);

		array_foreach(it, &controllers) {
			serial = see_line(o, DEVICES "/%s/nvme/%s/serial", f->name, *it);
			keep_serial(o, &d->serials, serial);
		}
	}
}

/* A bond gives its members one address: theirs is the one burnt in. */
static void observe_macs(struct observer *o, const struct folder *f, struct host_device *d)
{
	struct words names = {0};

	if (listed(f, "net"))
		names = see_list(o, DEVICES "/%s/net", f->name);
	array_foreach(it, &names) {
		const char *mac = see_line(o, DEVICES "/%s/net/%s/bonding_slave/perm_hwaddr",
					   f->name, *it);

		if (!mac)
			mac = see_line(o, DEVICES "/%s/net/%s/address", f->name, *it);
		keep_serial(o, &d->macs, mac);
	}
}

static void observe_function(struct observer *o, const struct folder *f, struct host_device *d)
{
	const char *text = attribute(o, f, "driver_override");

	d->driver = keep(o, linked(o, f, "driver"));
	/* Unset reads "(null)" (7.7). */
	d->override = text && *text && strcmp(text, "(null)") != 0 ? keep(o, text) : NULL;
	text = linked(o, f, "iommu_group");
	d->group = text ? (int)number(text, 10, UINT32_MAX) : -1;
	observe_parent(o, f, d);
	d->bridge = is_bridge(o, f, d);
	d->boot_vga = number(attribute(o, f, "boot_vga"), 10, 0) == 1;
	d->has_reset = listed(f, "reset");
	d->reset_methods = keep(o, attribute(o, f, "reset_method"));
	d->vfs = number(attribute(o, f, "sriov_numvfs"), 10, 0);
	text = linked(o, f, "physfn");
	d->is_vf = text && pci_addr_parse(text, &d->physfn) == 0;
	d->label = keep(o, attribute(o, f, "label"));
	observe_serials(o, f, d);
	observe_macs(o, f, d);
}

static int by_address(const void *a, const void *b)
{
	const struct host_device *x = a, *y = b;

	return pci_addr_compare(x->addr, y->addr);
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

void observe_devices(struct observer *o)
{
	struct words names = keep_list(o, DEVICES);
	struct host *host = o->host;

	array_foreach(it, &names) {
		struct folder f = {.name = *it};
		struct host_device d = {.group = -1};

		scratch_trim(o);
		if (pci_addr_parse(*it, &d.addr) < 0)
			continue;
		f.names = see_list(o, DEVICES "/%s", *it);
		if (!identity_from_uevent(o, &f, &d) && !identity_from_files(o, &f, &d))
			continue;
		observe_function(o, &f, &d);
		kept(o, array_push(o->a, &host->devices, d) == 0);
	}
	if (host->devices.n)
		qsort(host->devices.at, host->devices.n, sizeof(*host->devices.at), by_address);
	observe_groups(o);
}
