/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the host would lose with a device: each refusal, each consent, and each chain of evidence.
 */
#include "guard-rows.h"

#define GOOD "@ vendor=intel model=\"Core i7\" virt dmar active remap=yes live\n"
#define DISK GOOD "03:00.0 144d:a808 010802 driver=nvme group=14 reset "
#define NIC  GOOD "03:00.0 8086:1521 020000 driver=igb group=14 reset "
#define USB  GOOD "00:14.0 8086:a36d 0c0330 driver=xhci_hcd group=4 reset "
#define CARD                                                                                       \
	GOOD "00:1c.0 8086:a338 060400 driver=pcieport group=14\n"                                 \
	     "02:00.0 10de:1b81 030000 driver=nouveau group=14 parent=00:1c.0 reset\n"             \
	     "02:00.1 10de:10f0 040300 driver=snd_hda_intel group=14 parent=00:1c.0 reset\n"
#define GPU GOOD "01:00.0 10de:1b81 030000 driver=nouveau group=11 reset "

static const struct guard_row use_rows[] = {
	{"a bound host driver is no use", DISK, "d address=03:00.0", NULL, "d 0000:03:00.0\n"},
	{"the root file system", DISK "use=root:\"nvme0n1p3, mounted on /\"", "d address=03:00.0",
	 NULL,
	 "d 0000:03:00.0\n"
	 " error boot-disk\n"
	 "  - 0000:03:00.0 holds nvme0n1p3, mounted on /\n"},
	{"boot, ESP and a member under the root are its like, and no consent covers them",
	 DISK
	 "use=boot:\"nvme0n1p2, mounted on /boot\" use=esp:\"nvme0n1p1, mounted on /boot/efi\" "
	 "use=root:\"nvme0n1p3, in the pool rpool under /\"",
	 "d address=03:00.0 accept=in-use,shared-group,management-nic,boot-display,no-reset", NULL,
	 "d 0000:03:00.0\n"
	 " error boot-disk\n"
	 "  - 0000:03:00.0 holds nvme0n1p2, mounted on /boot\n"
	 "  - 0000:03:00.0 holds nvme0n1p1, mounted on /boot/efi\n"
	 "  - 0000:03:00.0 holds nvme0n1p3, in the pool rpool under /\n"},
	{"swap, another mount, an idle member",
	 DISK "use=swap:\"nvme0n1p5, swap\" use=mount:\"nvme0n1p6, mounted on /srv\" "
	      "use=member:\"nvme0n1p7, LVM volume group data\"",
	 "d address=03:00.0", NULL,
	 "d 0000:03:00.0\n"
	 " error in-use\n"
	 "  - 0000:03:00.0 holds nvme0n1p5, swap\n"
	 "  - 0000:03:00.0 holds nvme0n1p6, mounted on /srv\n"
	 "  - 0000:03:00.0 holds nvme0n1p7, LVM volume group data\n"},
	{"the same with consent", DISK "use=mount:\"nvme0n1p6, mounted on /srv\"",
	 "d address=03:00.0 accept=in-use", NULL,
	 "d 0000:03:00.0\n"
	 " warning in-use accepted\n"
	 "  - 0000:03:00.0 holds nvme0n1p6, mounted on /srv\n"},
	{"the wrong consent", DISK "use=mount:\"nvme0n1p6, mounted on /srv\"",
	 "d address=03:00.0 accept=shared-group", NULL,
	 "d 0000:03:00.0\n"
	 " error in-use\n"
	 "  - 0000:03:00.0 holds nvme0n1p6, mounted on /srv\n"},
	{"the way to the host, which is up",
	 NIC "use=default-route:\"eno1, bond0, vmbr0, default route\" "
	     "use=network:\"eno1, up in bond0\"",
	 "n address=03:00.0", NULL,
	 "n 0000:03:00.0\n"
	 " error management-nic\n"
	 "  - 0000:03:00.0 carries eno1, bond0, vmbr0, default route\n"
	 "  - 0000:03:00.0 carries eno1, up in bond0\n"},
	{"one consent covers the way and its link",
	 NIC "use=default-route:\"eno1, default route\" use=network:\"eno1, up\"",
	 "n address=03:00.0 accept=management-nic", NULL,
	 "n 0000:03:00.0\n"
	 " warning management-nic accepted\n"
	 "  - 0000:03:00.0 carries eno1, default route\n"
	 "  - 0000:03:00.0 carries eno1, up\n"},
	{"the way to the host goes along with the card",
	 NIC "use=default-route:\"eno1, default route\"\n"
	     "03:00.1 8086:1521 020000 driver=igb group=15 reset",
	 "n address=03:00.1", NULL,
	 "n 0000:03:00.0 0000:03:00.1\n"
	 " error management-nic\n"
	 "  - 0000:03:00.0, which goes along with its card, carries eno1, default route\n"},
	{"an SSH session that comes in there, and the link that it comes by",
	 NIC "use=network:\"eno2, up\" use=ssh:\"eno2, SSH session from 192.0.2.7\"",
	 "n address=03:00.0", NULL,
	 "n 0000:03:00.0\n"
	 " error management-nic\n"
	 "  - 0000:03:00.0 carries eno2, up\n"
	 "  - 0000:03:00.0 carries eno2, SSH session from 192.0.2.7\n"},
	{"the same with consent", NIC "use=ssh:\"eno2, SSH session from 192.0.2.7\"",
	 "n address=03:00.0 accept=management-nic", NULL,
	 "n 0000:03:00.0\n"
	 " warning management-nic accepted\n"
	 "  - 0000:03:00.0 carries eno2, SSH session from 192.0.2.7\n"},
	{"the only keyboard", USB "use=keyboard:\"a keyboard (Maker K1)\"", "u address=00:14.0",
	 NULL,
	 "u 0000:00:14.0\n"
	 " warning last-keyboard\n"
	 "  - 0000:00:14.0 has a keyboard (Maker K1)\n"},
	{"another keyboard stays",
	 USB "use=keyboard:\"a keyboard (Maker K1)\"\n"
	     "00:1a.0 8086:a36e 0c0330 driver=xhci_hcd group=5 reset "
	     "use=keyboard:\"a keyboard (Maker K2)\"",
	 "u address=00:14.0", NULL, "u 0000:00:14.0\n"},
	{"as long as nothing is known of groups, too",
	 "@ vendor=intel virt dmar\n"
	 "00:14.0 8086:a36d 0c0330 driver=xhci_hcd use=keyboard:\"a keyboard (Maker K1)\"\n"
	 "00:1a.0 8086:a36e 0c0330 driver=xhci_hcd use=keyboard:\"a keyboard (Maker K2)\"",
	 "u address=00:14.0", NULL,
	 "u 0000:00:14.0\n"
	 " note iommu-off\n"
	 "  - this kernel waits for intel_iommu=on, which its line lacks\n"},
	{"both keyboards go",
	 USB "use=keyboard:\"a keyboard (Maker K1)\"\n"
	     "00:1a.0 8086:a36e 0c0330 driver=xhci_hcd group=5 reset "
	     "use=keyboard:\"a keyboard (Maker K2)\"",
	 "u address=00:14.0\nv address=00:1a.0", NULL,
	 "u 0000:00:14.0\n"
	 " warning last-keyboard\n"
	 "  - 0000:00:14.0 has a keyboard (Maker K1)\n"
	 "v 0000:00:1a.0\n"
	 " warning last-keyboard\n"
	 "  - 0000:00:1a.0 has a keyboard (Maker K2)\n"},
	{"a link that is up", NIC "use=network:\"eno2, up with 192.0.2.7\"", "n address=03:00.0",
	 NULL,
	 "n 0000:03:00.0\n"
	 " error in-use\n"
	 "  - 0000:03:00.0 carries eno2, up with 192.0.2.7\n"},
	{"the console", GPU "use=console:\"boot display (boot_vga)\"", "g address=01:00.0", NULL,
	 "g 0000:01:00.0\n"
	 " error boot-display\n"
	 "  - 0000:01:00.0 has the boot display (boot_vga)\n"},
	{"the console with consent, and a process on it without",
	 GPU
	 "use=console:\"boot display (boot_vga)\" use=open:\"/dev/dri/card0, held by Xorg (812)\"",
	 "g address=01:00.0 accept=boot-display", NULL,
	 "g 0000:01:00.0\n"
	 " warning boot-display accepted\n"
	 "  - 0000:01:00.0 has the boot display (boot_vga)\n"
	 " error in-use\n"
	 "  - 0000:01:00.0 is open as /dev/dri/card0, held by Xorg (812)\n"},
	{"on its target: a guest has it open, and the console is gone already",
	 GOOD
	 "01:00.0 10de:1b81 030000 driver=vfio-pci group=11 reset "
	 "use=console:\"boot display (boot_vga)\" use=open:\"/dev/vfio/11, held by qemu (900)\"",
	 "g address=01:00.0", NULL, "g 0000:01:00.0\n note boot-display\n"},
	{"another target than the driver that has it",
	 GOOD "01:00.0 10de:1b81 030000 driver=vfio-pci group=11 reset "
	      "use=open:\"/dev/vfio/11, held by qemu (900)\"",
	 "g address=01:00.0 driver=pci-stub", NULL,
	 "g 0000:01:00.0\n"
	 " error in-use\n"
	 "  - 0000:01:00.0 is open as /dev/vfio/11, held by qemu (900)\n"},
};

