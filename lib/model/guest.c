/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest.h"

#include <string.h>

const struct host_guest *guest_named(const struct host_guests *guests, enum hypervisor hypervisor,
				     const char *name)
{
	const struct host_guest *found = NULL;

	array_foreach(it, &guests->list)
		if (it->hypervisor == hypervisor && strcmp(it->name, name) == 0 &&
		    (!found || !it->node))
			found = it;
	return found;
}

bool guest_device_has(const struct guest_device *device, struct pci_addr addr)
{
	array_foreach(it, &device->functions)
		if (it->whole_slot ? pci_addr_same_slot(it->addr, addr)
				   : pci_addr_compare(it->addr, addr) == 0)
			return true;
	return false;
}

const struct guest_device *guest_gives(const struct host_guest *guest, struct pci_addr addr)
{
	array_foreach(it, &guest->next.devices)
		if (!it->mediated && guest_device_has(it, addr))
			return it;
	return NULL;
}

const struct guest_device *guest_device_at(const struct guest_config *config, const char *key)
{
	array_foreach(it, &config->devices)
		if (strcmp(it->key, key) == 0)
			return it;
	return NULL;
}

const char *guest_text_at(const struct guest_config *config, const char *key)
{
	const struct guest_device *device = guest_device_at(config, key);

	if (device)
		return device->text;
	return strcmp(key, GUEST_KEY_MACHINE) == 0 && config->machine ? config->machine : "";
}

const struct guest_mapping *guest_mapping_named(const struct host_guests *guests, const char *name)
{
	array_foreach(it, &guests->mappings)
		if (strcmp(it->name, name) == 0)
			return it;
	return NULL;
}
