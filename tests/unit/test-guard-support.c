/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "There is none", "the firmware has it off", "the kernel has it off": told apart, with evidence.
 */
#include "guard-rows.h"

#define INTEL "@ vendor=intel model=\"Core i7-4770K\" "
#define AMD   "@ vendor=amd model=\"Ryzen 9 5950X\" "

struct support_row {
	const char *name, *host, *spec;
	const char *expected; /* as guard rows, and the messages */
};

static const struct support_row cpu_rows[] = {
	{"all there", INTEL "virt dmar active remap=yes", "", ""},
	{"Intel: the flag is missing, nothing more is known (7.32)", INTEL "dmar active", "",
	 " error virtualization-off: this CPU has no VT-x, or the firmware has it off, which hides "
	 "it too: look for it in the firmware's setup\n"
	 "  - Core i7-4770K: the flags in /proc/cpuinfo lack vmx\n"},
	{"Intel: the log says that the firmware did it",
	 INTEL "dmar active locked=yes locked-why=\"x86/cpu: VMX (outside TXT) disabled by BIOS\"",
	 "",
	 " error virtualization-off: the firmware has VT-x off: switch it on in the firmware's "
	 "setup\n"
	 "  - x86/cpu: VMX (outside TXT) disabled by BIOS\n"},
	{"Intel: the log was seen and says nothing", INTEL "dmar active locked=no", "",
	 " error virtualization-off: this CPU has no VT-x\n"
	 "  - Core i7-4770K: the flags in /proc/cpuinfo lack vmx\n"},
	{"Intel: the kernel was told to hide it",
	 INTEL "dmar active cmdline=\"quiet clearcpuid=133\"", "",
	 " error virtualization-off: the kernel was told to hide VT-x: take the flag away\n"
	 "  - clearcpuid=133 on the running kernel's line\n"},
	{"AMD: the flag stays although the firmware has it off (7.32)",
	 AMD "virt ivrs active locked=yes locked-why=\"kvm: disabled by bios\"", "",
	 " error virtualization-off: the firmware has AMD-V off: switch it on in the firmware's "
	 "setup\n"
	 "  - kvm: disabled by bios\n"},
	{"AMD: no flag", AMD "ivrs active", "",
	 " error virtualization-off: this CPU has no AMD-V\n"
	 "  - Ryzen 9 5950X: the flags in /proc/cpuinfo lack svm\n"},
	{"a CPU that could not be seen", "@ active", "", ""},
	{"a CPU of neither maker with the flag", "@ model=Zhaoxin virt active", "", ""},
};

#define WAITS                                                                                      \
	" note iommu-off: the IOMMU is off until the next boot; IOMMU groups are judged then\n"

static const struct support_row iommu_rows[] = {
	{"no table", INTEL "virt firmware=no", "",
	 " error iommu-absent: the firmware offers no IOMMU: switch VT-d on in its setup; where "
	 "there is no such entry, the CPU or the board has none\n"
	 "  - no table DMAR or IVRS in /sys/firmware/acpi/tables; CPU: Core i7-4770K\n"},
	{"no table: a missing remapping needs no second complaint", AMD "virt firmware=no remap=no",
	 "",
	 " error iommu-absent: the firmware offers no IOMMU: switch AMD-Vi (IOMMU) on in its "
	 "setup; "
	 "where there is no such entry, the CPU or the board has none\n"
	 "  - no table DMAR or IVRS in /sys/firmware/acpi/tables; CPU: Ryzen 9 5950X\n"},
	{"no table, because the kernel does not look", INTEL "virt firmware=no cmdline=acpi=off",
	 "",
	 " error iommu-absent: the kernel does not look for an IOMMU: take acpi=off away\n"
	 "  - acpi=off on the running kernel's line\n"},
	{"Intel: off until the flag that the plan sets", INTEL "virt dmar cmdline=quiet kernel=no",
	 "", WAITS "  - this kernel waits for intel_iommu=on, which its line lacks\n"},
	{"Intel: off, and the spec leaves it so", INTEL "virt dmar cmdline=quiet", "@ no-iommu",
	 " error iommu-off: the IOMMU is off and the spec says so: iommu: {enable: true}\n"
	 "  - this kernel waits for intel_iommu=on, which its line lacks\n"},
	{"Intel: told to, and it did not", INTEL "virt dmar cmdline=intel_iommu=on", "",
	 " error iommu-off: the kernel could not turn the IOMMU on: its log says why, under DMAR\n"
	 "  - the firmware offers it (DMAR) and no flag has it off, but /sys/class/iommu is "
	 "empty\n"},
	{"Intel: a kernel that does it by itself did not (7.29)", INTEL "virt dmar kernel=yes", "",
	 " error iommu-off: the kernel could not turn the IOMMU on: its log says why, under DMAR\n"
	 "  - the firmware offers it (DMAR) and no flag has it off, but /sys/class/iommu is "
	 "empty\n"},
	{"AMD: on by itself, and it is not (7.30)", AMD "virt ivrs", "",
	 " error iommu-off: the kernel could not turn the IOMMU on: its log says why, under "
	 "AMD-Vi\n"
	 "  - the firmware offers it (IVRS) and no flag has it off, but /sys/class/iommu is "
	 "empty\n"},
	{"off by a flag that the next boot has too",
	 AMD "virt ivrs off=\"amd_iommu=off on the running line\" entry=\"root=/dev/sda1 "
	     "amd_iommu=off\"",
	 "",
	 " error iommu-off: the kernel has the IOMMU off, told by a flag that is not ours: take it "
	 "away\n"
	 "  - amd_iommu=off on the running line\n"
	 "  - amd_iommu=off in /boot/grub/grub.cfg line 10\n"},
	{"off by a flag that was taken away since",
	 INTEL "virt dmar off=\"intel_iommu=off on the running line\" entry=\"root=/dev/sda1\"", "",
	 WAITS "  - intel_iommu=off on the running line\n"},
	{"off by a flag, and no entry can be read",
	 INTEL "virt dmar off=\"iommu=off on the running line\"", "",
	 " error iommu-off: the kernel has the IOMMU off, told by a flag that is not ours: take it "
	 "away\n"
	 "  - iommu=off on the running line\n"},
	{"the tables cannot be seen", INTEL "virt firmware=unknown", "",
	 " note unproven: whether there is an IOMMU cannot be seen from here; groups are judged "
	 "once it is on\n"
	 "  - /sys/firmware/acpi/tables cannot be read, and /sys/class/iommu is empty\n"},
};

