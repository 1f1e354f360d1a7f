/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys: every row once, and everything that is known of a key in its row. */
#include <string.h>

#include "check.h"
#include "schema.h"

/* The accessors of a map: the array is owner's member. */
#define ACCESS(name_, type_, owner_, field_)                                                       \
	static void *add_##name_(struct arena *a, void *field)                                     \
	{                                                                                          \
		owner_ *owner = (owner_ *)((char *)field - offsetof(owner_, field_));              \
		type_ *added = array_add(a, &owner->field_);                                       \
                                                                                                   \
		return added;                                                                      \
	}                                                                                          \
	static const void *at_##name_(const void *field, size_t i)                                 \
	{                                                                                          \
		const owner_ *owner =                                                              \
			(const owner_ *)((const char *)field - offsetof(owner_, field_));          \
		const type_ *at = owner->field_.at;                                                \
                                                                                                   \
		return i < owner->field_.n ? at + i : NULL;                                        \
	}                                                                                          \
	struct macro_needs_semicolon_

ACCESS(device, struct spec_device, struct document, spec.devices);
ACCESS(vm, struct spec_vm, struct document, spec.vms);
ACCESS(vm_device, struct spec_vm_device, struct spec_vm, devices);

#define NAME_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define NAME_PATTERN "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"

/* A name is part of item ids ("vm:101/gpu") and of commands' arguments. */
static const char *name_refused(const char *name)
{
	size_t n = strlen(name);

	if (n == 0)
		return "is empty";
	if (n > 64)
		return "is longer than 64 characters";
	if (!strchr(NAME_LETTERS, name[0]))
		return "does not begin with one of a-z, A-Z, 0-9";
	if (name[strspn(name, NAME_LETTERS "._-")])
		return "has characters other than a-z, A-Z, 0-9, . _ and -";
	return NULL;
}

/* --- devices ------------------------------------------------------------------------------- */

static const struct key device_keys[] = {
	KEY(struct spec_device, selector, id, "id",
	    .doc = "Selects by vendor and device id, and by the subsystem's ids if they are given.",
	    .example = "id: 10de:1b81"),
	KEY(struct spec_device, selector, address, "address",
	    .doc = "Selects the function at this address; the domain may be left out if it is 0.",
	    .example = "address: 01:00.0"),
	KEY(struct spec_device, selector, slot, "slot",
	    .doc = "Selects the functions of this slot: an address without its function.",
	    .example = "slot: 01:00"),
	KEY(struct spec_device, selector, class, "class",
	    .doc = "Selects by class: the first two, four or all six hex digits, or a word.",
	    .example = "class: vga"),
	KEY(struct spec_device, selector.serial, serial, "serial",
	    .doc = "Selects by the serial number of the device or of a disk behind it.",
	    .example = "serial: 2A8C-55F1"),
	KEY(struct spec_device, selector.mac, mac, "mac",
	    .doc = "Selects the network card with this MAC address.",
	    .example = "mac: 52:54:00:12:34:56"),
	KEY(struct spec_device, selector.label, label, "label",
	    .doc = "A glob for the firmware's name of the slot, the only selector that is one.",
	    .example = "label: \"PCIe Slot 3*\""),
	KEY(struct spec_device, selector.bound_to, driver, "bound-to",
	    .doc = "Selects by the driver that the device has now.", .example = "bound-to: e1000e"),
	KEY(struct spec_device, functions, functions, "functions", .fallback = "all",
	    .doc = "Which functions of the slot go along: all of them, or these.",
	    .example = "functions: [0, 1]"),
	KEY(struct spec_device, count, count, "count", .fallback = "1",
	    .doc = "How many devices the selectors must fit; more or fewer is an error, "
		   "never a guess.",
	    .example = "count: 2"),
	KEY(struct spec_device, driver, driver, "driver", .fallback = SPEC_DEFAULT_DRIVER,
	    .doc = "The driver that the device is to have.", .example = "driver: vfio-pci"),
	KEY(struct spec_device, method, method, "method", .fallback = "auto",
	    .doc = "How the device is bound at boot: by a driver override for its address, "
		   "by the ids option of vfio-pci, or as the plan finds best.",
	    .example = "method: override"),
	KEY(struct spec_device, accept, accept, "accept", .fallback_note = "[]",
	    .doc = "Consents to what would else be refused, by the code of the refusal; no other "
		   "code is ever accepted.",
	    .example = "accept: [boot-display]"),
};

static const struct section section_device = {
	.path = "devices.NAME",
	.object = "a device",
	.keys = device_keys,
	.n = ARRAY_LEN(device_keys),
	.complete = check_device,
};

