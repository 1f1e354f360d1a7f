/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stands in config space: serial numbers of the functions that may be chosen, and ACS on the
 * way up from them and beside them. Reading it takes a millisecond a function on hardware.
 */
#include <stdio.h>

#include "observe-parts.h"
#include "paths.h"
#include "pci-config.h"

#define CONFIG_PLAIN	    256 /* all that conventional PCI has */
#define CONFIG_STATUS	    0x06
#define STATUS_CAPABILITIES 0x10
#define CONFIG_CAPABILITIES 0x34
#define CAPABILITY_EXPRESS  0x10
#define EXTENDED_ACS	    0x000d

/* Source validation, request and completion redirection, upstream forwarding: all that the kernel
 * asks for before it calls two functions apart (7.15). */
#define ACS_ASKED 0x1d

/* Types of the express capability. */
#define EXPRESS_ROOT_PORT   4
#define EXPRESS_DOWNSTREAM  6
#define EXPRESS_TO_PCI	    7
#define EXPRESS_FROM_PCI    8
#define EXPRESS_ROOT_EVENTS 10

struct config {
	const unsigned char *at; /* NULL: not read */
	size_t size;
	bool alone; /* no other function in the slot */
};

const unsigned char *see_config(struct observer *o, struct pci_addr addr, size_t *ret_size)
{
	char path[sizeof(PATH_PCI_DEVICES) + PCI_ADDR_TEXT_SIZE + 8], name[PCI_ADDR_TEXT_SIZE];
	const char *bytes;
	int err;

	snprintf(path, sizeof(path), PATH_PCI_DEVICES "/%s/config", pci_addr_format(addr, name));
	err = o->tree->ops->read(o->tree, path, PCI_CONFIG_SIZE, o->scratch, &bytes, ret_size);
	kept(o, err != -ENOMEM);
	return err == 0 ? (const unsigned char *)bytes : NULL;
}

/* Where an extended capability stands; NULL: nowhere, or not all can be seen. */
static const unsigned char *extended(const struct config *c, uint32_t id, size_t length)
{
	return c->size == PCI_CONFIG_SIZE ? pci_extended(c->at, c->size, id, length) : NULL;
}

/* The type in the express capability; -1: conventional PCI. */
static int express_type(const struct config *c)
{
	unsigned at = c->at[CONFIG_STATUS] & STATUS_CAPABILITIES ? c->at[CONFIG_CAPABILITIES] : 0;

	for (unsigned i = 0; i < CONFIG_PLAIN / 4; i++) {
		at &= 0xfc;
		if (at < 0x40)
			return -1;
		if (c->at[at] == CAPABILITY_EXPRESS)
			return c->at[at + 2] >> 4;
		at = c->at[at + 1];
	}
	return -1;
}

/* As the kernel judges without its list of exceptions (7.21a); groups have the last word. */
static enum tristate acs_of(const struct config *c)
{
	const unsigned char *acs;
	unsigned asked;
	int type;

	/* All ones: it does not answer. */
	if (!c->at || c->size < CONFIG_PLAIN || pci_dword(c->at) == UINT32_MAX)
		return UNKNOWN;
	type = express_type(c);
	/* Neither they nor what stands behind them ever has it. */
	if (type < 0 || type == EXPRESS_TO_PCI || type == EXPRESS_FROM_PCI ||
	    type == EXPRESS_ROOT_EVENTS)
		return NO;
	if (c->alone && type != EXPRESS_ROOT_PORT && type != EXPRESS_DOWNSTREAM)
		return YES;
	if (c->size < PCI_CONFIG_SIZE)
		return UNKNOWN;
	acs = extended(c, EXTENDED_ACS, 8);
	if (!acs)
		return NO;
	/* What a function has no switch for is as if it were on. */
	asked = ACS_ASKED & acs[4];
	return (acs[6] & asked) == asked ? YES : NO;
}

static const char *serial_of(struct observer *o, const struct config *c)
{
	const unsigned char *found = c->at ? extended(c, PCI_EXTENDED_SERIAL, PCI_SERIAL_LENGTH)
					   : NULL;
	char text[PCI_SERIAL_SIZE];

	if (!found)
		return NULL;
	pci_serial_text(found, text);
	return keep(o, text);
}

/* --- which functions ------------------------------------------------------------------------- */

enum look { LOOK_SERIAL = 1, LOOK_ACS = 2 };

static bool is_chosen(const struct observer *o, const struct host_device *d)
{
	for (size_t i = 0; i < o->options->chosen_n; i++)
		if (selector_may_fit(&o->options->chosen[i], d))
			return true;
	return o->options->serials;
}

