/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "spec.h"

#include "names.h"

static const char *const methods[_METHOD_MAX] = {
	[METHOD_AUTO] = "auto",
	[METHOD_OVERRIDE] = "override",
	[METHOD_IDS] = "ids",
};
DEFINE_NAMES_BOTH(bind_method, enum bind_method, methods);

static const char *const iommu_modes[_IOMMU_MODE_MAX] = {
	[IOMMU_PT] = "pt",
	[IOMMU_TRANSLATED] = "translated",
};
DEFINE_NAMES_BOTH(iommu_mode, enum iommu_mode, iommu_modes);

static const char *const spec_modes[_SPEC_MODE_MAX] = {
	[MODE_ENFORCE] = "enforce",
	[MODE_OBSERVE] = "observe",
};
DEFINE_NAMES_BOTH(spec_mode, enum spec_mode, spec_modes);

static const char *const cpu_vendors[_CPU_VENDOR_MAX] = {
	[CPU_OTHER] = "other",
	[CPU_INTEL] = "intel",
	[CPU_AMD] = "amd",
};
DEFINE_NAMES_BOTH(cpu_vendor, enum cpu_vendor, cpu_vendors);

static const char *const hypervisors[_HYPERVISOR_MAX] = {
	[HYPERVISOR_PRESENT_ONE] = "present",
	[HYPERVISOR_PROXMOX] = "proxmox",
	[HYPERVISOR_LIBVIRT] = "libvirt",
};
DEFINE_NAMES_BOTH(hypervisor, enum hypervisor, hypervisors);

const char *spec_proxmox_key(const struct spec_vm_device *device, unsigned n)
{
	const struct {
		const char *name;
		bool given;
	} keys[] = {
		{"primary-gpu", device->primary_gpu.given && device->primary_gpu.value},
		{"id", device->shown.has_id},
		{"mapping", device->mapping != NULL},
		{"index", device->index.given},
	};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (keys[i].given && !n--)
			return keys[i].name;
	return NULL;
}

struct spec *spec_new(void)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct spec *spec = a ? arena_new_of(a, struct spec) : NULL;

	if (!spec)
		return NULL;
	spec->reboot_flag = true;
	spec->canonical = "";
	spec->arena = TAKE(a);
	return spec;
}

struct spec *spec_free(struct spec *spec)
{
	if (spec)
		arena_free(spec->arena);
	return NULL;
}
