/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What uses a device: storage, network, console, keyboards, and on request the processes that hold
 * it. */
#include "observe-parts.h"

#define USES_SHOWN 32 /* a disk with a thousand mounts is in use all the same */

struct host_device *device_at(struct observer *o, struct pci_addr addr)
{
	const struct host_device *found = host_device(o->host, addr);

	return found ? &o->host->devices.at[found - o->host->devices.at] : NULL;
}

void add_use(struct observer *o, struct pci_addr addr, enum use_kind kind, const char *what)
{
	struct host_device *d = device_at(o, addr);
	struct host_use use = {.kind = kind};
	unsigned same = 0;

	if (!d)
		return;
	array_foreach(it, &d->uses) {
		if (it->kind == kind && strcmp(it->what, what) == 0)
			return;
		same += it->kind == kind;
	}
	if (same >= USES_SHOWN)
		return;
	use.what = keep(o, what);
	kept(o, array_push(o->a, &d->uses, use) == 0);
}

/* The display that firmware started (7.35), and what the kernel's framebuffers lie on. */
static void observe_console(struct observer *o)
{
	struct words names = keep_list(o, "/sys/class/graphics");

	array_foreach(it, &o->host->devices)
		if (it->boot_vga)
			add_use(o, it->addr, USE_CONSOLE, "boot display (boot_vga)");
	array_foreach(it, &names) {
		const char *link = NULL;
		struct pci_addr addr;

		if (has_prefix(*it, "fb") && strcmp(*it, "fbcon") != 0)
			link = see_link(o, "/sys/class/graphics/%s", *it);
		if (link && path_function(link, &addr))
			add_use(o, addr, USE_CONSOLE, keep_printf(o, "framebuffer %s", *it));
	}
}

#define USB_DEVICES "/sys/bus/usb/devices"

/* Interfaces with the boot protocol of a keyboard, which is what firmware and initramfs talk to. */
static void observe_keyboards(struct observer *o)
{
	struct words names = see_list(o, USB_DEVICES);

	array_foreach(it, &names) {
		const char *colon = strchr(*it, ':'), *class, *protocol, *link, *product;
		struct pci_addr addr;

		class = colon ? see_line(o, USB_DEVICES "/%s/bInterfaceClass", *it) : NULL;
		if (!class || strcmp(class, "03") != 0)
			continue;
		protocol = see_line(o, USB_DEVICES "/%s/bInterfaceProtocol", *it);
		link = see_link(o, USB_DEVICES "/%s", *it);
		if (!protocol || strcmp(protocol, "01") != 0 || !link ||
		    !path_function(link, &addr))
			continue;
		product = see_line(o, USB_DEVICES "/%.*s/product", (int)(colon - *it), *it);
		add_use(o, addr, USE_KEYBOARD,
			product && *product ? product : "keyboard without a name");
	}
}

void observe_uses(struct observer *o)
{
	observe_storage_uses(o);
	observe_net_uses(o);
	observe_console(o);
	observe_keyboards(o);
	/* A capture has the processes that held something when it was made. */
	if (o->options->holders && (o->tree->live || o->tree->capture))
		observe_holders(o);
}
