/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a change may alter what was observed: for those who would rather wait than look again. */
#include "observe-parts.h"
#include "observe.h"
#include "paths.h"

/* A write to an attribute of sysfs is news like a write to any other file. */
static void watch_running(const struct host *host, struct strbuf *out)
{
	array_foreach(module, &host->modules)
		array_foreach(param, &module->params)
			if (param->writable)
				strbuf_addf(out, "file " PATH_MODULES "/%s/parameters/%s\n",
					    module->name, param->name);
	array_foreach(it, &host->devices) {
		char text[PCI_ADDR_TEXT_SIZE];

		if (it->override)
			strbuf_addf(out, "file " PATH_PCI_DEVICES "/%s/driver_override\n",
				    pci_addr_format(it->addr, text));
	}
}

/* What other nodes do in the cluster's files is not told to this one. */
static void watch_guests(const struct host_guests *guests, struct strbuf *out)
{
	if (guests->present[HYPERVISOR_LIBVIRT])
		strbuf_add(out, "any " PATH_LIBVIRT_DOMAINS "\nany " PATH_LIBVIRT_DOMAINS
				"/autostart\nany " PATH_LIBVIRT_RUN "\n");
	if (!guests->present[HYPERVISOR_PROXMOX])
		return;
	if (guests->node)
		strbuf_addf(out, "any " PATH_PVE_NODES "/%s/qemu-server\n", guests->node);
	strbuf_add(out, "file " PATH_PVE_MAPPINGS "\nany " PATH_QEMU_RUN "\n");
}

int host_watches(const struct host *host, struct strbuf *out)
{
	strbuf_add(out, "spec " PATH_SPEC_ETC "\nspec " PATH_SPEC_RUN "\nspec " PATH_SPEC_USR "\n");
	if (!host)
		return out->error;
	watch_files(out);
	strbuf_add(out, "any /boot\nany /lib/modules\n");
	watch_boot(&host->boot, out);
	watch_running(host, out);
	watch_guests(&host->guests, out);
	return out->error;
}
