/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the CPU, the firmware and the kernel give to passthrough, told apart: "there is none", "the
 * firmware has it off", "the kernel has it off" (facts 7.22 to 7.32).
 */
#include <string.h>

#include "guard-part.h"
#include "kcmdline.h"

struct support {
	const struct guard *g;
	struct plan_device *out;
	bool intel; /* VT-d, not AMD-Vi */
	int error;  /* sticks */
};

/* Text in the arena; NULL when memory ran out, which sticks. */
static const char *text(struct support *s, const char *fmt, ...) _printf_(2, 3);
static const char *text(struct support *s, const char *fmt, ...)
{
	const char *made;
	va_list ap;

	va_start(ap, fmt);
	made = arena_vprintf(s->g->arena, fmt, ap);
	va_end(ap);
	if (!made)
		s->error = -ENOMEM;
	return made;
}

/* Adds a verdict. evidence may be NULL. */
static void say(struct support *s, enum code code, enum severity severity, const char *message,
		const char *evidence)
{
	struct verdict finding = {.code = code, .severity = severity, .message = message};

	if (s->error >= 0)
		s->error = message ? guard_finding(s->g->arena, s->out, &finding, evidence)
				   : -ENOMEM;
}

/* --- CPU ------------------------------------------------------------------------------------- */

static const struct cpu_row {
	const char *flag, *technique;
	const char *number; /* of the flag, as clearcpuid= also takes it */
	const char *absent; /* what a missing flag means where nothing more is known (7.32) */
} cpu_rows[_CPU_VENDOR_MAX] = {
	[CPU_OTHER] = {"vmx nor svm", "virtualization", NULL, "this CPU has no virtualization"},
	[CPU_INTEL] = {"vmx", "VT-x", "133",
		       "this CPU has no VT-x, or the firmware has it off, which hides it too: look "
		       "for it in the firmware's setup"},
	[CPU_AMD] = {"svm", "AMD-V", "194", "this CPU has no AMD-V"},
};

static const char *kernel_hides(const struct support *s, const struct cpu_row *row)
{
	array_foreach(it, &s->g->running.params) {
		if (it->for_init || !it->value || strcmp(it->name, "clearcpuid") != 0)
			continue;
		for (const char *at = it->value; *at; at += strspn(at, ",")) {
			size_t n = strcspn(at, ",");

			if ((strlen(row->flag) == n && strncmp(at, row->flag, n) == 0) ||
			    (row->number && strlen(row->number) == n &&
			     strncmp(at, row->number, n) == 0))
				return it->raw;
			at += n;
		}
	}
	return NULL;
}

static void judge_cpu(struct support *s)
{
	const struct host_cpu *cpu = &s->g->host->cpu;
	const struct cpu_row *row = &cpu_rows[cpu->vendor];
	const char *hidden = kernel_hides(s, row);
	const char *seen;

	if (cpu->virt_locked == YES) {
		say(s, CODE_VIRTUALIZATION_OFF, SEVERITY_ERROR,
		    text(s, "the firmware has %s off: switch it on in the firmware's setup",
			 row->technique),
		    cpu->virt_evidence);
		return;
	}
	/* Without a model the CPU was not seen at all, and nothing is said about it. */
	if (cpu->virt || (cpu->vendor == CPU_OTHER && !*cpu->model))
		return;
	seen = text(s, "%s: the flags in /proc/cpuinfo lack %s", *cpu->model ? cpu->model : "CPU",
		    row->flag);
	if (hidden)
		say(s, CODE_VIRTUALIZATION_OFF, SEVERITY_ERROR,
		    text(s, "the kernel was told to hide %s: take the flag away", row->technique),
		    text(s, "%s on the running kernel's line", hidden));
	else if (cpu->virt_locked == NO)
		say(s, CODE_VIRTUALIZATION_OFF, SEVERITY_ERROR,
		    text(s, "this CPU has no %s", row->technique), seen);
	else
		say(s, CODE_VIRTUALIZATION_OFF, SEVERITY_ERROR, row->absent, seen);
}

