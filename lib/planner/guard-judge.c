/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The blast radius: what the host loses with a device, through its card and its IOMMU group. */
#include <string.h>

#include "guard-part.h"
#include "kcmdline.h"

/* --- uses ------------------------------------------------------------------------------------ */

static const struct use_row {
	enum code code;
	const char *verb; /* between the device and what uses it */
} use_rows[_USE_KIND_MAX] = {
	[USE_ROOT] = {CODE_BOOT_DISK, "holds"},
	[USE_BOOT] = {CODE_BOOT_DISK, "holds"},
	[USE_ESP] = {CODE_BOOT_DISK, "holds"},
	[USE_SWAP] = {CODE_IN_USE, "holds"},
	[USE_MOUNT] = {CODE_IN_USE, "holds"},
	[USE_MEMBER] = {CODE_IN_USE, "holds"},
	[USE_DEFAULT_ROUTE] = {CODE_MANAGEMENT_NIC, "carries"},
	[USE_NET_UP] = {CODE_IN_USE, "carries"},
	[USE_SSH] = {CODE_MANAGEMENT_NIC, "carries"},
	[USE_KEYBOARD] = {CODE_LAST_KEYBOARD, "has"},
	[USE_CONSOLE] = {CODE_BOOT_DISPLAY, "has the"},
	[USE_OPEN] = {CODE_IN_USE, "is open as"},
};

const char *guard_use_verb(enum use_kind kind)
{
	return use_rows[kind].verb;
}

static bool has_use(const struct host_device *device, enum use_kind kind)
{
	array_foreach(it, &device->uses)
		if (it->kind == kind)
			return true;
	return false;
}

/* A link that is up on the way out is part of that way: one consent is enough. */
enum code guard_use_code(const struct host_device *device, enum use_kind kind)
{
	if (kind == USE_NET_UP && (has_use(device, USE_DEFAULT_ROUTE) || has_use(device, USE_SSH)))
		return CODE_MANAGEMENT_NIC;
	return use_rows[kind].code;
}

void guard_case_keyboard(struct guard_case *c, const struct plan *plan,
			 const struct host_device *device, const char *what)
{
	char addr[PCI_ADDR_TEXT_SIZE];

	array_foreach(it, &c->g->host->devices)
		if (it != device && has_use(it, USE_KEYBOARD) &&
		    (device->group < 0 || it->group != device->group) &&
		    !guard_taker(plan, it->addr) && !guard_takes(c->device, it->addr))
			return;
	guard_case_warn(c, CODE_LAST_KEYBOARD,
			"the host's console has no other keyboard: see that the host can be "
			"reached otherwise",
			"%s has %s", pci_addr_format(device->addr, addr), what);
}

static void judge_uses(struct guard_case *c, const struct plan *plan, const struct host_device *own)
{
	static const struct verdict dark = {
		.code = CODE_BOOT_DISPLAY,
		.severity = SEVERITY_NOTE,
		.message = "the firmware's display is on this device; the console left it when its "
			   "driver did",
	};
	bool taken = host_device_on(own, c->wish->driver),
	     along = guard_missed(c->g, c->wish, own) != 0;
	char addr[PCI_ADDR_TEXT_SIZE];

	pci_addr_format(own->addr, addr);
	array_foreach(it, &own->uses) {
		if (taken && it->kind == USE_OPEN)
			continue;
		if (taken && it->kind == USE_CONSOLE && c->error >= 0)
			c->error = guard_finding(c->g->arena, c->device, &dark, NULL);
		else if (it->kind == USE_KEYBOARD)
			guard_case_keyboard(c, plan, own, it->what);
		else
			guard_case_add(c, guard_use_code(own, it->kind), false, "%s%s %s %s", addr,
				       along ? ", which goes along with its card," : "",
				       guard_use_verb(it->kind), it->what);
	}
}

/* --- the IOMMU for this very function ----------------------------------------------------------
 */

static void uncovered(struct guard_case *c, enum code code, enum severity severity,
		      const char *message, const char *evidence)
{
	struct verdict finding = {.code = code, .severity = severity, .message = message};

	if (c->error >= 0)
		c->error = guard_finding(c->g->arena, c->device, &finding, evidence);
}

/* An active IOMMU may leave a function out: integrated graphics, by default or by flag (7.28). */
static void judge_cover(struct guard_case *c, const struct host_device *own)
{
	const struct guard *g = c->g;
	char addr[PCI_ADDR_TEXT_SIZE];
	const char *evidence;

	if (own->group >= 0 || !g->host->iommu.active || c->error < 0)
		return;
	evidence = arena_printf(g->arena, "%s is in no IOMMU group",
				pci_addr_format(own->addr, addr));
	c->error = evidence ? 0 : -ENOMEM;
	if (c->error < 0)
		return;
	if (pci_class_is_display(own->class) &&
	    (kcmdline_satisfies(&g->running, "intel_iommu=igfx_off") ||
	     kcmdline_satisfies(&g->running, "intel_iommu=intgpu_off")))
		uncovered(c, CODE_IOMMU_OFF, SEVERITY_ERROR,
			  "the kernel has the IOMMU off for this display: take igfx_off or "
			  "intgpu_off away",
			  evidence);
	else if (g->host->iommu.dmar && !kcmdline_satisfies(&g->running, "intel_iommu=on") &&
		 (!g->spec || g->spec->iommu_enable))
		uncovered(c, CODE_IOMMU_OFF, SEVERITY_NOTE,
			  "the IOMMU leaves it out until the next boot, which has intel_iommu=on",
			  evidence);
	else
		uncovered(c, CODE_IOMMU_ABSENT, SEVERITY_ERROR, "no IOMMU covers this device",
			  evidence);
}

