/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SPEC: what the administrator wants, checked and merged (design section 3, 9). Immutable once
 * built; lib/config builds it. Defaults are filled in. Pure.
 */
#pragma once

#include "diag.h"
#include "pci.h"

#define SPEC_DEFAULT_DRIVER "vfio-pci"

enum bind_method {
	METHOD_AUTO,
	METHOD_OVERRIDE,
	METHOD_IDS,
	_METHOD_MAX,
	_METHOD_INVALID = -EINVAL,
};
const char *bind_method_name(enum bind_method method);
enum bind_method bind_method_from_name(const char *name);

enum iommu_mode { IOMMU_PT, IOMMU_TRANSLATED, _IOMMU_MODE_MAX, _IOMMU_MODE_INVALID = -EINVAL };
const char *iommu_mode_name(enum iommu_mode mode);
enum iommu_mode iommu_mode_from_name(const char *name);

enum spec_mode { MODE_ENFORCE, MODE_OBSERVE, _SPEC_MODE_MAX, _SPEC_MODE_INVALID = -EINVAL };
const char *spec_mode_name(enum spec_mode mode);
enum spec_mode spec_mode_from_name(const char *name);

enum cpu_vendor {
	CPU_OTHER,
	CPU_INTEL,
	CPU_AMD,
	_CPU_VENDOR_MAX,
	_CPU_VENDOR_INVALID = -EINVAL,
};
const char *cpu_vendor_name(enum cpu_vendor vendor);
enum cpu_vendor cpu_vendor_from_name(const char *name);

enum hypervisor {
	HYPERVISOR_PRESENT_ONE, /* default: the one that is there */
	HYPERVISOR_PROXMOX,
	HYPERVISOR_LIBVIRT,
	_HYPERVISOR_MAX,
	_HYPERVISOR_INVALID = -EINVAL,
};
const char *hypervisor_name(enum hypervisor hypervisor);
enum hypervisor hypervisor_from_name(const char *name);

struct maybe { /* a boolean whose default depends on the rest */
	bool given, value;
};

struct maybe_index {
	bool given;
	unsigned value;
};

/* All selectors that are given must hold; none given selects nothing. */
struct selector {
	bool has_id, has_address, has_class, has_slot;
	struct pci_id id;
	struct pci_addr address, slot;
	uint32_t class, class_mask;
	const char *serial; /* as captured: a digest or the serial itself; NULL: not given */
	const char *mac;    /* lower case, colons */
	const char *label;  /* glob for the firmware's name of the slot; NULL: not given */
	const char *bound_to;
};

struct spec_device {
	const char *name;
	struct selector selector;
	uint8_t functions; /* bit n: function n of the slot goes along; 0xff is all */
	unsigned count;
	const char *driver; /* the target, sysfs spelling: vfio-pci */
	enum bind_method method;
	uint64_t accept; /* bit of enum code */
	struct place place;
};

struct spec_word { /* blacklist entry (underscores) or kernel flag (as wished) */
	const char *text;
	struct place place;
};

struct spec_option {
	const char *module; /* underscores */
	const char *param;  /* underscores */
	const char *value;
	struct place place;
};

struct spec_vm_device {
	const char *device; /* a name of devices */
	/* Not given: what the guest has stays, and new entries have the default. */
	struct maybe pcie, primary_gpu, rom_bar;
	const char *rom_file; /* NULL: not given */
	const char
		*mapping; /* of the cluster's, by which the guest is given it; NULL: by address */
	struct selector shown;	  /* its id alone: what the guest sees */
	struct maybe_index index; /* of hostpciN */
	struct place place;
};

/* The n-th of the keys given here that Proxmox VE alone has a word for; NULL past the last. */
const char *spec_proxmox_key(const struct spec_vm_device *device, unsigned n);

struct spec_vm {
	const char *name;
	enum hypervisor hypervisor;
	const char *machine; /* NULL: leave */
	ARRAY_OF(struct spec_vm_device) devices;
	struct place place;
};

struct spec {
	struct arena *arena;
	ARRAY_OF(struct spec_device) devices; /* sorted by name, as the other lists are by text */
	ARRAY_OF(struct spec_word) blacklist;
	ARRAY_OF(struct spec_word) kernel_flags; /* in wished order */
	ARRAY_OF(struct spec_option) options;
	ARRAY_OF(struct spec_vm) vms;
	bool iommu_enable; /* default already resolved: true once a device is listed */
	enum iommu_mode iommu_mode;
	bool unsafe_interrupts;
	bool reboot_flag;
	enum spec_mode mode;
	struct words files;    /* that counted, in merge order */
	const char *canonical; /* one text for equal meaning: what plan_id digests */
};

/* A wish for nothing, e.g. when no file exists. NULL: out of memory. */
struct spec *spec_new(void);
struct spec *spec_free(struct spec *spec);
DEFINE_CLEANUP(struct spec *, spec_free);
#define _cleanup_spec_ _cleanup_(spec_freep)
