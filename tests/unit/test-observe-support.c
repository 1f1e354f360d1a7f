/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "This CPU has none", "firmware has it off", "kernel has it off": what tells them apart. */
#include "observe-text.h"

static const struct observe_options plain = {0};

#define INTEL(flags)                                                                               \
	"[/proc]\ncpuinfo <<\n\tprocessor\t: 0\n\tvendor_id\t: GenuineIntel\n"                     \
	"\tmodel name\t: Intel(R) Xeon(R) E-2236\n\tflags\t\t: fpu " flags " sse2\n\t\n"           \
	"\tprocessor\t: 1\n\tvendor_id\t: Other\n"
#define AMD(flags)                                                                                 \
	"[/proc]\ncpuinfo <<\n\tprocessor\t: 0\n\tvendor_id\t: AuthenticAMD\n"                     \
	"\tmodel name\t: AMD Ryzen 9\n\tflags\t\t: fpu " flags " sse2\n"

static void cpus_are_told_apart(void **state _unused_)
{
	static const struct {
		const char *text;
		enum cpu_vendor vendor;
		bool virt;
		enum tristate locked;
		const char *model, *evidence;
	} rows[] = {
		{INTEL("vmx"), CPU_INTEL, true, NO, "Intel(R) Xeon(R) E-2236",
		 "vmx in /proc/cpuinfo"},
		/* Locked by firmware: the flag is gone and only the log knows why (7.32). */
		{INTEL("est") "[/var/log]\ndmesg <<\n\t[    0.0] x86/cpu: VMX (outside TXT) "
			      "disabled by BIOS\n\t[    1.0] other\n",
		 CPU_INTEL, false, YES, "Intel(R) Xeon(R) E-2236",
		 "/var/log/dmesg: [    0.0] x86/cpu: VMX (outside TXT) disabled by BIOS"},
		{INTEL("est"), CPU_INTEL, false, UNKNOWN, "Intel(R) Xeon(R) E-2236", NULL},
		/* A word that only begins like the flag is another flag. */
		{INTEL("vmx_x tsvmx"), CPU_INTEL, false, UNKNOWN, "Intel(R) Xeon(R) E-2236", NULL},
		{AMD("svm"), CPU_AMD, true, UNKNOWN, "AMD Ryzen 9", NULL},
		{AMD("svm") "[/proc]\nmodules = kvm_amd 155648 0 - Live 0x0\n", CPU_AMD, true, NO,
		 "AMD Ryzen 9", "kvm_amd is loaded"},
		{AMD("svm") "[/var/log]\nkern.log <<\n"
			    "\tkvm_amd: SVM disabled (by BIOS) in MSR_VM_CR on CPU 0\n",
		 CPU_AMD, true, YES, "AMD Ryzen 9",
		 "/var/log/kern.log: kvm_amd: SVM disabled (by BIOS) in MSR_VM_CR on CPU 0"},
		/* An earlier boot's complaint was mended since. */
		{AMD("svm") "[/var/log]\nkern.log <<\n"
			    "\tLinux version 6.1\n"
			    "\tkvm: disabled by bios\n"
			    "\tLinux version 6.1\n"
			    "\tother\n",
		 CPU_AMD, true, UNKNOWN, "AMD Ryzen 9", NULL},
		{"[/proc]\ncpuinfo <<\n\tprocessor : 0\n\tCPU implementer : 0x41\n", CPU_OTHER,
		 false, UNKNOWN, "", NULL},
		{"[/proc]\ncpuinfo : \n", CPU_OTHER, false, UNKNOWN, "", NULL},
		{"[/proc]\n", CPU_OTHER, false, UNKNOWN, "", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_host_ struct host *host = observe_text(rows[i].text, &plain);

		assert_int_equal(host->cpu.vendor, rows[i].vendor);
		assert_int_equal(host->cpu.virt, rows[i].virt);
		assert_int_equal(host->cpu.virt_locked, rows[i].locked);
		assert_text(host->cpu.model, rows[i].model);
		assert_text(host->cpu.virt_evidence, rows[i].evidence);
	}
}

static void iommus_are_found(void **state _unused_)
{
	static const struct {
		const char *text;
		enum tristate firmware;
		bool dmar, ivrs, active;
		unsigned groups;
	} rows[] = {
		{"[/sys]\n", UNKNOWN, false, false, false, 0},
		{"[/sys/firmware/acpi/tables]\nFACP = x\n", NO, false, false, false, 0},
		{"[/sys/firmware/acpi/tables]\nDMAR : x\n[/sys/class]\niommu/\n", YES, true, false,
		 false, 0},
		{"[/sys/firmware/acpi/tables]\nIVRS ! EACCES\n", YES, false, true, false, 0},
		{"[/sys/firmware/acpi/tables]\nDMAR : x\n[/sys/class/iommu]\ndmar0/\n"
		 "[/sys/kernel/iommu_groups]\n0/\n1/\n2/\n",
		 YES, true, false, true, 3},
		/* Units without groups: interrupt remapping alone (7.23). */
		{"[/sys/firmware/acpi/tables]\nDMAR : x\n[/sys/class/iommu]\ndmar0/\n", YES, true,
		 false, false, 0},
		{"[/sys/kernel/iommu_groups]\n0/\n", UNKNOWN, false, false, false, 1},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_host_ struct host *host = observe_text(rows[i].text, &plain);

		assert_int_equal(host->iommu.firmware, rows[i].firmware);
		assert_int_equal(host->iommu.dmar, rows[i].dmar);
		assert_int_equal(host->iommu.ivrs, rows[i].ivrs);
		assert_int_equal(host->iommu.active, rows[i].active);
		assert_int_equal(host->iommu.groups, rows[i].groups);
	}
}

static void remapping_is_proven(void **state _unused_)
{
	static const struct {
		const char *text;
		enum tristate remapping;
		const char *evidence;
	} rows[] = {
		{"[/proc]\ninterrupts <<\n\t            CPU0\n\t   0:  9  IR-IO-APIC    2-edge  "
		 "timer\n",
		 YES, "IR-IO-APIC in /proc/interrupts"},
		{"[/proc]\ninterrupts = 24: 0 IR-PCI-MSIX-0000:02:00.0 0-edge nvme0q0\n", YES,
		 "IR-PCI-MSIX-0000:02:00.0 in /proc/interrupts"},
		{"[/proc]\ninterrupts <<\n\t   0:  9  IO-APIC    2-edge  timer\n"
		 "\t  24:  0  DMAR-MSI    0-edge  dmar0\n",
		 NO, "IO-APIC without \"IR-\" in /proc/interrupts"},
		{"[/proc]\ninterrupts = 24: 0 PCI-MSI 1-edge eth0\n", NO,
		 "PCI-MSI without \"IR-\" in /proc/interrupts"},
		/* The table wins over what an old log says (note 30). */
		{"[/proc]\ninterrupts = 24: 0 PCI-MSI 1-edge eth0\n[/var/log]\n"
		 "dmesg = DMAR-IR: Enabled IRQ remapping in x2apic mode\n",
		 NO, "PCI-MSI without \"IR-\" in /proc/interrupts"},
		{"[/var/log]\ndmesg = [ 0.2] DMAR-IR: Enabled IRQ remapping in x2apic mode\n", YES,
		 "/var/log/dmesg: [ 0.2] DMAR-IR: Enabled IRQ remapping in x2apic mode"},
		{"[/var/log]\ndmesg = [ 0.2] AMD-Vi: Interrupt remapping enabled\n", YES,
		 "/var/log/dmesg: [ 0.2] AMD-Vi: Interrupt remapping enabled"},
		{"[/var/log]\ndmesg <<\n"
		 "\tFailed to enable irq remapping. You are vulnerable to irq-injection attacks.\n",
		 NO,
		 "/var/log/dmesg: Failed to enable irq remapping. You are vulnerable to "
		 "irq-injection attacks."},
		/* What hardware could do is no proof (7.25). */
		{"[/sys/class/iommu]\ndmar0/intel-iommu/ecap = f020df\n", UNKNOWN, NULL},
		{"[/proc]\ninterrupts <<\n\t      CPU0\n", UNKNOWN, NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_host_ struct host *host = observe_text(rows[i].text, &plain);

		assert_int_equal(host->iommu.remapping, rows[i].remapping);
		assert_text(host->iommu.remapping_evidence, rows[i].evidence);
	}
}

static void who_switched_it_off_is_named(void **state _unused_)
{
	static const struct {
		const char *line, *evidence;
	} rows[] = {
		{"quiet", NULL},
		{"intel_iommu=on iommu=pt", NULL},
		{"intel_iommu=off", "intel_iommu=off on the running line"},
		{"intel-iommu=sm_on,off", "intel-iommu=sm_on,off on the running line"},
		{"intel_iommu=off intel_iommu=on", NULL},
		{"intel_iommu=on intel_iommu=off", "intel_iommu=off on the running line"},
		{"intel_iommu=igfx_off", NULL},
		{"amd_iommu=off", "amd_iommu=off on the running line"},
		{"iommu=soft,off", "iommu=soft,off on the running line"},
		/* Once off, this one stays off (1.8). */
		{"iommu=off iommu=pt", "iommu=off on the running line"},
		{"quiet -- iommu=off", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_strbuf_ struct strbuf text = {0};

		strbuf_addf(&text, "[/proc]\ncmdline = %s\n", rows[i].line);
		_cleanup_host_ struct host *host = observe_text(strbuf_text(&text), &plain);

		assert_true(host->cmdline_known);
		assert_string_equal(host->cmdline, rows[i].line);
		assert_text(host->iommu.off_evidence, rows[i].evidence);
	}
}

/* Fact 1.10. */
static void what_the_kernel_does_not_know_is_found(void **state _unused_)
{
	static const struct observe_options asked = {.flags = true};
#define SAYS(words) "[    0.02] Unknown kernel command line parameters \"" words
#define WHOLE	    "\", will be passed to user space."
	static const struct {
		const char *log, *flags;
	} rows[] = {
		{"[    0.01] Kernel command line: quiet a", ""},
		{SAYS("a") WHOLE, "a "},
		{SAYS("splash BOOT_IMAGE=/boot/vmlinuz pcie_asmp=off") WHOLE,
		 "splash BOOT_IMAGE=/boot/vmlinuz pcie_asmp=off "},
		/* Half a word may be the beginning of another one. */
		{SAYS("a b=c d=e"), "a b=c "},
		{SAYS("") WHOLE, ""},
		/* A saved log runs on over boots. */
		{SAYS("a") WHOLE "\n\t[    0.00] Linux version 6.1.0", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_strbuf_ struct strbuf text = {0}, flags = {0};

		strbuf_addf(&text, "[/var/log]\ndmesg <<\n\t%s\n", rows[i].log);
		_cleanup_host_ struct host *host = observe_text(strbuf_text(&text), &asked);
		_cleanup_host_ struct host *unasked = observe_text(strbuf_text(&text), &plain);

		array_foreach(it, &host->unknown_flags)
			strbuf_addf(&flags, "%s ", *it);
		assert_string_equal(strbuf_text(&flags), rows[i].flags);
		assert_int_equal(unasked->unknown_flags.n, 0);
	}
}

static void when_a_driver_took_its_function_is_in_the_log(void **state _unused_)
{
	static const struct observe_options asked = {.takers = true};
	static const struct {
		const char *log, *taken;
	} rows[] = {
		{"[    0.812345] nouveau 0000:01:00.0: vgaarb: deactivate\n"
		 "\t[    4.100000] nouveau 0000:01:00.0: DRM",
		 "0.812345"},
		{"[12345.6] nouveau 0000:01:00.0: enabling device", "12345.6"},
		{"kern  :info  : [    1.5] nouveau 0000:01:00.0: x", "1.5"},
		{"[    0.8] nouveau 0000:02:00.0: x", NULL}, /* another function */
		{"[    0.8] pci 0000:01:00.0: x", NULL},     /* no driver yet */
		{"[   now ] nouveau 0000:01:00.0: x", NULL}, /* no time */
		{"] nouveau 0000:01:00.0: x", NULL},
		/* A saved log runs on over boots. */
		{"[    0.8] nouveau 0000:01:00.0: x\n\t[    0.0] Linux version 6.1.0", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_strbuf_ struct strbuf text = {0};

		strbuf_addf(&text,
			    "[/sys/bus/pci/devices]\n0000:01:00.0/vendor = 0x10de\n"
			    "0000:01:00.0/device = 0x1b81\n"
			    "0000:01:00.0/driver -> ../../drivers/nouveau\n"
			    "[/var/log]\ndmesg <<\n\t%s\n",
			    rows[i].log);
		_cleanup_host_ struct host *host = observe_text(strbuf_text(&text), &asked);
		_cleanup_host_ struct host *unasked = observe_text(strbuf_text(&text), &plain);

		assert_int_equal(host->devices.n, 1);
		if (!rows[i].taken)
			assert_null(host->devices.at[0].taken);
		else
			assert_string_equal(host->devices.at[0].taken, rows[i].taken);
		assert_null(unasked->devices.at[0].taken);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cpus_are_told_apart),
		cmocka_unit_test(iommus_are_found),
		cmocka_unit_test(remapping_is_proven),
		cmocka_unit_test(who_switched_it_off_is_named),
		cmocka_unit_test(what_the_kernel_does_not_know_is_found),
		cmocka_unit_test(when_a_driver_took_its_function_is_in_the_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
