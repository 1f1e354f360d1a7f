/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which functions a wish selects, and what is said when it selects none. */
#include "guard-rows.h"

#define GOOD   "@ vendor=intel model=\"Core i7\" virt dmar active remap=yes\n"
#define MASKED "masked-27dd1897d1c7f538" /* of S4EVNF0N */

/* A card of three functions, its twin without the USB one, a NIC of two ports, a bridge. */
#define CARDS                                                                                      \
	GOOD "00:01.0 8086:1901 060400 driver=pcieport group=1\n"                                  \
	     "00:1f.0 8086:a308 060100 group=9\n"                                                  \
	     "00:1f.3 8086:a348 040300 driver=snd_hda_intel group=9 reset\n"                       \
	     "01:00.0 10de:1e87:1458:37a7 030000 driver=nouveau group=11 parent=00:01.0 "          \
	     "methods=bus\n"                                                                       \
	     "01:00.1 10de:10f8:1458:37a7 040300 driver=snd_hda_intel group=11 parent=00:01.0 "    \
	     "methods=\n"                                                                          \
	     "01:00.2 10de:1ad8:1458:37a7 0c0330 driver=xhci_hcd group=11 parent=00:01.0 "         \
	     "methods=pm\n"                                                                        \
	     "02:00.0 10de:1e87:1043:8661 030000 driver=nouveau group=12 parent=00:1c.0 "          \
	     "methods=bus\n"                                                                       \
	     "02:00.1 10de:10f8:1043:8661 040300 driver=snd_hda_intel group=12 parent=00:1c.0\n"   \
	     "03:00.0 8086:1521 020000 driver=igb group=13 parent=00:1c.4 reset "                  \
	     "mac=a0:36:9f:00:00:01\n"                                                             \
	     "03:00.1 8086:1521 020000 driver=igb group=14 parent=00:1c.4 reset "                  \
	     "mac=a0:36:9f:00:00:02\n"                                                             \
	     "04:00.0 144d:a808 010802 driver=nvme group=15 reset serial=S4EVNF0M\n"               \
	     "05:00.0 144d:a808 010802 driver=nvme group=16 reset serial=S4EVNF0N\n"

/* Two equal cards whose slots the firmware names, and a disk whose slot it does not. */
#define LABELLED                                                                                   \
	GOOD "01:00.0 10de:1b81 030000 driver=nouveau group=11 reset label=\"PCIe Slot 3\"\n"      \
	     "01:00.1 10de:10f0 040300 driver=snd_hda_intel group=11 reset\n"                      \
	     "02:00.0 10de:1b81 030000 driver=nouveau group=12 reset label=\"PCIe Slot 4\"\n"      \
	     "04:00.0 144d:a808 010802 driver=nvme group=15 reset\n"

