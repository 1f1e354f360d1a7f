/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the host loses with a device's IOMMU group, whether that grew, and why it is that large. */
#include "guard-rows.h"

#define GOOD "@ vendor=intel model=\"Core i7\" virt dmar active remap=yes live\n"

/* A GPU and what shares its group. */
#define GROUP                                                                                      \
	GOOD "00:1c.0 8086:a338 060400 driver=pcieport group=14\n"                                 \
	     "02:00.0 10de:1b81 030000 driver=nouveau group=14 parent=00:1c.0 reset\n"             \
	     "02:00.1 10de:10f0 040300 driver=snd_hda_intel group=14 parent=00:1c.0 reset\n"

static const struct guard_row group_rows[] = {
	{"the root port and the card's own functions do not count", GROUP, "gpu id=10de:1b81", NULL,
	 "gpu 0000:02:00.0 0000:02:00.1\n"},
	{"the boot disk of a sibling, in words",
	 GROUP
	 "03:00.0 144d:a808 010802 driver=nvme group=14 reset use=root:\"nvme0n1p3, mounted on /\"",
	 "gpu id=10de:1b81", NULL,
	 "gpu 0000:02:00.0 0000:02:00.1\n"
	 " error shared-group\n"
	 "  - 0000:02:00.0 shares group 14 with 0000:03:00.0 (NVMe, driver nvme)\n"
	 " error boot-disk\n"
	 "  - 0000:02:00.0 shares group 14 with 0000:03:00.0, which holds nvme0n1p3, mounted on "
	 "/\n"},
	{"which no consent covers",
	 GROUP
	 "03:00.0 144d:a808 010802 driver=nvme group=14 reset use=root:\"nvme0n1p3, mounted on /\"",
	 "gpu id=10de:1b81 accept=shared-group,in-use", NULL,
	 "gpu 0000:02:00.0 0000:02:00.1\n"
	 " warning shared-group accepted\n"
	 "  - 0000:02:00.0 shares group 14 with 0000:03:00.0 (NVMe, driver nvme)\n"
	 " error boot-disk\n"
	 "  - 0000:02:00.0 shares group 14 with 0000:03:00.0, which holds nvme0n1p3, mounted on "
	 "/\n"},
	{"nor naming the disk too, under whatever consent",
	 GROUP
	 "03:00.0 144d:a808 010802 driver=nvme group=14 reset use=root:\"nvme0n1p3, mounted on /\"",
	 "disk address=03:00.0 accept=in-use\ngpu id=10de:1b81", NULL,
	 "disk 0000:03:00.0\n"
	 " error boot-disk\n"
	 "  - 0000:03:00.0 holds nvme0n1p3, mounted on /\n"
	 "gpu 0000:02:00.0 0000:02:00.1\n"
	 " error boot-disk\n"
	 "  - 0000:02:00.0 shares group 14 with 0000:03:00.0, which holds nvme0n1p3, mounted on "
	 "/\n"},
	{"an unbound sibling counts all the same (note 19)",
	 GROUP "03:00.0 1b21:2142 0c0330 group=14 reset", "gpu id=10de:1b81", NULL,
	 "gpu 0000:02:00.0 0000:02:00.1\n"
	 " error shared-group\n"
	 "  - 0000:02:00.0 shares group 14 with 0000:03:00.0 (USB, no driver)\n"},
	{"a sibling that goes along under another name",
	 GROUP "03:00.0 1b21:2142 0c0330 driver=xhci_hcd group=14 reset",
	 "gpu id=10de:1b81\nusb id=1b21:2142", NULL,
	 "gpu 0000:02:00.0 0000:02:00.1\nusb 0000:03:00.0\n"},
	{"whose uses are judged there",
	 GROUP "03:00.0 8086:1521 020000 driver=igb group=14 reset use=network:\"eno2, up\"",
	 "gpu id=10de:1b81\nnic id=8086:1521 accept=in-use", NULL,
	 "gpu 0000:02:00.0 0000:02:00.1\n"
	 "nic 0000:03:00.0\n"
	 " warning in-use accepted\n"
	 "  - 0000:03:00.0 carries eno2, up\n"},
	{"one that was to go along and is refused stays, so the group is shared",
	 GROUP "03:00.0 8086:1521 020000 driver=igb group=14 reset use=network:\"eno2, up\"",
	 "gpu id=10de:1b81\nnic id=8086:1521", NULL,
	 "gpu 0000:02:00.0 0000:02:00.1\n"
	 " error shared-group\n"
	 "  - 0000:02:00.0 shares group 14 with 0000:03:00.0, and nic, which was to take that "
	 "along, is refused\n"
	 "nic 0000:03:00.0\n"
	 " error in-use\n"
	 "  - 0000:03:00.0 carries eno2, up\n"},
	{"a sibling with the only keyboard",
	 GROUP "03:00.0 1b21:2142 0c0330 driver=xhci_hcd group=14 reset "
	       "use=keyboard:\"a keyboard (Maker K1)\"",
	 "gpu id=10de:1b81 accept=shared-group", NULL,
	 "gpu 0000:02:00.0 0000:02:00.1\n"
	 " warning shared-group accepted\n"
	 "  - 0000:02:00.0 shares group 14 with 0000:03:00.0 (USB, driver xhci_hcd)\n"
	 " warning last-keyboard\n"
	 "  - 0000:03:00.0 has a keyboard (Maker K1)\n"},
	{"console and network of siblings, each with its consent",
	 GROUP "03:00.0 8086:1521 020000 driver=igb group=14 reset "
	       "use=default-route:\"eno1, default route\"\n"
	       "04:00.0 1a03:2000 030000 driver=ast group=14 reset use=console:\"boot display "
	       "(boot_vga)\"",
	 "gpu id=10de:1b81 accept=shared-group,management-nic,boot-display", NULL,
	 "gpu 0000:02:00.0 0000:02:00.1\n"
	 " warning shared-group accepted\n"
	 "  - 0000:02:00.0 shares group 14 with 0000:03:00.0 (Ethernet, driver igb)\n"
	 "  - 0000:02:00.0 shares group 14 with 0000:04:00.0 (VGA, driver ast)\n"
	 " warning management-nic accepted\n"
	 "  - 0000:02:00.0 shares group 14 with 0000:03:00.0, which carries eno1, default "
	 "route\n"
	 " warning boot-display accepted\n"
	 "  - 0000:02:00.0 shares group 14 with 0000:04:00.0, which has the boot display "
	 "(boot_vga)\n"},
};

