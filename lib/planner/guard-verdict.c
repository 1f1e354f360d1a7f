/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verdicts and their evidence; the words of each refusal. */
#include "guard-part.h"

bool plan_device_refused(const struct plan_device *device)
{
	array_foreach(it, &device->verdicts)
		if (it->severity == SEVERITY_ERROR)
			return true;
	return false;
}

struct verdict *guard_verdict(struct plan_device *device, enum code code)
{
	array_foreach(it, &device->verdicts)
		if (it->code == code)
			return it;
	return NULL;
}

/* Repeats are dropped, and past what one can read there is one line for all the rest. */
static int add_evidence(struct arena *a, struct verdict *verdict, const char *evidence)
{
	int r = words_add(a, &verdict->evidence,
			  verdict->evidence.n < GUARD_EVIDENCE_MAX ? evidence : "and others");

	return r < 0 ? r : 0;
}

int guard_finding(struct arena *a, struct plan_device *device, const struct verdict *finding,
		  const char *evidence)
{
	struct verdict *verdict = guard_verdict(device, finding->code);

	if (!verdict) {
		verdict = array_add(a, &device->verdicts);
		if (!verdict)
			return -ENOMEM;
		*verdict = *finding;
	} else if (finding->severity > verdict->severity) {
		verdict->severity = finding->severity;
		verdict->message = finding->message;
		verdict->accepted = finding->accepted;
	}
	return evidence ? add_evidence(a, verdict, evidence) : 0;
}

int guard_refuse(struct arena *a, struct plan_device *device, enum code code, const char *fmt, ...)
{
	struct verdict finding = {.code = code, .severity = SEVERITY_ERROR};
	va_list ap;

	va_start(ap, fmt);
	finding.message = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return finding.message ? guard_finding(a, device, &finding, NULL) : -ENOMEM;
}

int guard_evidence(struct arena *a, struct plan_device *device, enum code code, const char *fmt,
		   ...)
{
	struct verdict *verdict = guard_verdict(device, code);
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	text = arena_vprintf(a, fmt, ap);
	va_end(ap);
	if (!text)
		return -ENOMEM;
	return verdict ? add_evidence(a, verdict, text) : 0;
}

const char *guard_describe(struct arena *a, const struct host_device *device)
{
	char addr[PCI_ADDR_TEXT_SIZE], id[PCI_ID_TEXT_SIZE];

	return arena_printf(a, "%s %s (%s, %s%s)", pci_addr_format(device->addr, addr),
			    pci_id_format(&device->id, id), pci_class_word(device->class),
			    device->driver ? "driver " : "no driver",
			    device->driver ? device->driver : "");
}

/* What is said of each finding: on the function itself, or on a member of its group. */
static const struct words_row {
	enum code code;
	const char *own, *own_remedy;
	const char *through, *through_remedy;
} words_rows[] = {
	{CODE_BOOT_DISK, "the host's own system is on this device", "it stays with the host",
	 "the host's own system is on a device of its IOMMU group",
	 "put one of the two into another slot"},
	{CODE_MANAGEMENT_NIC, "the host is reached through this device",
	 "accept: [management-nic] once there is another way in",
	 "the host is reached through a device of its IOMMU group",
	 "put one of the two into another slot, or accept: [management-nic]"},
	{CODE_BOOT_DISPLAY, "the host's console is on this device and will go dark",
	 "accept: [boot-display] if the host can be reached otherwise",
	 "the host's console is on a device of its IOMMU group",
	 "put one of the two into another slot, or accept: [boot-display]"},
	{CODE_IN_USE, "the host uses this device", "stop what uses it, or accept: [in-use]",
	 "the host uses a device of its IOMMU group",
	 "stop what uses it, put one of the two into another slot, or accept: [in-use]"},
	{CODE_SHARED_GROUP, "its IOMMU group has members that would stay with the host",
	 "name them too, try another slot, or accept: [shared-group]",
	 "its IOMMU group has members that would stay with the host",
	 "name them too, try another slot, or accept: [shared-group]"},
	{CODE_GROUP_GREW, NULL, NULL,
	 "its IOMMU group has members that were not there when it was chosen",
	 "name them too, try another slot, or consent anew: change its selectors, or leave "
	 "shared-group out of accept for one apply"},
	{CODE_NO_RESET, "it cannot be reset between two guests",
	 "a guest may need a reboot of the host to start again; accept: [no-reset] if that will do",
	 NULL, NULL},
	{CODE_RESERVED_REGION, "the firmware keeps a memory region of its own for it (RMRR)",
	 "the kernel refuses to assign it; a firmware setting or update may free it", NULL, NULL},
	{CODE_VIRTUAL_FUNCTIONS_ACTIVE, "its virtual functions are switched on and would vanish",
	 "name those instead, or write 0 to its sriov_numvfs first", NULL, NULL},
	{CODE_BRIDGE_DEVICE, "a bridge cannot be handed over", "name the device behind it", NULL,
	 NULL},
};

static const char *say(const struct guard_case *c, enum code code, bool through, bool accepted)
{
	for (size_t i = 0; i < ARRAY_LEN(words_rows); i++) {
		const struct words_row *row = &words_rows[i];
		const char *fact = through ? row->through : row->own;
		const char *remedy = through ? row->through_remedy : row->own_remedy;

		if (row->code == code)
			return arena_printf(c->g->arena, "%s%s%s", fact, accepted ? ", " : "; ",
					    accepted ? "which is accepted" : remedy);
	}
	return NULL;
}

void guard_case_add(struct guard_case *c, enum code code, bool through, const char *fmt, ...)
{
	bool accepted = code_acceptable(code) && (c->wish->accept >> code & 1);
	struct verdict finding = {
		.code = code,
		.severity = accepted ? SEVERITY_WARNING : SEVERITY_ERROR,
		.accepted = accepted,
	};
	const char *evidence;
	va_list ap;

	if (c->error < 0)
		return;
	va_start(ap, fmt);
	evidence = arena_vprintf(c->g->arena, fmt, ap);
	va_end(ap);
	finding.message = say(c, code, through, accepted);
	if (!evidence || !finding.message)
		c->error = -ENOMEM;
	else
		c->error = guard_finding(c->g->arena, c->device, &finding, evidence);
}

void guard_case_warn(struct guard_case *c, enum code code, const char *message, const char *fmt,
		     ...)
{
	const struct verdict finding = {
		.code = code, .severity = SEVERITY_WARNING, .message = message};
	const char *evidence;
	va_list ap;

	if (c->error < 0)
		return;
	va_start(ap, fmt);
	evidence = arena_vprintf(c->g->arena, fmt, ap);
	va_end(ap);
	c->error = evidence ? guard_finding(c->g->arena, c->device, &finding, evidence) : -ENOMEM;
}
