/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "check.h"

#include <string.h>

#include "near.h"

int check_device(struct reader *r, struct node *node, void *object)
{
	const struct spec_device *device = object;
	const struct selector *s = &device->selector;

	if (r->unjudged)
		return 0;
	if (!s->has_id && !s->has_address && !s->has_class && !s->has_slot && !s->serial &&
	    !s->mac && !s->label && !s->bound_to)
		return reader_refuse(r, node->key, CODE_BAD_VALUE,
				     "device \"%s\" selects nothing; give it id, address, slot, "
				     "class, serial, mac, label or bound-to",
				     device->name);
	if (s->has_address && device->count > 1)
		return reader_refuse(r, node->key, CODE_BAD_VALUE,
				     "device \"%s\" has one address and count %u; one address is "
				     "one device",
				     device->name, device->count);
	return 0;
}

static int refuse_device(struct reader *r, struct entry *entry, const struct node *devices)
{
	struct near near = {.word = entry->name};
	char phrase[NEAR_SIZE];

	if (devices && source_listens(entry->key->source))
		array_foreach(it, &devices->entries)
			near_offer(&near, it->name);
	return reader_refuse(r, entry->key, CODE_BAD_VALUE,
			     "no device \"%.64s\" is listed in devices%s", entry->name,
			     near_phrase(&near, phrase));
}

static int by_name(const void *key, const void *at)
{
	const struct entry *entry = at;

	return strcmp(key, entry->name);
}

/* libvirt gives a device by its address, as it is, and puts it where it likes. */
static int check_libvirt(struct reader *r, const struct entry *entry,
			 const struct spec_vm_device *device)
{
	const char *name;
	int err = 0;

	for (unsigned n = 0; (name = spec_proxmox_key(device, n)); n++) {
		const struct node *value = tree_get(entry->value, name);

		if (value)
			err = reader_refuse(r, value->key, CODE_BAD_VALUE,
					    "libvirt has no \"%s\"; it is Proxmox VE's alone",
					    name);
	}
	return err;
}

static int check_index(struct reader *r, const struct entry *entry, const struct spec_vm *vm,
		       const struct spec_vm_device *device)
{
	const struct node *value = tree_get(entry->value, "index");

	array_foreach(it, &vm->devices)
		if (it < device && it->index.given && device->index.given && value &&
		    it->index.value == device->index.value)
			return reader_refuse(r, value->key, CODE_BAD_VALUE,
					     "\"%.64s\" has index %u already; one entry holds one "
					     "device",
					     it->device, it->index.value);
	return 0;
}

/* What can be said of the devices without a look at the host. */
static int check_entries(struct reader *r, const struct node *wished, const struct spec_vm *vm)
{
	int err = 0;

	for (size_t i = 0; wished && i < wished->entries.n; i++) {
		const struct entry *entry = &wished->entries.at[i];

		array_foreach(it, &vm->devices) {
			int found = 0;

			if (strcmp(it->device, entry->name) != 0)
				continue;
			if (vm->hypervisor == HYPERVISOR_LIBVIRT)
				found = check_libvirt(r, entry, it);
			if (found == 0)
				found = check_index(r, entry, vm, it);
			err = found < 0 ? found : err;
		}
	}
	return err;
}

int check_vm(struct reader *r, struct node *node, void *object)
{
	const struct spec_vm *vm = object;
	const struct node *devices = tree_get(r->merged, "devices");
	struct node *wished = tree_get(node, "devices");
	int err = 0;

	if (r->unjudged)
		return 0;
	/* Merging has sorted the names. */
	for (size_t i = 0; wished && i < wished->entries.n; i++) {
		struct entry *entry = &wished->entries.at[i];

		if (!devices || !devices->entries.n ||
		    !bsearch(entry->name, devices->entries.at, devices->entries.n,
			     sizeof(struct entry), by_name))
			err = refuse_device(r, entry, devices);
	}
	if (vm->hypervisor == HYPERVISOR_PROXMOX && vm->name[strspn(vm->name, "0123456789")])
		err = reader_refuse(r, node->key, CODE_BAD_VALUE,
				    "Proxmox VE knows its guests by number, not as \"%s\"",
				    vm->name);
	return err < 0 ? err : check_entries(r, wished, vm);
}

int check_document(struct reader *r _unused_, struct node *node _unused_, void *object)
{
	struct document *doc = object;

	if (!doc->iommu_enable.given)
		doc->iommu_enable.value = doc->spec.devices.n > 0;
	doc->iommu_enable.given = true;
	doc->spec.iommu_enable = doc->iommu_enable.value;
	return 0;
}