/* The first function of the slot that at is in. */
static struct host_device *slot_of(struct host *host, struct host_device *at)
{
	while (at > host->devices.at && pci_addr_same_slot(at[-1].addr, at->addr))
		at--;
	return at;
}

static bool in_slot(const struct host *host, const struct host_device *it,
		    const struct host_device *d)
{
	return it < host->devices.at + host->devices.n && pci_addr_same_slot(it->addr, d->addr);
}

/* Virtual functions are alone, however they are numbered. */
static bool has_siblings(struct host *host, struct host_device *d)
{
	unsigned n = 0;

	if (d->is_vf)
		return false;
	for (struct host_device *it = slot_of(host, d); in_slot(host, it, d); it++)
		n += !it->is_vf;
	return n > 1;
}

/* What a function shares its way to memory with: its slot, and the ports above. */
static void look_around(struct observer *o, struct host_device *d, unsigned char *looks)
{
	struct host *host = o->host;
	const struct host_device *up = d;

	for (struct host_device *it = slot_of(host, d); in_slot(host, it, d); it++)
		if (it->bridge || has_siblings(host, it))
			looks[it - host->devices.at] |= LOOK_ACS;
	for (unsigned i = 0; up->has_parent && i < 256; i++) {
		up = host_device(host, up->parent);
		if (!up)
			return;
		looks[up - host->devices.at] |= LOOK_ACS;
	}
}

/* --- looking --------------------------------------------------------------------------------- */

/* A capture keeps the verdict in the place of the registers. */
static enum tristate acs_noted(struct observer *o, const char *name)
{
	const char *text = o->tree->live ? NULL : see_line(o, PATH_PCI_DEVICES "/%s/acs", name);

	if (!text || (strcmp(text, "0") != 0 && strcmp(text, "1") != 0))
		return UNKNOWN;
	return *text == '1' ? YES : NO;
}

/* What is cut off from power would be woken, for seconds, by a look at its config space. */
static bool is_asleep(struct observer *o, const char *name)
{
	const char *state = see_line(o, PATH_PCI_DEVICES "/%s/power_state", name);

	return state && strcmp(state, "D3cold") == 0;
}

static void look_at(struct observer *o, struct host_device *d, unsigned looks)
{
	char name[PCI_ADDR_TEXT_SIZE];
	const char *serial = NULL;
	struct config c = {.alone = !has_siblings(o->host, d)};

	pci_addr_format(d->addr, name);
	if (looks & LOOK_SERIAL)
		serial = see_line(o, PATH_PCI_DEVICES "/%s/serial_number", name);
	if (looks & LOOK_ACS)
		d->acs = acs_noted(o, name);
	if (((looks & LOOK_SERIAL && !serial) || (looks & LOOK_ACS && d->acs == UNKNOWN)) &&
	    !is_asleep(o, name))
		c.at = see_config(o, d->addr, &c.size);
	if (looks & LOOK_ACS && d->acs == UNKNOWN)
		d->acs = acs_of(&c);
	if (looks & LOOK_SERIAL && !serial)
		serial = serial_of(o, &c);
	if (!serial || !*serial)
		return;
	d->pcie_serial = keep(o, serial);
	keep_serial(o, &d->serials, d->pcie_serial);
}

/*
 * A driver need not be called as its module is. A module's has a link; of those built in only some
 * have one, and no index of modules tells what they take. What every driver's folder has is bind.
 */
static void look_at_driver(struct observer *o, struct host_device *d)
{
	const char *link = d->driver ? see_link(o, PATH_PCI_DRIVERS "/%s/module", d->driver) : NULL;

	if (link)
		d->driver_module = keep(o, base_name(link));
	else if (d->driver)
		d->driver_builtin = see_exists(o, PATH_PCI_DRIVERS "/%s/bind", d->driver);
}

void observe_chosen(struct observer *o)
{
	struct host *host = o->host;
	unsigned char *looks = arena_alloc(o->a, host->devices.n + 1);

	if (!kept(o, looks))
		return;
	memset(looks, 0, host->devices.n + 1);
	array_foreach(it, &host->devices) {
		if (!is_chosen(o, it))
			continue;
		looks[it - host->devices.at] |= LOOK_SERIAL;
		look_at_driver(o, it);
		look_around(o, it, looks);
	}
	for (size_t i = 0; i < host->devices.n; i++) {
		scratch_trim(o);
		if (looks[i])
			look_at(o, &host->devices.at[i], looks[i]);
	}
}
