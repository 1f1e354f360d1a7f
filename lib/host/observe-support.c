/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What CPU, firmware and kernel do for assignment: virtualization, IOMMU, interrupt remapping. */
#include "kcmdline.h"
#include "observe-parts.h"

#define CPUINFO_HEAD	(16u << 10) /* the first CPU: making all of them takes milliseconds */
#define INTERRUPTS_HEAD (64u << 10) /* the timer's and the legacy lines come first */

/* --- the CPU --------------------------------------------------------------------------------- */

static const char *head_of(struct observer *o, const char *path, size_t max)
{
	const char *text;
	size_t size;
	int err = o->tree->ops->head(o->tree, path, max, o->scratch, &text, &size);

	kept(o, err != -ENOMEM);
	return err < 0 ? NULL : text;
}

/* Value behind "name<blanks>: " in the first CPU's block. */
static const char *cpu_value(struct observer *o, const char *text, const char *name)
{
	size_t n = strlen(name);

	for (const char *line; (line = next_line(o, &text)) && *line;)
		if (strncmp(line, name, n) == 0 && strspn(line + n, " \t") > 0) {
			const char *colon = strchr(line + n, ':');

			return colon ? colon + 1 + strspn(colon + 1, " ") : NULL;
		}
	return NULL;
}

static bool has_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (; *text; text += strcspn(text, " "), text += strspn(text, " "))
		if (strncmp(text, word, n) == 0 && (!text[n] || text[n] == ' '))
			return true;
	return false;
}

static enum cpu_vendor vendor_of(const char *id)
{
	static const struct {
		const char *id;
		enum cpu_vendor vendor;
	} vendors[] = {
		{"GenuineIntel", CPU_INTEL},
		{"AuthenticAMD", CPU_AMD},
		{"HygonGenuine", CPU_AMD}, /* the same core, the same IOMMU driver */
	};

	for (size_t i = 0; i < ARRAY_LEN(vendors); i++)
		if (strcmp(vendors[i].id, id) == 0)
			return vendors[i].vendor;
	return CPU_OTHER;
}

/* Fact 7.32. */
static const struct message lock_messages[] = {
	{"TXT) disabled by BIOS", YES},
	{"kvm: disabled by bios", YES},
	{"kvm: support for virtualization disabled", YES},
	{"SVM disabled (by BIOS)", YES},
	{"virtualization disabled in MSR_VM_CR", YES},
};

static void observe_lock(struct observer *o)
{
	const struct host_module *kvm = host_module(o->host, "kvm_amd");
	struct host_cpu *cpu = &o->host->cpu;

	/* Intel's flag is cleared when firmware locks the CPU; AMD's stays. */
	if (cpu->virt && cpu->vendor != CPU_AMD) {
		cpu->virt_locked = NO;
		cpu->virt_evidence = "vmx in /proc/cpuinfo";
		return;
	}
	/* kvm_amd does not stay loaded where it cannot switch SVM on. */
	if (cpu->virt && kvm && !kvm->builtin) {
		cpu->virt_locked = NO;
		cpu->virt_evidence = "kvm_amd is loaded";
		return;
	}
	cpu->virt_evidence = search_logs(o, lock_messages, ARRAY_LEN(lock_messages),
					 &cpu->virt_locked);
}

static void observe_cpu(struct observer *o)
{
	const char *text = head_of(o, "/proc/cpuinfo", CPUINFO_HEAD);
	const char *vendor, *model, *flags;
	struct host_cpu *cpu = &o->host->cpu;

	if (!text)
		return;
	vendor = cpu_value(o, text, "vendor_id");
	model = cpu_value(o, text, "model name");
	flags = cpu_value(o, text, "flags");
	if (vendor)
		cpu->vendor = vendor_of(vendor);
	if (model)
		cpu->model = keep(o, model);
	cpu->virt = flags && (has_word(flags, "vmx") || has_word(flags, "svm"));
	if (cpu->vendor != CPU_OTHER)
		observe_lock(o);
}

/* --- the IOMMU ------------------------------------------------------------------------------- */

static void observe_tables(struct observer *o)
{
	struct words tables = see_list(o, "/sys/firmware/acpi/tables");
	struct host_iommu *iommu = &o->host->iommu;

	iommu->dmar = words_has(&tables, "DMAR");
	iommu->ivrs = words_has(&tables, "IVRS");
	if (iommu->dmar || iommu->ivrs)
		iommu->firmware = YES;
	else if (see_exists(o, "/sys/firmware/acpi/tables"))
		iommu->firmware = NO;
}