/* Why a group is that large: ports and cards that do not keep apart what is behind and in them. */
#define OPEN_PORT                                                                                  \
	GOOD "00:1c.0 8086:a338 060400 driver=pcieport group=14 acs=no\n"                          \
	     "00:1c.4 8086:a33c 060400 driver=pcieport group=14 acs=no\n"                          \
	     "02:00.0 10de:1b81 030000 driver=nouveau group=14 parent=00:1c.0 reset\n"             \
	     "03:00.0 1b21:2142 0c0330 driver=xhci_hcd group=14 parent=00:1c.4 reset\n"

static const struct guard_row acs_rows[] = {
	{"ports that have none", OPEN_PORT, "gpu id=10de:1b81", NULL,
	 "gpu 0000:02:00.0\n"
	 " error shared-group\n"
	 "  - 0000:02:00.0 shares group 14 with 0000:03:00.0 (USB, driver xhci_hcd)\n"
	 " warning no-acs\n"
	 "  - 0000:00:1c.0 has no access control (ACS), or has it off\n"
	 "  - 0000:00:1c.4 has no access control (ACS), or has it off\n"},
	{"which does not matter to who takes all", OPEN_PORT, "gpu id=10de:1b81\nusb id=1b21:2142",
	 NULL, "gpu 0000:02:00.0\nusb 0000:03:00.0\n"},
	{"a card whose functions reach each other",
	 GOOD "02:00.0 8086:1521 020000 driver=igb group=14 acs=no reset\n"
	      "02:00.1 8086:1521 020000 driver=igb group=14 acs=no reset",
	 "nic address=02:00.0 functions=0", NULL,
	 "nic 0000:02:00.0\n"
	 " error shared-group\n"
	 "  - 0000:02:00.0 shares group 14 with 0000:02:00.1 (Ethernet, driver igb)\n"
	 " warning no-acs\n"
	 "  - 0000:02:00.0 has no access control (ACS), or has it off\n"
	 "  - 0000:02:00.1 has no access control (ACS), or has it off\n"},
	{"what was not looked at says nothing",
	 GROUP "03:00.0 1b21:2142 0c0330 driver=xhci_hcd group=14 reset", "gpu id=10de:1b81", NULL,
	 "gpu 0000:02:00.0 0000:02:00.1\n"
	 " error shared-group\n"
	 "  - 0000:02:00.0 shares group 14 with 0000:03:00.0 (USB, driver xhci_hcd)\n"},
	{"groups that a patch has split (7.21a)",
	 GOOD "@ cmdline=\"quiet pcie_acs_override=downstream,multifunction\"\n"
	      "02:00.0 10de:1b81 030000 driver=nouveau group=14 reset",
	 "gpu id=10de:1b81", NULL,
	 "gpu 0000:02:00.0\n"
	 " warning no-acs\n"
	 "  - pcie_acs_override=downstream,multifunction on the running kernel's line\n"},
};