static const struct guard_row rows[] = {
	{"an id with its subsystem, and the card's other functions", CARDS,
	 "gpu id=10de:1e87:1458:37a7", NULL, "gpu 0000:01:00.0 0000:01:00.1 0000:01:00.2\n"},
	{"twins are an error, never a guess", CARDS, "gpu id=10de:1e87", NULL,
	 "gpu\n"
	 " error ambiguous-device\n"
	 "  - 0000:01:00.0 10de:1e87:1458:37a7 (VGA, driver nouveau)\n"
	 "  - 0000:02:00.0 10de:1e87:1043:8661 (VGA, driver nouveau)\n"},
	{"both twins by count", CARDS, "gpu id=10de:1e87 count=2", NULL,
	 "gpu 0000:01:00.0 0000:01:00.1 0000:01:00.2 0000:02:00.0 0000:02:00.1\n"},
	{"fewer than count", CARDS, "gpu id=10de:1e87 count=3", NULL,
	 "gpu\n"
	 " error no-such-device\n"
	 "  - 0000:01:00.0 10de:1e87:1458:37a7 (VGA, driver nouveau)\n"
	 "  - 0000:02:00.0 10de:1e87:1043:8661 (VGA, driver nouveau)\n"},
	{"an address, however it is written, brings its card", CARDS, "gpu address=01:00.1", NULL,
	 "gpu 0000:01:00.0 0000:01:00.1 0000:01:00.2\n"},
	{"listed functions only; the group holds the rest", CARDS,
	 "gpu address=01:00.0 functions=1 accept=no-reset", NULL,
	 "gpu 0000:01:00.0 0000:01:00.1\n"
	 " warning no-reset accepted\n"
	 "  - 0000:01:00.1 has no reset method, and a reset of its bus would reach devices that "
	 "stay\n"
	 " error shared-group\n"
	 "  - 0000:01:00.0 shares group 11 with 0000:01:00.2 (USB, driver xhci_hcd)\n"},
	{"a slot is one card", CARDS, "gpu slot=02:00", NULL, "gpu 0000:02:00.0 0000:02:00.1\n"},
	{"two ports that fit are one card", CARDS, "nic id=8086:1521", NULL,
	 "nic 0000:03:00.0 0000:03:00.1\n"},
	{"with functions listed each port counts", CARDS, "nic id=8086:1521 functions=0", NULL,
	 "nic\n"
	 " error ambiguous-device\n"
	 "  - 0000:03:00.0 8086:1521 (Ethernet, driver igb)\n"
	 "  - 0000:03:00.1 8086:1521 (Ethernet, driver igb)\n"},
	{"one port by its MAC address", CARDS, "nic mac=A0:36:9F:00:00:02 functions=1", NULL,
	 "nic 0000:03:00.1\n"},
	{"one of two equal disks by its serial", CARDS, "disk id=144d:a808 serial=s4evnf0n", NULL,
	 "disk 0000:05:00.0\n"},
	{"a serial as a capture shows it, wished for in plain",
	 GOOD "04:00.0 144d:a808 010802 driver=nvme group=15 reset serial=" MASKED "\n"
	      "05:00.0 144d:a808 010802 driver=nvme group=16 reset serial=masked-0123456789abcdef",
	 "disk serial=S4EVNF0N", NULL, "disk 0000:04:00.0\n"},
	{"a serial in plain, wished for as a capture shows it", CARDS, "disk serial=" MASKED, NULL,
	 "disk 0000:05:00.0\n"},
	{"candidates show the serial that tells them apart", CARDS, "disk class=nvme", NULL,
	 "disk\n"
	 " error ambiguous-device\n"
	 "  - 0000:04:00.0 144d:a808 (NVMe, driver nvme), serial S4EVNF0M\n"
	 "  - 0000:05:00.0 144d:a808 (NVMe, driver nvme), serial S4EVNF0N\n"},
	{"all selectors must hold", CARDS, "gpu id=10de:1e87 address=03:00.0", NULL,
	 "gpu\n"
	 " error no-such-device\n"
	 "  - 0000:01:00.0 10de:1e87:1458:37a7 (VGA, driver nouveau): id fits, address does not\n"
	 "  - 0000:02:00.0 10de:1e87:1043:8661 (VGA, driver nouveau): id fits, address does not\n"
	 "  - 0000:03:00.0 8086:1521 (Ethernet, driver igb): address fits, id does not\n"},
	{"the driver it has now", CARDS, "x bound-to=snd-hda-intel address=01:00.1", NULL,
	 "x 0000:01:00.0 0000:01:00.1 0000:01:00.2\n"},
	{"a slot by the firmware's name for it, in either case", LABELLED,
	 "x label=\"pcie slot 3*\"", NULL, "x 0000:01:00.0 0000:01:00.1\n"},
	{"a name that fits two slots", LABELLED, "x label=\"PCIe Slot ?\"", NULL,
	 "x\n"
	 " error ambiguous-device\n"
	 "  - 0000:01:00.0 10de:1b81 (VGA, driver nouveau)\n"
	 "  - 0000:02:00.0 10de:1b81 (VGA, driver nouveau)\n"},
	{"what the firmware has no name for fits none", LABELLED, "x label=\"PCIe Slot 5\"", NULL,
	 "x\n error no-such-device\n"},
	{"a name and an id that contradict", LABELLED, "x label=\"PCIe Slot 3\" id=144d:a808", NULL,
	 "x\n"
	 " error no-such-device\n"
	 "  - 0000:01:00.0 10de:1b81 (VGA, driver nouveau): label fits, id does not\n"
	 "  - 0000:04:00.0 144d:a808 (NVMe, driver nvme): id fits, label does not\n"},
	{"nothing given selects nothing", CARDS, "x", NULL, "x\n error no-such-device\n"},
	{"an empty selector fits nothing", CARDS, "x serial= class=nvme", NULL,
	 "x\n"
	 " error no-such-device\n"
	 "  - 0000:04:00.0 144d:a808 (NVMe, driver nvme): class fits, serial does not\n"
	 "  - 0000:05:00.0 144d:a808 (NVMe, driver nvme): class fits, serial does not\n"},
	{"near: the same vendor, another maker's board", CARDS, "gpu id=10de:1e87:10de:1e87", NULL,
	 "gpu\n"
	 " error no-such-device\n"
	 "  - 0000:01:00.0 10de:1e87:1458:37a7 (VGA, driver nouveau): the same model of another "
	 "board maker\n"
	 "  - 0000:01:00.1 10de:10f8:1458:37a7 (audio, driver snd_hda_intel): the same vendor\n"
	 "  - 0000:01:00.2 10de:1ad8:1458:37a7 (USB, driver xhci_hcd): the same vendor\n"
	 "  - 0000:02:00.0 10de:1e87:1043:8661 (VGA, driver nouveau): the same model of another "
	 "board maker\n"
	 "  - 0000:02:00.1 10de:10f8:1043:8661 (audio, driver snd_hda_intel): the same vendor\n"},
	{"near: another function of that slot", CARDS, "gpu address=02:00.7", NULL,
	 "gpu\n"
	 " error no-such-device\n"
	 "  - 0000:02:00.0 10de:1e87:1043:8661 (VGA, driver nouveau): another function of that "
	 "slot\n"
	 "  - 0000:02:00.1 10de:10f8:1043:8661 (audio, driver snd_hda_intel): another function of "
	 "that slot\n"},
	{"a bridge asked for", CARDS, "x address=00:01.0", NULL,
	 "x\n"
	 " error bridge-device\n"
	 "  - 0000:00:01.0 8086:1901 (bridge, driver pcieport)\n"},
	{"a bridge in the slot stays and does not count in the group", CARDS, "x slot=00:1f", NULL,
	 "x 0000:00:1f.3\n"},
	{"two names for one function", CARDS, "audio id=10de:10f8:1458:37a7\ngpu address=01:00.0",
	 NULL,
	 "audio 0000:01:00.0 0000:01:00.1 0000:01:00.2\n"
	 " error ambiguous-device\n"
	 "  - 0000:01:00.0 is selected by gpu too\n"
	 "  - 0000:01:00.1 is selected by gpu too\n"
	 "  - 0000:01:00.2 is selected by gpu too\n"
	 "gpu 0000:01:00.0 0000:01:00.1 0000:01:00.2\n"
	 " error ambiguous-device\n"
	 "  - 0000:01:00.0 is selected by audio too\n"
	 "  - 0000:01:00.1 is selected by audio too\n"
	 "  - 0000:01:00.2 is selected by audio too\n"},
};