static const struct map map_devices = {
	.names = "a device",
	.refused = name_refused,
	.pattern = NAME_PATTERN,
	.section = &section_device,
	.add = add_device,
	.at = at_device,
	.name = offsetof(struct spec_device, name),
	.place = offsetof(struct spec_device, place),
};

/* --- virtual machines --------------------------------------------------------------------------
 */

static const struct key vm_device_keys[] = {
	KEY(struct spec_vm_device, pcie, maybe, "pcie",
	    .fallback_note = "as the guest has it, or false",
	    .doc = "Shows the device to the guest as PCI Express, which needs machine q35.",
	    .example = "pcie: true"),
	KEY(struct spec_vm_device, primary_gpu, maybe, "primary-gpu",
	    .fallback_note = "as the guest has it, or false",
	    .doc = "Makes the device the guest's primary display.", .example = "primary-gpu: true"),
	KEY(struct spec_vm_device, rom_bar, maybe, "rom-bar",
	    .fallback_note = "as the guest has it, or true",
	    .doc = "Shows the device's firmware ROM to the guest.", .example = "rom-bar: false"),
	KEY(struct spec_vm_device, rom_file, rom_file, "rom-file",
	    .fallback_note = "as the guest has it, or none",
	    .doc = "A file that the guest sees in place of the device's ROM; on Proxmox VE a name "
		   "below /usr/share/kvm, with libvirt a whole path.",
	    .example = "rom-file: gtx1080.rom"),
	KEY(struct spec_vm_device, shown, id, "id",
	    .fallback_note = "as the guest has it, or its own",
	    .doc = "The ids that the guest sees; on Proxmox VE only.", .example = "id: 10de:1b81"),
	KEY(struct spec_vm_device, mapping, mapping, "mapping", .fallback_note = "by its address",
	    .doc = "Gives it by this resource mapping of the cluster's, which is kept in step with "
		   "the device; on Proxmox VE only.",
	    .example = "mapping: gpu"),
	KEY(struct spec_vm_device, index, index, "index", .fallback_note = "the first that is free",
	    .doc = "Which hostpci entry a new one becomes; on Proxmox VE only.",
	    .example = "index: 0"),
};

static const struct section section_vm_device = {
	.path = "vms.NAME.devices.NAME",
	.object = "a guest's device",
	.keys = vm_device_keys,
	.n = ARRAY_LEN(vm_device_keys),
};

static const struct map map_vm_devices = {
	.names = "a device",
	.refused = name_refused,
	.pattern = NAME_PATTERN,
	.section = &section_vm_device,
	.add = add_vm_device,
	.at = at_vm_device,
	.name = offsetof(struct spec_vm_device, device),
	.place = offsetof(struct spec_vm_device, place),
};

static const struct key vm_keys[] = {
	KEY(struct spec_vm, hypervisor, hypervisor, "hypervisor", .fallback = "present",
	    .doc = "Whose guest it is; present means the hypervisor that is there.",
	    .example = "hypervisor: proxmox"),
	KEY(struct spec_vm, machine, machine, "machine", .fallback_note = "as the guest has it",
	    .doc = "The type of machine that the guest is given.", .example = "machine: q35"),
	KEY_MAP(struct spec_vm, devices, map_vm_devices, "devices", .fallback_note = "{}",
		.doc = "The devices that the guest gets, by their names in devices:.",
		.example = "devices:\n  gpu: {pcie: true}"),
};

static const struct section section_vm = {
	.path = "vms.NAME",
	.object = "a guest",
	.keys = vm_keys,
	.n = ARRAY_LEN(vm_keys),
	.complete = check_vm,
};

static const struct map map_vms = {
	.names = "a guest",
	.refused = name_refused,
	.pattern = NAME_PATTERN,
	.section = &section_vm,
	.add = add_vm,
	.at = at_vm,
	.name = offsetof(struct spec_vm, name),
	.place = offsetof(struct spec_vm, place),
};

/* --- match -------------------------------------------------------------------------------------
 */

static const struct key dmi_keys[] = {
	KEY(struct document, match.dmi.vendor, glob, "vendor",
	    .doc = "A glob for the maker of the machine.", .example = "vendor: \"Dell*\""),
	KEY(struct document, match.dmi.product, glob, "product",
	    .doc = "A glob for the product's name.", .example = "product: PowerEdge R7?0"),
	KEY(struct document, match.dmi.board, glob, "board",
	    .doc = "A glob for the name of the main board.", .example = "board: X11SPL*"),
};

static const struct section section_dmi = {
	.path = "match.dmi",
	.object = "dmi",
	.keys = dmi_keys,
	.n = ARRAY_LEN(dmi_keys),
};