#define BESIDE	    "03:00.0 1b21:2142 0c0330 driver=xhci_hcd group=14 reset\n"
#define WAS(group_) "gpu 02:00.0 10de:1b81 wish=\"id 10de:1b81\" consent=shared-group group=" group_
#define SHARES                                                                                     \
	" warning shared-group accepted\n"                                                         \
	"  - 0000:02:00.0 shares group 14 with 0000:03:00.0 (USB, driver xhci_hcd)\n"
#define SAME "gpu 0000:02:00.0 0000:02:00.1 is same, by its place and ids\n"

/* The baseline: which members were there when the wish was first carried out. */
static const struct guard_row growth_rows[] = {
	{"it was there", GROUP BESIDE, "gpu id=10de:1b81 accept=shared-group",
	 WAS("10de:10f0,10de:1b81,1b21:2142"), SAME SHARES},
	{"it was not, and the consent is older", GROUP BESIDE,
	 "gpu id=10de:1b81 accept=shared-group", WAS("10de:10f0,10de:1b81"),
	 SAME SHARES " error group-grew\n"
		     "  - 0000:03:00.0 1b21:2142 (USB, driver xhci_hcd) is new in group 14 of "
		     "0000:02:00.0\n"},
	{"another number is no other group",
	 GOOD "02:00.0 10de:1b81 030000 driver=nouveau group=3 reset",
	 "gpu id=10de:1b81 accept=shared-group", WAS("10de:10f0,10de:1b81"),
	 "gpu 0000:02:00.0 is same, by its place and ids\n"},
	{"one of two equal ones is new", GROUP BESIDE "04:00.0 1b21:2142 0c0330 group=14 reset",
	 "gpu id=10de:1b81 accept=shared-group", WAS("10de:10f0,10de:1b81,1b21:2142"),
	 SAME SHARES
	 "  - 0000:02:00.0 shares group 14 with 0000:04:00.0 (USB, no driver)\n"
	 " error group-grew\n"
	 "  - 0000:04:00.0 1b21:2142 (USB, no driver) is new in group 14 of 0000:02:00.0\n"},
	{"a new one that goes along is no danger", GROUP BESIDE,
	 "gpu id=10de:1b81 accept=shared-group\nusb id=1b21:2142", WAS("10de:10f0,10de:1b81"),
	 SAME "usb 0000:03:00.0\n"},
	{"nor does one that went along all the time hide one that stays",
	 GROUP BESIDE "04:00.0 1b21:2142 0c0330 group=14 reset",
	 "gpu id=10de:1b81 accept=shared-group\nusb address=03:00.0 accept=shared-group",
	 WAS("10de:10f0,10de:1b81,1b21:2142") "\nusb 03:00.0 1b21:2142 wish=\"address "
					      "0000:03:00.0\" consent=shared-group",
	 SAME " warning shared-group accepted\n"
	      "  - 0000:02:00.0 shares group 14 with 0000:04:00.0 (USB, no driver)\n"
	      " error group-grew\n"
	      "  - 0000:04:00.0 1b21:2142 (USB, no driver) is new in group 14 of 0000:02:00.0\n"
	      "usb 0000:03:00.0 is same, by its place and ids\n"
	      " warning shared-group accepted\n"
	      "  - 0000:03:00.0 shares group 14 with 0000:04:00.0 (USB, no driver)\n"
	      "  - 0000:03:00.0 shares group 14 with 0000:02:00.0, and gpu, which was to take that "
	      "along, is refused\n"
	      "  - 0000:03:00.0 shares group 14 with 0000:02:00.1, and gpu, which was to take that "
	      "along, is refused\n"},
	{"another consent, another wish: as it is now", GROUP BESIDE,
	 "gpu id=10de:1b81 accept=shared-group,no-reset", WAS("10de:10f0,10de:1b81"), SAME SHARES},
};

static void check_rows(const struct guard_row *at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_row(&at[i]);
}

static void groups(void **state _unused_)
{
	check_rows(group_rows, ARRAY_LEN(group_rows));
}

static void access_control(void **state _unused_)
{
	check_rows(acs_rows, ARRAY_LEN(acs_rows));
}

static void growth(void **state _unused_)
{
	check_rows(growth_rows, ARRAY_LEN(growth_rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups),
		cmocka_unit_test(access_control),
		cmocka_unit_test(growth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