#define SRIOV                                                                                      \
	GOOD "04:00.0 8086:1572 020000 driver=i40e group=20 reset vfs=2\n"                         \
	     "04:00.1 8086:1572 020000 driver=i40e group=21 reset\n"                               \
	     "04:00.2 8086:154c 020000 driver=iavf group=22 reset vf=04:00.0\n"                    \
	     "04:00.3 8086:154c 020000 driver=iavf group=23 reset vf=04:00.0\n"

static const struct guard_row virtual_rows[] = {
	{"a virtual function stands alone", SRIOV, "vf address=04:00.2", NULL, "vf 0000:04:00.2\n"},
	{"virtual functions are counted one by one", SRIOV, "vf id=8086:154c count=2", NULL,
	 "vf 0000:04:00.2 0000:04:00.3\n"},
	{"the physical function does not bring them", SRIOV, "nic address=04:00.1 functions=1",
	 NULL, "nic 0000:04:00.1\n"},
	{"a physical function whose virtual ones are on", SRIOV, "nic address=04:00.0", NULL,
	 "nic 0000:04:00.0 0000:04:00.1\n"
	 " error virtual-functions-active\n"
	 "  - 0000:04:00.0 has 2 virtual functions switched on\n"},
};

/* Once vfio-pci has it, a device shows neither MAC address nor disk serial nor its old driver. */
#define TAKEN                                                                                      \
	GOOD "03:00.0 8086:1521 020000 driver=vfio-pci group=13 reset\n"                           \
	     "04:00.0 144d:a808 010802 driver=vfio-pci group=15 reset\n"