/* Fact 7.24. */
static const struct message remap_messages[] = {
	{"DMAR-IR: Enabled IRQ remapping", YES},
	{"AMD-Vi: Interrupt remapping enabled", YES},
	{"Not enabling interrupt remapping", NO},
	{"Failed to enable irq remapping", NO},
};

/* A word of text that begins with prefix, in scratch. */
static const char *word_like(struct observer *o, const char *text, const char *prefix)
{
	for (const char *at = text; (at = strstr(at, prefix)); at++) {
		const char *word;

		if (at > text && at[-1] != ' ' && at[-1] != '\t')
			continue;
		word = arena_strndup(o->scratch, at, strcspn(at, " \t\n"));
		kept(o, word);
		return word;
	}
	return NULL;
}

/* Every interrupt controller's name gets "IR-" in front once remapping is on (note 30). */
static void observe_remapping(struct observer *o)
{
	const char *text = head_of(o, "/proc/interrupts", INTERRUPTS_HEAD);
	const char *word = text ? word_like(o, text, "IR-") : NULL;
	struct host_iommu *iommu = &o->host->iommu;

	if (word) {
		iommu->remapping = YES;
		iommu->remapping_evidence = keep_printf(o, "%s in /proc/interrupts", word);
		return;
	}
	word = text ? word_like(o, text, "IO-APIC") : NULL;
	if (text && !word)
		word = word_like(o, text, "PCI-MSI");
	if (word) {
		iommu->remapping = NO;
		iommu->remapping_evidence = keep_printf(o, "%s without \"IR-\" in /proc/interrupts",
							word);
		return;
	}
	iommu->remapping_evidence = search_logs(o, remap_messages, ARRAY_LEN(remap_messages),
						&iommu->remapping);
}

static bool has_part(const char *list, const char *part)
{
	size_t n = strlen(part);

	for (;; list++) {
		if (strncmp(list, part, n) == 0 && (!list[n] || list[n] == ','))
			return true;
		list = strchr(list, ',');
		if (!list)
			return false;
	}
}

/* The token that switched the IOMMU off. Of intel_iommu's the last on or off counts (1.8, 7.28). */
static const struct kparam *off_token(const struct kcmdline *line)
{
	const struct kparam *off = NULL, *intel = NULL;

	array_foreach(it, &line->params) {
		if (it->for_init || !it->value)
			continue;
		if (kparam_name_equal(it->name, "intel_iommu")) {
			if (has_part(it->value, "off"))
				intel = it;
			else if (has_part(it->value, "on"))
				intel = NULL;
		} else if ((kparam_name_equal(it->name, "iommu") ||
			    kparam_name_equal(it->name, "amd_iommu")) &&
			   has_part(it->value, "off")) {
			off = it;
		}
	}
	return off ? off : intel;
}

static void observe_off(struct observer *o)
{
	struct kcmdline line = {0};
	const struct kparam *off;

	if (!kept(o, kcmdline_parse(o->scratch, o->host->cmdline, &line) == 0))
		return;
	off = off_token(&line);
	if (off)
		o->host->iommu.off_evidence = keep_printf(o, "%s on the running line", off->raw);
}

/* --- the kernel's line ------------------------------------------------------------------------ */

/* Fact 1.10; names with a dot are never among them (1.9). */
static void observe_unknown_flags(struct observer *o)
{
	static const struct message unknown = {"Unknown kernel command line parameters \"", YES};
	enum tristate says;
	const char *at = search_logs(o, &unknown, 1, &says);
	bool whole;

	at = at ? strstr(at, unknown.text) : NULL;
	if (!at)
		return;
	at += strlen(unknown.text);
	whole = strstr(at, "\", will be passed");
	/* A line that the log cut ends in half a word. */
	for (size_t n; *at && *at != '"'; at += n + strspn(at + n, " ")) {
		const char *word;

		n = strcspn(at, " \"");
		if (!at[n] && !whole)
			return;
		word = arena_strndup(o->scratch, at, n);
		kept(o, word && words_add(o->a, &o->host->unknown_flags, word) >= 0);
	}
}

void observe_support(struct observer *o)
{
	struct host_iommu *iommu = &o->host->iommu;
	struct words units = see_list(o, "/sys/class/iommu");

	observe_cpu(o);
	observe_tables(o);
	/* Fact 7.23; groups were counted with the devices. */
	iommu->active = units.n && iommu->groups;
	observe_remapping(o);
	observe_off(o);
	if (o->options->flags)
		observe_unknown_flags(o);
	if (o->options->takers)
		observe_takers(o);
}