static const struct guard_row function_rows[] = {
	{"a function without reset, with its whole bus going along",
	 GOOD "01:00.0 10de:1b81 030000 group=1 parent=00:01.0 methods=bus\n"
	      "01:00.1 10de:10f0 040300 group=1 parent=00:01.0",
	 "gpu id=10de:1b81", NULL, "gpu 0000:01:00.0 0000:01:00.1\n"},
	{"a bus that others are on too",
	 GOOD "05:01.0 1102:0004 040100 group=1 parent=00:1e.0\n"
	      "05:02.0 1102:7002 098000 group=2 parent=00:1e.0",
	 "sound id=1102:0004", NULL,
	 "sound 0000:05:01.0\n"
	 " error no-reset\n"
	 "  - 0000:05:01.0 has no reset method, and a reset of its bus would reach devices that "
	 "stay\n"},
	{"on the root bus there is none to reset",
	 GOOD "00:14.0 8086:a36d 0c0330 group=4 methods=", "usb id=8086:a36d accept=no-reset", NULL,
	 "usb 0000:00:14.0\n"
	 " warning no-reset accepted\n"
	 "  - 0000:00:14.0 has no reset method and no bus of its own\n"},
	{"reset methods switched off by hand (7.36)",
	 GOOD "00:14.0 8086:a36d 0c0330 group=4 reset methods=\" \"", "usb id=8086:a36d", NULL,
	 "usb 0000:00:14.0\n"
	 " error no-reset\n"
	 "  - 0000:00:14.0 has no reset method and no bus of its own\n"},
	{"an old kernel shows only that there is one",
	 GOOD "00:14.0 8086:a36d 0c0330 group=4 reset", "usb id=8086:a36d", NULL,
	 "usb 0000:00:14.0\n"},
	{"a tree that shows no reset of any device says nothing",
	 "@ vendor=intel virt dmar active\n00:14.0 8086:a36d 0c0330 group=4", "usb id=8086:a36d",
	 NULL, "usb 0000:00:14.0\n"},
	{"memory that the firmware keeps (7.21)", DISK "rmrr", "d address=03:00.0", NULL,
	 "d 0000:03:00.0\n"
	 " error reserved-region\n"
	 "  - group 14 of 0000:03:00.0 has a region of type direct\n"},
	{"virtual functions in use",
	 GOOD "04:00.0 8086:1572 020000 driver=i40e group=20 reset vfs=1\n"
	      "04:02.0 8086:154c 020000 driver=iavf group=22 reset vf=04:00.0 "
	      "use=network:\"eno1v0, up\"",
	 "nic address=04:00.0", NULL,
	 "nic 0000:04:00.0\n"
	 " error virtual-functions-active\n"
	 "  - 0000:04:00.0 has 1 virtual function switched on\n"
	 "  - 0000:04:02.0 is one of them and carries eno1v0, up\n"},
	{"virtual functions that vfio-pci was told to switch on (7.2)",
	 GOOD "04:00.0 8086:1572 020000 driver=vfio-pci group=20 reset vfs=1\n"
	      "04:02.0 8086:154c 020000 group=22 reset vf=04:00.0",
	 "nic address=04:00.0", NULL, "nic 0000:04:00.0\n"},
	{"which the host uses, at the mercy of the guest",
	 GOOD "04:00.0 8086:1572 020000 driver=vfio-pci group=20 reset vfs=1\n"
	      "04:02.0 8086:154c 020000 driver=iavf group=22 reset vf=04:00.0 "
	      "use=network:\"eno1v0, up\"",
	 "nic address=04:00.0", NULL,
	 "nic 0000:04:00.0\n"
	 " error virtual-functions-active\n"
	 "  - 0000:04:02.0 is one of them and carries eno1v0, up\n"},
	{"a physical function and one of its virtual ones: the one cannot go, the other can",
	 GOOD "04:00.0 8086:1572 020000 driver=i40e group=20 reset vfs=1 "
	      "use=default-route:\"eno1, default route\"\n"
	      "04:02.0 8086:154c 020000 driver=iavf group=22 reset vf=04:00.0",
	 "nic address=04:00.0\nvf address=04:02.0", NULL,
	 "nic 0000:04:00.0\n"
	 " error management-nic\n"
	 "  - 0000:04:00.0 carries eno1, default route\n"
	 " error virtual-functions-active\n"
	 "  - 0000:04:00.0 has 1 virtual function switched on\n"
	 "  - 0000:04:02.0 is one of them and goes along as vf\n"
	 "vf 0000:04:02.0\n"},
	{"a virtual function of one that the host lives on",
	 GOOD "04:00.0 144d:a824 010802 driver=nvme group=20 reset vfs=1 "
	      "use=root:\"nvme0n1, mounted on /\"\n"
	      "04:02.0 144d:a824 010802 driver=nvme group=22 reset vf=04:00.0",
	 "vf address=04:02.0", NULL, "vf 0000:04:02.0\n"},
	{"the display that Debian's default leaves out (7.29)",
	 GOOD "00:02.0 8086:3e92 030000 driver=i915 reset", "igpu id=8086:3e92", NULL,
	 "igpu 0000:00:02.0\n"
	 " note iommu-off\n"
	 "  - 0000:00:02.0 is in no IOMMU group\n"},
	{"left out although asked for",
	 GOOD "@ cmdline=\"quiet intel_iommu=on\"\n00:02.0 8086:3e92 030000 reset",
	 "igpu id=8086:3e92", NULL,
	 "igpu 0000:00:02.0\n"
	 " error iommu-absent\n"
	 "  - 0000:00:02.0 is in no IOMMU group\n"},
	{"left out by a flag",
	 GOOD "@ cmdline=\"intel_iommu=on,igfx_off\"\n00:02.0 8086:3e92 030000 reset",
	 "igpu id=8086:3e92", NULL,
	 "igpu 0000:00:02.0\n"
	 " error iommu-off\n"
	 "  - 0000:00:02.0 is in no IOMMU group\n"},
};