/* --- reset, reserved memory, virtual functions -------------------------------------------------
 */

static bool own_reset(const struct host_device *device)
{
	if (device->reset_methods)
		return device->reset_methods[strspn(device->reset_methods, " \n")] != '\0';
	return device->has_reset;
}

/* Whether resetting the bus reaches nothing but functions that go along. */
static bool bus_reset(const struct guard_case *c, const struct host_device *own)
{
	const struct host *host = c->g->host;
	const struct host_device *it = own, *end = host->devices.at + host->devices.n;

	if (!own->has_parent)
		return false;
	while (it > host->devices.at && it[-1].addr.domain == own->addr.domain &&
	       it[-1].addr.bus == own->addr.bus)
		it--;
	for (; it < end && it->addr.domain == own->addr.domain && it->addr.bus == own->addr.bus;
	     it++)
		if (!guard_takes(c->device, it->addr))
			return false;
	return true;
}

static void judge_function(struct guard_case *c, const struct host_device *own)
{
	char addr[PCI_ADDR_TEXT_SIZE];

	pci_addr_format(own->addr, addr);
	if (own->bridge)
		guard_case_add(c, CODE_BRIDGE_DEVICE, false, "%s is a bridge", addr);
	if (!own_reset(own) && !bus_reset(c, own) && c->g->resets_known)
		guard_case_add(
			c, CODE_NO_RESET, false,
			own->has_parent
				? "%s has no reset method, and a reset of its bus would reach "
				  "devices that stay"
				: "%s has no reset method and no bus of its own",
			addr);
	if (own->reserved_region)
		guard_case_add(c, CODE_RESERVED_REGION, false,
			       "group %d of %s has a region of type direct", own->group, addr);
}

/*
 * vfio-pci does not take a function whose virtual ones are on (7.12); where they are on under it,
 * it was told to (enable_sriov, 7.2). Whoever has the function rules over them all the same.
 */
static void judge_virtual(struct guard_case *c, const struct plan *plan,
			  const struct host_device *own)
{
	char addr[PCI_ADDR_TEXT_SIZE];

	if (own->vfs == 0)
		return;
	if (!host_device_on(own, c->wish->driver))
		guard_case_add(c, CODE_VIRTUAL_FUNCTIONS_ACTIVE, false,
			       "%s has %u virtual function%s switched on",
			       pci_addr_format(own->addr, addr), own->vfs,
			       own->vfs == 1 ? "" : "s");
	array_foreach(it, &c->g->host->devices) {
		const struct plan_device *taker;

		if (!it->is_vf || pci_addr_compare(it->physfn, own->addr) != 0)
			continue;
		pci_addr_format(it->addr, addr);
		if (it->uses.n)
			guard_case_add(c, CODE_VIRTUAL_FUNCTIONS_ACTIVE, false,
				       "%s is one of them and %s %s", addr,
				       guard_use_verb(it->uses.at[0].kind), it->uses.at[0].what);
		taker = guard_taker(plan, it->addr);
		if (taker)
			guard_case_add(c, CODE_VIRTUAL_FUNCTIONS_ACTIVE, false,
				       "%s is one of them and goes along as %s", addr, taker->name);
	}
}

/* The host's own verdicts; that a consent was needless is said once, not for each device. */
static int copy_support(const struct guard *g, struct plan_device *device)
{
	array_foreach(it, &g->support.verdicts) {
		struct verdict copy = *it;
		int r = 0;

		if (it->code == CODE_NOT_NEEDED)
			continue;
		copy.evidence = (struct words){0};
		r = guard_finding(g->arena, device, &copy, NULL);
		array_foreach(line, &it->evidence)
			r = r < 0 ? r : guard_evidence(g->arena, device, it->code, "%s", *line);
		if (r < 0)
			return r;
	}
	return 0;
}

int guard_judge(const struct guard *g, const struct spec_device *wish, const struct plan *plan,
		struct plan_device *device)
{
	struct guard_case c = {.g = g, .wish = wish, .device = device};

	if (device->addrs.n == 0)
		return 0;
	c.error = copy_support(g, device);
	array_foreach(addr, &device->addrs) {
		const struct host_device *own = host_device(g->host, *addr);

		if (!own)
			continue;
		judge_function(&c, own);
		judge_cover(&c, own);
		judge_uses(&c, plan, own);
		judge_virtual(&c, plan, own);
	}
	array_foreach(addr, &device->addrs) {
		const struct host_device *own = host_device(g->host, *addr);

		if (own)
			guard_case_group(&c, plan, own);
	}
	return c.error;
}
