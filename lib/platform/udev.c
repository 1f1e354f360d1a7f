/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "udev.h"

#include "early.h"

/*
 * Only "add": that is what coldplug sends, in the initramfs and again at the real root. On "bind" a
 * device was just given to a driver by somebody; an override written then would undo at its next
 * unbind what an administrator, or we ourselves, gave back.
 */
static const char head[] = MANAGED_BY "# Gives the functions below, and no others, to their "
				      "drivers before 80-drivers.rules loads\n"
				      "# the module that their ids ask for. " EARLY_OFF_NAME
				      "=" EARLY_OFF_VALUE " on the kernel command line\n"
				      "# switches it off.\n"
				      "ACTION!=\"add\", GOTO=\"passthroughd_end\"\n"
				      "SUBSYSTEM!=\"pci\", GOTO=\"passthroughd_end\"\n"
				      "IMPORT{cmdline}=\"" EARLY_OFF_NAME "\"\n"
				      "ENV{" EARLY_OFF_NAME "}==\"" EARLY_OFF_VALUE
				      "\", GOTO=\"passthroughd_end\"\n";

static const char tail[] = "LABEL=\"passthroughd_end\"\n";

static void add_match(struct strbuf *b, const char *attribute, uint32_t value)
{
	if (value != PCI_ANY)
		strbuf_addf(b, "ATTR{%s}==\"0x%04x\", ", attribute, (unsigned)value);
}

/*
 * driver_override binds nothing by itself (fact 7.7). The module, when it is loaded by this event,
 * takes the device then (7.9) and stands in the queue before 80-drivers.rules' own; when it was
 * loaded earlier, only drivers_probe makes it look again. A bound device is left where it is by
 * both. Attributes are written at once, RUN waits for the end of the rules.
 */
static void add_rule(struct strbuf *b, const struct early_device *device)
{
	char addr[PCI_ADDR_TEXT_SIZE];

	strbuf_addf(b, "KERNEL==\"%s\", ", pci_addr_format(device->addr, addr));
	add_match(b, "vendor", device->id.vendor);
	add_match(b, "device", device->id.device);
	add_match(b, "subsystem_vendor", device->id.subvendor);
	add_match(b, "subsystem_device", device->id.subdevice);
	strbuf_addf(b, "ATTR{driver_override}=\"%s\", ", device->driver);
	strbuf_add(b, "ATTR{[subsystem/pci]drivers_probe}=\"$kernel\", ");
	strbuf_addf(b, "RUN{builtin}+=\"kmod load %s\"\n", device->driver);
}

int udev_rules_render(struct arena *a, const struct early_wish *wish, const char **ret)
{
	_cleanup_strbuf_ struct strbuf b = {};

	if (!early_wish_safe(wish))
		return -EINVAL;
	if (wish->overrides.n) {
		strbuf_add(&b, head);
		array_foreach(device, &wish->overrides)
			add_rule(&b, device);
		strbuf_add(&b, tail);
	}
	return strbuf_to_arena(&b, a, ret);
}