static void check_rows(const struct guard_row *at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_row(&at[i]);
}

static void uses(void **state _unused_)
{
	check_rows(use_rows, ARRAY_LEN(use_rows));
}

static void functions(void **state _unused_)
{
	check_rows(function_rows, ARRAY_LEN(function_rows));
}

/* A survey asks of any function what a wish for its address would be told. */
static void surveys(void **state _unused_)
{
	static const struct {
		const char *host, *expected; /* of the last function */
	} table[] = {
		{CARD, " 0000:02:00.0 0000:02:00.1\n"},
		{DISK "use=root:\"nvme0n1p3, mounted on /\"",
		 " 0000:03:00.0\n"
		 " error boot-disk\n"
		 "  - 0000:03:00.0 holds nvme0n1p3, mounted on /\n"},
		{GOOD "04:00.0 8086:1521 020000 driver=igb group=4 reset "
		      "use=default-route:\"eno1, default route\"\n"
		      "04:00.1 8086:1521 020000 driver=igb group=5 reset",
		 " 0000:04:00.1\n"},
		{GOOD "00:01.0 8086:1901 060400 driver=pcieport group=1",
		 "\n error bridge-device\n  - 0000:00:01.0 8086:1901 (bridge, driver pcieport)\n"},
		{"@ vendor=amd virt firmware=no\n03:00.0 144d:a808 010802 reset",
		 " 0000:03:00.0\n"
		 " error iommu-absent\n"
		 "  - no table DMAR or IVRS in /sys/firmware/acpi/tables\n"},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct host *host = made_host(table[i].host);
		struct plan_device found = {0};
		struct strbuf out = {0};
		struct guard g;

		assert_int_equal(guard_init(&g, host->arena, NULL, host, NULL), 0);
		assert_int_equal(guard_survey(&g, &host->devices.at[host->devices.n - 1], &found),
				 0);
		array_foreach(it, &found.addrs) {
			char addr[PCI_ADDR_TEXT_SIZE];

			strbuf_addf(&out, " %s", pci_addr_format(*it, addr));
		}
		strbuf_add(&out, "\n");
		show_verdicts(&found, &out);
		check_text(table[i].host, strbuf_text(&out), table[i].expected);
		strbuf_done(&out);
		host_free(host);
	}
}

/* A group of hundreds is told by a few members and "others". */
static void evidence_is_short(void **state _unused_)
{
	struct strbuf text = {0};
	struct host *host;
	struct plan_device found = {0};
	struct guard g;

	strbuf_add(&text, GOOD);
	for (unsigned bus = 1; bus < 200; bus++)
		strbuf_addf(&text, "%02x:00.0 8086:1521 020000 group=1 reset\n", bus);
	host = made_host(strbuf_text(&text));
	assert_int_equal(guard_init(&g, host->arena, NULL, host, NULL), 0);
	assert_int_equal(guard_survey(&g, &host->devices.at[0], &found), 0);
	assert_int_equal(found.verdicts.n, 1);
	assert_int_equal(found.verdicts.at[0].evidence.n, 9);
	assert_string_equal(found.verdicts.at[0].evidence.at[8], "and others");
	strbuf_done(&text);
	host_free(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uses),
		cmocka_unit_test(functions),
		cmocka_unit_test(surveys),
		cmocka_unit_test(evidence_is_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