static const struct guard_row ledger_rows[] = {
	{"a MAC address that the ledger remembers", TAKEN, "nic mac=a0:36:9f:00:00:01",
	 "nic 03:00.0 8086:1521 previous=igb serial=\"mac a0:36:9f:00:00:01\"",
	 "nic 0000:03:00.0 is same, by its place and ids\n"},
	{"another MAC address is another device", TAKEN, "nic mac=a0:36:9f:00:00:09",
	 "nic 03:00.0 8086:1521 previous=igb serial=\"mac a0:36:9f:00:00:01\"",
	 "nic\n error no-such-device\n"},
	{"the ledger's word about another model does not count", TAKEN, "nic serial=S1",
	 "nic 03:00.0 8086:10c9 previous=igb serial=\"serial S1\"",
	 "nic\n"
	 " error no-such-device\n"
	 "  - until now it was 8086:10c9 at 0000:03:00.0 (serial S1), where another device is "
	 "now\n"},
	{"nor does what it remembers under another name", TAKEN, "b serial=S1",
	 "a 04:00.0 144d:a808 serial=\"serial S1\"", "b\n error no-such-device\n"},
	{"the driver that it had", TAKEN, "disk bound-to=nvme class=nvme",
	 "disk 04:00.0 144d:a808 previous=nvme",
	 "disk 0000:04:00.0 is same, by its place and ids\n"},
	{"the host driver has it back: what is seen counts", CARDS, "disk serial=OLD",
	 "disk 04:00.0 144d:a808 serial=\"serial OLD\"",
	 "disk\n"
	 " error no-such-device\n"
	 "  - until now it was 144d:a808 at 0000:04:00.0 (serial OLD), where another device is "
	 "now\n"},
};

static void check_rows(const struct guard_row *at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_row(&at[i]);
}

static void selects(void **state _unused_)
{
	check_rows(rows, ARRAY_LEN(rows));
}

static void virtual_functions(void **state _unused_)
{
	check_rows(virtual_rows, ARRAY_LEN(virtual_rows));
}

static void remembers(void **state _unused_)
{
	check_rows(ledger_rows, ARRAY_LEN(ledger_rows));
}

/* What is written down at binding is all that is seen, and later what is hidden by then. */
static void fingerprints(void **state _unused_)
{
	static const struct {
		const char *host, *ledger, *expected;
	} table[] = {
		{"03:00.0 8086:1521 020000 driver=igb serial=A mac=m1", "", "serial A\nmac m1"},
		{"03:00.0 8086:1521 020000 driver=vfio-pci serial=A",
		 "nic 03:00.0 8086:1521 serial=\"mac m1\"", "serial A\nmac m1"},
		{"03:00.0 8086:1521 020000", "nic 03:00.0 8086:1521 serial=\"serial A\"",
		 "serial A"},
		{"03:00.0 8086:1521 020000 driver=igb mac=m2",
		 "nic 03:00.0 8086:1521 serial=\"mac m1\"", "mac m2"},
		{"03:00.0 8086:1521 020000 driver=vfio-pci",
		 "other 03:00.0 8086:1521 serial=\"mac m1\"", ""},
		{"03:00.0 8086:1522 020000 driver=vfio-pci",
		 "nic 03:00.0 8086:1521 serial=\"mac m1\"", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct host *host = made_host(table[i].host);
		struct ledger *ledger = made_ledger(table[i].ledger);
		const char *text = NULL;
		struct guard g;

		assert_int_equal(guard_init(&g, host->arena, NULL, host, ledger), 0);
		assert_int_equal(guard_fingerprint(&g, "nic", &host->devices.at[0], &text), 0);
		assert_string_equal(text, table[i].expected);
		ledger_free(ledger);
		host_free(host);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(selects),
		cmocka_unit_test(virtual_functions),
		cmocka_unit_test(remembers),
		cmocka_unit_test(fingerprints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