/* --- IOMMU ----------------------------------------------------------------------------------- */

static bool running_has(const struct support *s, const char *flag)
{
	return kcmdline_satisfies(&s->g->running, flag);
}

/* The flag that turns the IOMMU off on a line, NULL without. */
static const char *off_flag(const struct kcmdline *line)
{
	static const char *const flags[] = {"intel_iommu=off", "amd_iommu=off", "iommu=off"};

	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (kcmdline_satisfies(line, flags[i]))
			return flags[i];
	return NULL;
}

/* Whether the next boot still turns it off; names the entries that do. true when none is known. */
static bool off_at_next_boot(struct support *s, struct words *ret_where)
{
	struct arena *a = s->g->arena;
	size_t known = 0;

	array_foreach(it, &s->g->host->boot.entries) {
		struct kcmdline line = {0};
		const char *flag, *where;

		if (it->recovery || s->error < 0)
			continue;
		s->error = kcmdline_parse(a, it->options, &line);
		known++;
		flag = s->error < 0 ? NULL : off_flag(&line);
		if (!flag)
			continue;
		where = text(s, "%s in %s line %u", flag, it->source, it->line);
		s->error = where ? words_add(a, ret_where, where) : -ENOMEM;
	}
	return known == 0 || ret_where->n > 0;
}

#define NEXT_BOOT_ON "the IOMMU is off until the next boot; IOMMU groups are judged then"

static void judge_off_flag(struct support *s)
{
	const char *evidence = s->g->host->iommu.off_evidence;
	struct words where = {0};

	if (!off_at_next_boot(s, &where)) {
		say(s, CODE_IOMMU_OFF, SEVERITY_NOTE, NEXT_BOOT_ON, evidence);
		return;
	}
	say(s, CODE_IOMMU_OFF, SEVERITY_ERROR,
	    "the kernel has the IOMMU off, told by a flag that is not ours: take it away",
	    evidence);
	for (size_t i = 0; i < where.n && i < GUARD_EVIDENCE_MAX && s->error >= 0; i++)
		s->error = guard_evidence(s->g->arena, s->out, CODE_IOMMU_OFF, "%s", where.at[i]);
}

/* Whether the kernel that runs turns VT-d on without being told (7.29). */
static bool on_by_default(const struct host *host)
{
	array_foreach(it, &host->kernels)
		if (it->running)
			return it->iommu_default_on == YES;
	return false;
}

static void judge_inactive(struct support *s)
{
	const struct host *host = s->g->host;
	const char *table = s->intel ? "DMAR" : "IVRS";

	if (s->intel && !running_has(s, "intel_iommu=on") && !on_by_default(host)) {
		if (!s->g->spec || s->g->spec->iommu_enable)
			say(s, CODE_IOMMU_OFF, SEVERITY_NOTE, NEXT_BOOT_ON,
			    "this kernel waits for intel_iommu=on, which its line lacks");
		else
			say(s, CODE_IOMMU_OFF, SEVERITY_ERROR,
			    "the IOMMU is off and the spec says so: iommu: {enable: true}",
			    "this kernel waits for intel_iommu=on, which its line lacks");
		return;
	}
	say(s, CODE_IOMMU_OFF, SEVERITY_ERROR,
	    text(s, "the kernel could not turn the IOMMU on: its log says why, under %s",
		 s->intel ? "DMAR" : "AMD-Vi"),
	    text(s,
		 "the firmware offers it (%s) and no flag has it off, but /sys/class/iommu "
		 "is empty",
		 table));
}