#define IR_OFF "remap=no remap-why=\"DMAR-IR: Not enabling interrupt remapping\" "
#define NO_IR                                                                                      \
	" error no-interrupt-remapping: interrupts are not remapped, so a guest could raise any "  \
	"interrupt of the host: look for a firmware setting, or consent by iommu: "                \
	"{unsafe-interrupts: true}\n"                                                              \
	"  - DMAR-IR: Not enabling interrupt remapping\n"

static const struct support_row interrupt_rows[] = {
	{"off for sure", INTEL "virt dmar active " IR_OFF, "", NO_IR},
	{"off for sure, with consent", INTEL "virt dmar active " IR_OFF, "@ unsafe",
	 " warning no-interrupt-remapping accepted: interrupts are not remapped, so a guest could "
	 "raise any interrupt of the host, which is accepted\n"
	 "  - DMAR-IR: Not enabling interrupt remapping\n"},
	{"off by a flag (7.31)", INTEL "virt dmar active remap=no cmdline=\"quiet intremap=off\"",
	 "",
	 " error no-interrupt-remapping: interrupts are not remapped, so a guest could raise any "
	 "interrupt of the host: take intremap=off away\n"
	 "  - intremap=off on the running kernel's line\n"},
	{"not known is no refusal (note 30)", INTEL "virt dmar active remap=unknown", "", ""},
	{"not known, with consent", INTEL "virt dmar active remap=unknown", "@ unsafe", ""},
	{"on, and consent nobody needs (note 9)",
	 INTEL "virt dmar active remap=yes remap-why=\"IR-PCI-MSI in /proc/interrupts\"",
	 "@ unsafe",
	 " warning not-needed: iommu: unsafe-interrupts is not needed and not written: interrupts "
	 "are remapped here, and the option would only let guests harm the host\n"
	 "  - IR-PCI-MSI in /proc/interrupts\n"},
	{"it is sure only once the IOMMU is on", INTEL "virt dmar " IR_OFF, "",
	 WAITS "  - this kernel waits for intel_iommu=on, which its line lacks\n"
	       " note no-interrupt-remapping: interrupts are not remapped now; that is judged once "
	       "the IOMMU is on\n"
	       "  - DMAR-IR: Not enabling interrupt remapping\n"},
	{"a flag that has all of it off says nothing about the next boot",
	 INTEL "virt dmar off=intel_iommu=off entry=quiet " IR_OFF, "",
	 WAITS "  - intel_iommu=off\n"},
};

static void check_support(const struct support_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct host *host = made_host(rows[i].host);
		struct spec *spec = made_spec(rows[i].spec);
		struct strbuf out = {0};
		struct guard g;

		assert_int_equal(guard_init(&g, host->arena, spec, host, NULL), 0);
		array_foreach(v, &g.support.verdicts) {
			strbuf_addf(&out, " %s %s%s: %s\n", severity_name(v->severity),
				    code_name(v->code), v->accepted ? " accepted" : "", v->message);
			array_foreach(e, &v->evidence)
				strbuf_addf(&out, "  - %s\n", *e);
		}
		check_text(rows[i].name, strbuf_text(&out), rows[i].expected);
		strbuf_done(&out);
		spec_free(spec);
		host_free(host);
	}
}

static void cpu(void **state _unused_)
{
	check_support(cpu_rows, ARRAY_LEN(cpu_rows));
}

static void iommu(void **state _unused_)
{
	check_support(iommu_rows, ARRAY_LEN(iommu_rows));
}

static void interrupts(void **state _unused_)
{
	check_support(interrupt_rows, ARRAY_LEN(interrupt_rows));
}

/* Every device is told what the host lacks; that a consent was needless is said once. */
static void devices_are_told(void **state _unused_)
{
	static const struct guard_row rows[] = {
		{"no IOMMU", INTEL "virt firmware=no\n03:00.0 144d:a808 010802 reset",
		 "d class=nvme", NULL,
		 "d 0000:03:00.0\n"
		 " error iommu-absent\n"
		 "  - no table DMAR or IVRS in /sys/firmware/acpi/tables; CPU: Core i7-4770K\n"},
		{"a reboot away", INTEL "virt dmar\n03:00.0 144d:a808 010802 reset", "d class=nvme",
		 NULL,
		 "d 0000:03:00.0\n"
		 " note iommu-off\n"
		 "  - this kernel waits for intel_iommu=on, which its line lacks\n"},
		{"needless consent",
		 INTEL "virt dmar active remap=yes\n03:00.0 144d:a808 010802 group=1 reset",
		 "@ unsafe\nd class=nvme", NULL, "d 0000:03:00.0\n"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_row(&rows[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cpu),
		cmocka_unit_test(iommu),
		cmocka_unit_test(interrupts),
		cmocka_unit_test(devices_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
