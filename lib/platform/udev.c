/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "udev.h"

#include <stdio.h>

#include "early.h"
#include "paths.h"

/* Our script of initramfs-tools, inside its images. */
#define IN_INITTOP "/scripts/init-top/00-passthroughd"

/*
 * The kernel calls the subsystem of a bus "bus", udev's own look at sysfs "subsystem"; "bus" alone
 * udev takes for a mistake and says so in the journal.
 *
 * Only "add": that is what coldplug sends, in the initramfs and again at the real root. On "bind" a
 * device was just given to a driver by somebody; an override written then would undo at its next
 * unbind what an administrator, or we ourselves, gave back.
 */
static const char head[] = MANAGED_BY
	"# Gives the functions below, and no others, to their "
	"drivers before 80-drivers.rules loads\n"
	"# the module that their ids ask for. " EARLY_OFF_NAME "=" EARLY_OFF_VALUE
	" on the kernel command line\n"
	"# switches it off.\n"
	"ACTION!=\"add\", GOTO=\"passthroughd_end\"\n"
	"SUBSYSTEM!=\"bus|subsystem|pci\", GOTO=\"passthroughd_end\"\n"
	"IMPORT{cmdline}=\"" EARLY_OFF_NAME "\"\n"
	"ENV{" EARLY_OFF_NAME "}==\"" EARLY_OFF_VALUE "\", GOTO=\"passthroughd_end\"\n"
	"\n";

static const char buses[] = "# Coldplug sends the buses first: here all overrides are set before "
			    "any device's event, or\n"
			    "# another card's could load the driver that both share.\n"
			    "SUBSYSTEM!=\"bus|subsystem\", GOTO=\"passthroughd_devices\"\n"
			    "KERNEL!=\"pci\", GOTO=\"passthroughd_end\"\n";

static const char devices[] = "GOTO=\"passthroughd_end\"\n"
			      "\n"
			      "# Devices that come later, or again.\n"
			      "LABEL=\"passthroughd_devices\"\n";

static const char tail[] = "\n"
			   "LABEL=\"passthroughd_end\"\n";

static void add_match(struct strbuf *b, const char *device, const char *attribute, uint32_t value)
{
	if (value != PCI_ANY)
		strbuf_addf(b, "ATTR{%s%s}==\"0x%04x\", ", device, attribute, (unsigned)value);
}

/*
 * That it is the function meant. device says whose attributes, in the form of udev's keys: "" for
 * the event's own, "[pci/ADDRESS]".
 */
static void add_identity(struct strbuf *b, const struct early_device *early, const char *device)
{
	char addr[PCI_ADDR_TEXT_SIZE];

	add_match(b, device, "vendor", early->id.vendor);
	add_match(b, device, "device", early->id.device);
	add_match(b, device, "subsystem_vendor", early->id.subvendor);
	add_match(b, device, "subsystem_device", early->id.subdevice);
	/* udev runs it last of a rule's conditions, so only where the ids are right. */
	if (early->serial)
		strbuf_addf(b, "PROGRAM==\"" PATH_PCI_SERIAL " %s %s\", ",
			    pci_addr_format(early->addr, addr), early->serial);
}

/*
 * driver_override binds nothing by itself (fact 7.7). The module, when it is loaded by this event,
 * takes the device then (7.9) and stands in the queue before 80-drivers.rules' own; when it was
 * loaded earlier, only drivers_probe makes it look again. A bound device is left where it is by
 * both. Attributes are written at once, RUN waits for the end of the rules.
 */
static void add_rule(struct strbuf *b, const struct early_device *early, const char *device,
		     const char *bus)
{
	char addr[PCI_ADDR_TEXT_SIZE];

	add_identity(b, early, device);
	strbuf_addf(b, "ATTR{%sdriver_override}=\"%s\", ", device, early->driver);
	strbuf_addf(b, "ATTR{%sdrivers_probe}=\"%s\", ", bus, pci_addr_format(early->addr, addr));
	strbuf_addf(b, "RUN{builtin}+=\"kmod load %s\"\n", early->driver);
}

/*
 * Takes it from a driver that is built in and had it before udev. Only in an initramfs: at the
 * real root the device may be in use by then. Only where its own driver is there, or it would be
 * left with none (7.6); dracut loads that before udev starts (5.21). Where initramfs-tools' script
 * runs, it has done this already.
 */
static void add_rebind(struct strbuf *b, const struct early_device *early, const char *device)
{
	char addr[PCI_ADDR_TEXT_SIZE];

	pci_addr_format(early->addr, addr);
	strbuf_add(b, "TEST==\"/etc/initrd-release\", TEST!=\"" IN_INITTOP "\", ");
	strbuf_addf(b, "TEST==\"" PATH_PCI_DRIVERS "/%s\", ", early->driver);
	strbuf_addf(b, "ATTR{%sdriver}==\"?*\", ATTR{%sdriver}!=\"%s\", ", device, device,
		    early->driver);
	add_identity(b, early, device);
	strbuf_addf(b, "ATTR{%sdriver/unbind}=\"%s\", ATTR{drivers_probe}=\"%s\"\n", device, addr,
		    addr);
}

static void add_rules(struct strbuf *b, const struct early_wish *wish)
{
	char addr[PCI_ADDR_TEXT_SIZE], other[PCI_ADDR_TEXT_SIZE + sizeof("[pci/]")];

	strbuf_add(b, head);
	strbuf_add(b, buses);
	array_foreach(device, &wish->overrides) {
		snprintf(other, sizeof(other), "[pci/%s]", pci_addr_format(device->addr, addr));
		add_rule(b, device, other, "");
		if (device->rebind)
			add_rebind(b, device, other);
	}
	strbuf_add(b, devices);
	array_foreach(device, &wish->overrides) {
		strbuf_addf(b, "KERNEL==\"%s\", ", pci_addr_format(device->addr, addr));
		add_rule(b, device, "", "[subsystem/pci]");
	}
	strbuf_add(b, tail);
}

int udev_rules_render(struct arena *a, const struct early_wish *wish, const char **ret)
{
	_cleanup_strbuf_ struct strbuf b = {};

	if (!early_wish_safe(wish))
		return -EINVAL;
	if (wish->overrides.n)
		add_rules(&b, wish);
	return strbuf_to_arena(&b, a, ret);
}