static const struct key match_keys[] = {
	KEY(struct document, match.hostname, glob, "hostname", .doc = "A glob for the host's name.",
	    .example = "hostname: pve[0-9]*"),
	KEY(struct document, match.machine_id, glob, "machine-id",
	    .doc = "A glob for the host's /etc/machine-id; in captures it is masked, and none "
		   "fits.",
	    .example = "machine-id: 3f2a9c0d*"),
	KEY(struct document, match.kernel, glob, "kernel",
	    .doc = "A glob for the release of the kernel that runs, as uname -r gives it.",
	    .example = "kernel: \"6.*-pve\""),
	KEY(struct document, match.cpu_vendor, vendor, "cpu-vendor", .doc = "Whose CPU it is.",
	    .example = "cpu-vendor: amd"),
	KEY_SECTION(section_dmi, "dmi", .doc = "What the firmware calls the machine.",
		    .example = "dmi: {vendor: \"Dell*\"}"),
	KEY(struct document, match.has_device, ids, "has-device",
	    .doc = "An id of a device that is present, or a list of ids that all are.",
	    .example = "has-device: 10de:1b81"),
};

static const struct section section_match = {
	.path = "match",
	.object = "match",
	.keys = match_keys,
	.n = ARRAY_LEN(match_keys),
};

/* --- the rest ------------------------------------------------------------------------------------
 */

static const struct key iommu_keys[] = {
	KEY(struct document, iommu_enable, maybe, "enable",
	    .fallback_note = "true once a device is listed",
	    .doc = "Whether the IOMMU is to be on, with the flag that this host needs for it.",
	    .example = "enable: true"),
	KEY(struct document, spec.iommu_mode, iommu_mode, "mode", .fallback = "pt",
	    .doc = "Whether the host's own devices bypass translation (pt) or are translated.",
	    .example = "mode: translated"),
	KEY(struct document, spec.unsafe_interrupts, boolean, "unsafe-interrupts",
	    .fallback = "false",
	    .doc = "Consents to passthrough without interrupt remapping, by which a guest can "
		   "harm the host.",
	    .example = "unsafe-interrupts: true"),
};

static const struct section section_iommu = {
	.path = "iommu",
	.object = "iommu",
	.keys = iommu_keys,
	.n = ARRAY_LEN(iommu_keys),
};

static const struct key reboot_keys[] = {
	KEY(struct document, spec.reboot_flag, boolean, "flag", .fallback = "true",
	    .doc = "Whether a reboot that is needed is flagged in /run/reboot-required.",
	    .example = "flag: false"),
};

static const struct section section_reboot = {
	.path = "reboot",
	.object = "reboot",
	.keys = reboot_keys,
	.n = ARRAY_LEN(reboot_keys),
};

static const struct key top_keys[] = {
	KEY_MAP(struct document, spec.devices, map_devices, "devices", .fallback_note = "{}",
		.doc = "The devices to hand to guests, each by a name of your own.",
		.example = "devices:\n  gpu:\n    id: 10de:1b81"),
	KEY_LIST(struct document, spec.blacklist, modules, "blacklist", .fallback_note = "[]",
		 .doc = "Kernel modules that are not to be loaded for the devices they know.",
		 .example = "blacklist: [nouveau, nvidia]"),
	KEY_LIST(struct document, spec.kernel_flags, flags, "kernel-flags", .fallback_note = "[]",
		 .doc = "Flags for the kernel's command line, besides those that devices need; "
			"what would "
			"stop the boot, like root=, is refused.",
		 .example = "kernel-flags: [pcie_aspm=off]"),
	KEY_LIST(struct document, spec.options, options, "module-options", .fallback_note = "{}",
		 .doc = "Parameters of kernel modules.",
		 .example = "module-options:\n  kvm: {ignore_msrs: 1}"),
	KEY_SECTION(section_iommu, "iommu", .doc = "The IOMMU, which keeps guests apart.",
		    .example = "iommu: {mode: pt}"),
	KEY_SECTION(section_reboot, "reboot", .doc = "What is done about a reboot that is needed.",
		    .example = "reboot: {flag: false}"),
	KEY(struct document, spec.mode, mode, "mode", .fallback = "enforce",
	    .doc = "Whether the host is changed, or only planned for and reported on.",
	    .example = "mode: observe"),
	KEY_MAP(struct document, spec.vms, map_vms, "vms", .fallback_note = "{}",
		.doc = "Guests, by number on Proxmox VE and by name with libvirt, and the devices "
		       "they get.",
		.example = "vms:\n  \"101\":\n    devices:\n      gpu: {pcie: true}"),
	KEY_SECTION(section_match, "match", .not_merged = true,
		    .doc = "The hosts on which this file counts: all that is given must hold.",
		    .example = "match: {hostname: pve*}"),
};

const struct section section_top = {
	.path = "",
	.object = "a spec",
	.keys = top_keys,
	.n = ARRAY_LEN(top_keys),
	.complete = check_document,
};