static void judge_absent(struct support *s)
{
	const struct host *host = s->g->host;

	if (running_has(s, "acpi=off")) {
		say(s, CODE_IOMMU_ABSENT, SEVERITY_ERROR,
		    "the kernel does not look for an IOMMU: take acpi=off away",
		    "acpi=off on the running kernel's line");
		return;
	}
	say(s, CODE_IOMMU_ABSENT, SEVERITY_ERROR,
	    text(s,
		 "the firmware offers no IOMMU: switch %s on in its setup; where there is "
		 "no such entry, the CPU or the board has none",
		 host->cpu.vendor == CPU_INTEL ? "VT-d"
		 : host->cpu.vendor == CPU_AMD ? "AMD-Vi (IOMMU)"
					       : "it"),
	    text(s, "no table DMAR or IVRS in /sys/firmware/acpi/tables%s%s",
		 *host->cpu.model ? "; CPU: " : "", host->cpu.model));
}

static void judge_iommu(struct support *s)
{
	const struct host_iommu *iommu = &s->g->host->iommu;

	if (iommu->active)
		return;
	if (iommu->firmware == NO)
		judge_absent(s);
	else if (iommu->off_evidence)
		judge_off_flag(s);
	else if (iommu->firmware == YES)
		judge_inactive(s);
	else
		say(s, CODE_UNPROVEN, SEVERITY_NOTE,
		    "whether there is an IOMMU cannot be seen from here; groups are judged once it "
		    "is on",
		    "/sys/firmware/acpi/tables cannot be read, and /sys/class/iommu is empty");
}

/* --- interrupts ------------------------------------------------------------------------------ */

#define NOT_REMAPPED "interrupts are not remapped, so a guest could raise any interrupt of the host"

/* Whether they are is sure only once the IOMMU is on: AMD-Vi does both at one time (7.24, 7.30). */
static void judge_unmapped(struct support *s, bool consent)
{
	const struct host_iommu *iommu = &s->g->host->iommu;
	struct verdict accepted = {
		.code = CODE_NO_INTERRUPT_REMAPPING,
		.severity = SEVERITY_WARNING,
		.message = NOT_REMAPPED ", which is accepted",
		.accepted = true,
	};

	if (!iommu->active) {
		if (s->intel && iommu->firmware == YES && !iommu->off_evidence)
			say(s, CODE_NO_INTERRUPT_REMAPPING, SEVERITY_NOTE,
			    "interrupts are not remapped now; that is judged once the IOMMU is on",
			    iommu->remapping_evidence);
	} else if (consent && s->error >= 0) {
		s->error = guard_finding(s->g->arena, s->out, &accepted, iommu->remapping_evidence);
	} else if (running_has(s, "intremap=off")) {
		say(s, CODE_NO_INTERRUPT_REMAPPING, SEVERITY_ERROR,
		    NOT_REMAPPED ": take intremap=off away",
		    "intremap=off on the running kernel's line");
	} else {
		say(s, CODE_NO_INTERRUPT_REMAPPING, SEVERITY_ERROR,
		    NOT_REMAPPED ": look for a firmware setting, or consent by iommu: "
				 "{unsafe-interrupts: true}",
		    iommu->remapping_evidence);
	}
}

static void judge_interrupts(struct support *s)
{
	const struct host_iommu *iommu = &s->g->host->iommu;
	bool consent = s->g->spec && s->g->spec->unsafe_interrupts;

	if (iommu->remapping == YES && consent)
		say(s, CODE_NOT_NEEDED, SEVERITY_WARNING,
		    "iommu: unsafe-interrupts is not needed and not written: interrupts are "
		    "remapped here, and the option would only let guests harm the host",
		    iommu->remapping_evidence);
	if (iommu->remapping == NO)
		judge_unmapped(s, consent);
}

int guard_support(const struct guard *g, struct plan_device *ret)
{
	struct plan_device out = {.name = "", .method = _METHOD_INVALID};
	struct support s = {.g = g, .out = &out};

	s.intel = g->host->iommu.dmar || (!g->host->iommu.ivrs && g->host->cpu.vendor == CPU_INTEL);
	judge_cpu(&s);
	judge_iommu(&s);
	judge_interrupts(&s);
	if (s.error < 0)
		return s.error;
	*ret = out;
	return 0;
}
