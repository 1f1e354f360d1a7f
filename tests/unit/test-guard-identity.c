/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether what fits a wish is what was chosen by it, by the ledger's fingerprint (7.19). */
#include "guard-rows.h"

#define GOOD "@ vendor=intel model=\"Core i7\" virt dmar active remap=yes\n"
#define SA   "00-11-22-33-44-55-66-aa"
#define SB   "00-11-22-33-44-55-66-bb"

/* Three ports for cards; a function's path is the port's place and its own. */
#define PORTS                                                                                      \
	GOOD "00:01.0 8086:1901 060400 group=1\n"                                                  \
	     "00:1c.0 8086:a338 060400 group=2\n"                                                  \
	     "00:1c.4 8086:a33c 060400 group=3\n"
#define AT_01 "01:00.0 8086:10d3 020000 group=11 reset parent=00:01.0 "
#define AT_02 "02:00.0 8086:10d3 020000 group=12 reset parent=00:1c.0 "
#define AT_03 "03:00.0 8086:10d3 020000 group=13 reset parent=00:1c.4 "
#define WAS   "nic 01:00.0 8086:10d3 path=0000:00:01.0/00.0 "
#define MAC_A "mac 52:54:00:00:00:0a"

/* The wishes, as they are written down. */
#define BY_ID	   "wish=\"id 8086:10d3\" "
#define BY_MAC	   "wish=\"mac 52:54:00:00:00:0a\" "
#define BY_ADDRESS "wish=\"address 0000:01:00.0\" "
#define BY_LABEL   "wish=\"label Slot 1\" "

static const struct guard_row same_rows[] = {
	{"nothing is remembered", PORTS AT_01, "nic id=8086:10d3", "", "nic 0000:01:00.0\n"},
	{"place and ids", PORTS AT_01, "nic id=8086:10d3", WAS BY_ID,
	 "nic 0000:01:00.0 is same, by its place and ids\n"},
	{"a ledger that tells neither wish nor path", PORTS AT_01, "nic id=8086:10d3",
	 "nic 01:00.0 8086:10d3", "nic 0000:01:00.0 is same, by its place and ids\n"},
	{"its own serial number", PORTS AT_01 "driver=vfio-pci pcie-serial=" SA, "nic id=8086:10d3",
	 WAS BY_ID "serial=\"serial " SA "\"",
	 "nic 0000:01:00.0 is same, by PCIe serial number " SA "\n"},
	{"its own serial number, written down before anybody looked at paths",
	 PORTS AT_01 "pcie-serial=" SA, "nic id=8086:10d3",
	 "nic 01:00.0 8086:10d3 serial=\"serial " SA "\"",
	 "nic 0000:01:00.0 is same, by PCIe serial number " SA "\n"},
	{"its MAC address", PORTS AT_01 "driver=e1000e mac=52:54:00:00:00:0a",
	 "nic mac=52:54:00:00:00:0a", WAS BY_MAC "serial=\"" MAC_A "\"",
	 "nic 0000:01:00.0 is same, by MAC address 52:54:00:00:00:0a\n"},
	{"a MAC address may be set: another one is no other card",
	 PORTS AT_01 "driver=e1000e mac=02:00:00:00:00:01", "nic id=8086:10d3",
	 WAS BY_ID "serial=\"" MAC_A "\"", "nic 0000:01:00.0 is same, by its place and ids\n"},
	{"the firmware counts its bridges anew, and nothing could be mixed up",
	 GOOD "00:1b.0 8086:a338 060400 group=2\n"
	      "01:00.0 8086:10d3 020000 group=11 reset parent=00:1b.0",
	 "nic id=8086:10d3", WAS BY_ID, "nic 0000:01:00.0 is same, by its place and ids\n"},
	{"a twin that is plugged beside it does not make it another", PORTS AT_01 "\n" AT_03,
	 "nic address=01:00.0", WAS BY_ADDRESS, "nic 0000:01:00.0 is same, by its place and ids\n"},
	{"another wish is a new choice", PORTS AT_02, "nic id=8086:10d3 class=network",
	 WAS BY_ID "serial=\"serial " SA "\"", "nic 0000:02:00.0\n"},
	{"so is another count", PORTS AT_01 "\n" AT_02, "nic id=8086:10d3 count=2", WAS BY_ID,
	 "nic 0000:01:00.0 0000:02:00.0\n"},
	{"and another name", PORTS AT_02, "n id=8086:10d3", WAS BY_ID, "n 0000:02:00.0\n"},
	{"a function more on its card is new, the card is not",
	 PORTS AT_01 "\n01:00.1 8086:10d3 020000 group=11 reset parent=00:01.0", "nic slot=01:00",
	 WAS "wish=\"slot 0000:01:00\"",
	 "nic 0000:01:00.0 0000:01:00.1 is same, by its place and ids\n"},
	{"the wish names the model that is there: what is remembered was chosen by another",
	 PORTS AT_01, "nic address=01:00.0 id=8086:10d3", "nic 01:00.0 8086:1521",
	 "nic 0000:01:00.0\n"},
};

static const struct guard_row moved_rows[] = {
	{"by its own serial number, whatever driver has it",
	 PORTS AT_02 "driver=vfio-pci pcie-serial=" SA "\n" AT_03 "pcie-serial=" SB,
	 "nic serial=" SA, WAS "wish=\"serial " SA "\" serial=\"serial " SA "\"",
	 "nic 0000:02:00.0 is moved, by PCIe serial number " SA "\n"
	 " note device-moved\n"
	 "  - then: 8086:10d3 at 0000:01:00.0 (path 0000:00:01.0/00.0, serial " SA ")\n"
	 "  - now: 8086:10d3 at 0000:02:00.0 (path 0000:00:1c.0/00.0, serial " SA ")\n"
	 "  - known by PCIe serial number " SA "\n"},
	{"by its MAC address, and its old place has its twin under vfio-pci",
	 PORTS AT_01 "driver=vfio-pci pcie-serial=" SB "\n" AT_03
		     "driver=e1000e mac=52:54:00:00:00:0a pcie-serial=" SA,
	 "nic mac=52:54:00:00:00:0a", WAS BY_MAC "serial=\"serial " SA ";" MAC_A "\"",
	 "nic 0000:03:00.0 is moved, by PCIe serial number " SA "\n"
	 " note device-moved\n"
	 "  - then: 8086:10d3 at 0000:01:00.0 (path 0000:00:01.0/00.0, serial " SA
	 ", mac 52:54:00:00:00:0a)\n"
	 "  - now: 8086:10d3 at 0000:03:00.0 (path 0000:00:1c.4/00.0, serial " SA
	 ", mac 52:54:00:00:00:0a)\n"
	 "  - known by PCIe serial number " SA "\n"},
	{"while its MAC address is hidden, by the serial number that is not",
	 PORTS AT_01 "driver=e1000e pcie-serial=" SB " mac=52:54:00:00:00:0b\n" AT_03
		     "driver=vfio-pci pcie-serial=" SA,
	 "nic mac=52:54:00:00:00:0a", WAS BY_MAC "serial=\"serial " SA ";" MAC_A "\"",
	 "nic 0000:03:00.0 is moved, by PCIe serial number " SA "\n"
	 " note device-moved\n"
	 "  - then: 8086:10d3 at 0000:01:00.0 (path 0000:00:01.0/00.0, serial " SA
	 ", mac 52:54:00:00:00:0a)\n"
	 "  - now: 8086:10d3 at 0000:03:00.0 (path 0000:00:1c.4/00.0, serial " SA ")\n"
	 "  - known by PCIe serial number " SA "\n"},
	{"by a disk's serial number",
	 PORTS "04:00.0 144d:a808 010802 driver=nvme group=14 reset serial=S1\n"
	       "05:00.0 144d:a808 010802 driver=nvme group=15 reset serial=S2",
	 "disk serial=S2", "disk 04:00.0 144d:a808 wish=\"serial S2\" serial=\"serial S2\"",
	 "disk 0000:05:00.0 is moved, by serial number S2\n"
	 " note device-moved\n"
	 "  - then: 144d:a808 at 0000:04:00.0 (serial S2)\n"
	 "  - now: 144d:a808 at 0000:05:00.0 (path 0000:05:00.0, serial S2)\n"
	 "  - known by serial number S2\n"},
	{"as the only one", PORTS AT_02, "nic id=8086:10d3", WAS BY_ID,
	 "nic 0000:02:00.0 is moved, as the only one of its ids, then and now\n"
	 " note device-moved\n"
	 "  - then: 8086:10d3 at 0000:01:00.0 (path 0000:00:01.0/00.0)\n"
	 "  - now: 8086:10d3 at 0000:02:00.0 (path 0000:00:1c.0/00.0)\n"
	 "  - known as the only one of its ids, then and now\n"},
	{"both of two", PORTS AT_02 "\n" AT_03, "nic id=8086:10d3 count=2",
	 "nic 01:00.0 8086:10d3 wish=\"id 8086:10d3, count 2\"\n"
	 "nic 02:00.0 8086:10d3 wish=\"id 8086:10d3, count 2\"",
	 "nic 0000:02:00.0 0000:03:00.0 is moved, as the only one of its ids, then and now\n"
	 " note device-moved\n"
	 "  - then: 8086:10d3 at 0000:01:00.0\n"
	 "  - now: 8086:10d3 at 0000:03:00.0 (path 0000:00:1c.4/00.0)\n"
	 "  - known as the only one of its ids, then and now\n"},
};

static const struct guard_row replaced_rows[] = {
	{"another model at the address", PORTS AT_01, "nic address=01:00.0",
	 "nic 01:00.0 8086:1521 " BY_ADDRESS "serial=\"serial " SA "\"",
	 "nic is replaced, its fingerprint is another\n"
	 " error identity-mismatch\n"
	 "  - then: 8086:1521 at 0000:01:00.0 (serial " SA ")\n"
	 "  - now: 8086:10d3 at 0000:01:00.0 (path 0000:00:01.0/00.0)\n"},
	{"another board of the same model",
	 PORTS "01:00.0 8086:10d3:8086:a01f 020000 group=11 reset", "nic address=01:00.0",
	 "nic 01:00.0 8086:10d3:103c:1234 " BY_ADDRESS,
	 "nic is replaced, its fingerprint is another\n"
	 " error identity-mismatch\n"
	 "  - then: 8086:10d3:103c:1234 at 0000:01:00.0\n"
	 "  - now: 8086:10d3:8086:a01f at 0000:01:00.0 (path 0000:01:00.0)\n"},
	{"the same model with another serial number, even under vfio-pci",
	 PORTS AT_01 "driver=vfio-pci pcie-serial=" SB, "nic address=01:00.0",
	 WAS BY_ADDRESS "serial=\"serial " SA "\"",
	 "nic is replaced, its fingerprint is another\n"
	 " error identity-mismatch\n"
	 "  - then: 8086:10d3 at 0000:01:00.0 (path 0000:00:01.0/00.0, serial " SA ")\n"
	 "  - now: 8086:10d3 at 0000:01:00.0 (path 0000:00:01.0/00.0, serial " SB ")\n"},
	{"a disk with another serial number",
	 PORTS "04:00.0 144d:a808 010802 driver=nvme group=14 reset serial=S1",
	 "disk address=04:00.0", "disk 04:00.0 144d:a808 serial=\"serial S0\"",
	 "disk is replaced, its fingerprint is another\n"
	 " error identity-mismatch\n"
	 "  - then: 144d:a808 at 0000:04:00.0 (serial S0)\n"
	 "  - now: 144d:a808 at 0000:04:00.0 (path 0000:04:00.0, serial S1)\n"},
	{"another disk behind a controller is no other controller",
	 PORTS "04:00.0 1000:0072 010700 driver=mpt3sas group=14 reset serial=S1",
	 "hba address=04:00.0", "hba 04:00.0 1000:0072 serial=\"serial S0\"",
	 "hba 0000:04:00.0 is same, by its place and ids\n"},
	{"a disk's serial remembered and the function's own seen do not differ",
	 PORTS "04:00.0 144d:a808 010802 driver=vfio-pci group=15 reset pcie-serial=" SA,
	 "disk address=04:00.0", "disk 04:00.0 144d:a808 serial=\"serial S0\"",
	 "disk 0000:04:00.0 is same, by its place and ids\n"},
	{"the same model elsewhere, with another serial number", PORTS AT_02 "pcie-serial=" SB,
	 "nic id=8086:10d3", WAS BY_ID "serial=\"serial " SA "\"",
	 "nic is replaced, its fingerprint is another\n"
	 " error identity-mismatch\n"
	 "  - then: 8086:10d3 at 0000:01:00.0 (path 0000:00:01.0/00.0, serial " SA ")\n"
	 "  - now: 8086:10d3 at 0000:02:00.0 (path 0000:00:1c.0/00.0, serial " SB ")\n"},
	{"another model elsewhere", PORTS AT_02 "label=\"Slot 1\"", "nic label=\"Slot 1\"",
	 "nic 01:00.0 8086:1521 " BY_LABEL,
	 "nic is replaced, its fingerprint is another\n"
	 " error identity-mismatch\n"
	 "  - then: 8086:1521 at 0000:01:00.0\n"
	 "  - now: 8086:10d3 at 0000:02:00.0 (path 0000:00:1c.0/00.0)\n"},
	{"the disk that is named, behind another controller of the same model",
	 PORTS "04:00.0 1000:0072 010700 driver=mpt3sas group=14 reset pcie-serial=" SA
	       "\n05:00.0 1000:0072 010700 driver=mpt3sas group=15 reset serial=S0 pcie-serial=" SB,
	 "hba serial=S0",
	 "hba 04:00.0 1000:0072 wish=\"serial S0\" serial=\"serial S0;serial " SA "\"",
	 "hba is replaced, its fingerprint is another\n"
	 " error identity-mismatch\n"
	 "  - then: 1000:0072 at 0000:04:00.0 (serial S0, serial " SA ")\n"
	 "  - now: 1000:0072 at 0000:05:00.0 (path 0000:05:00.0, serial S0, serial " SB ")\n"},
};

static const struct guard_row twin_rows[] = {
	{"a card more, and the buses are counted anew",
	 PORTS "01:00.0 8086:10d3 020000 group=11 reset parent=00:1c.0\n" AT_03,
	 "nic address=01:00.0", WAS BY_ADDRESS,
	 "nic is ambiguous-twin, nothing tells it from its equal\n"
	 " error ambiguous-device\n"
	 "  - then: 8086:10d3 at 0000:01:00.0 (path 0000:00:01.0/00.0)\n"
	 "  - now: 8086:10d3 at 0000:01:00.0 (path 0000:00:1c.0/00.0)\n"
	 "  - its equal: 0000:03:00.0 8086:10d3 (Ethernet, no driver)\n"},
	{"serial numbers tell even then",
	 PORTS "01:00.0 8086:10d3 020000 group=11 reset parent=00:1c.0 pcie-serial=" SA "\n" AT_03
	       "pcie-serial=" SB,
	 "nic address=01:00.0", WAS BY_ADDRESS "serial=\"serial " SA "\"",
	 "nic 0000:01:00.0 is same, by PCIe serial number " SA "\n"},
	{"unless both have the same one, as some makers' cards do",
	 PORTS "01:00.0 8086:10d3 020000 group=11 reset parent=00:1c.0 pcie-serial=" SA "\n" AT_03
	       "pcie-serial=" SA,
	 "nic address=01:00.0", WAS BY_ADDRESS "serial=\"serial " SA "\"",
	 "nic is ambiguous-twin, nothing tells it from its equal\n"
	 " error ambiguous-device\n"
	 "  - then: 8086:10d3 at 0000:01:00.0 (path 0000:00:01.0/00.0, serial " SA ")\n"
	 "  - now: 8086:10d3 at 0000:01:00.0 (path 0000:00:1c.0/00.0, serial " SA ")\n"
	 "  - its equal: 0000:03:00.0 8086:10d3 (Ethernet, no driver)\n"},
	{"the label went to an equal card, and the old one is still there",
	 PORTS AT_01 "\n" AT_02 "label=\"Slot 1\"", "nic label=\"Slot 1\"", WAS BY_LABEL,
	 "nic is ambiguous-twin, nothing tells it from its equal\n"
	 " error ambiguous-device\n"
	 "  - then: 8086:10d3 at 0000:01:00.0 (path 0000:00:01.0/00.0)\n"
	 "  - now: 8086:10d3 at 0000:02:00.0 (path 0000:00:1c.0/00.0)\n"
	 "  - its equal: 0000:01:00.0 8086:10d3 (Ethernet, no driver)\n"},
	{"one that another name has chosen may be it", PORTS AT_02 "label=\"Slot 1\"",
	 "nic label=\"Slot 1\"", WAS BY_LABEL "\nother 02:00.0 8086:10d3",
	 "nic is ambiguous-twin, nothing tells it from its equal\n"
	 " error ambiguous-device\n"
	 "  - then: 8086:10d3 at 0000:01:00.0 (path 0000:00:01.0/00.0)\n"
	 "  - now: 8086:10d3 at 0000:02:00.0 (path 0000:00:1c.0/00.0)\n"},
	{"equal cards that are all taken cannot be mixed up",
	 PORTS "01:00.0 8086:10d3 020000 group=11 reset parent=00:1c.0\n" AT_03,
	 "nic id=8086:10d3 count=2",
	 "nic 01:00.0 8086:10d3 path=0000:00:01.0/00.0 wish=\"id 8086:10d3, count 2\"\n"
	 "nic 03:00.0 8086:10d3 path=0000:00:1c.0/00.0 wish=\"id 8086:10d3, count 2\"",
	 "nic 0000:01:00.0 0000:03:00.0 is same, by its place and ids\n"},
	{"a MAC address that a bond gives to both proves nothing",
	 PORTS AT_01 "driver=vfio-pci\n" AT_03 "driver=e1000e mac=52:54:00:00:00:0a",
	 "nic mac=52:54:00:00:00:0a", WAS BY_MAC "serial=\"" MAC_A "\"",
	 "nic\n"
	 " error ambiguous-device\n"
	 "  - 0000:01:00.0 8086:10d3 (Ethernet, driver vfio-pci)\n"
	 "  - 0000:03:00.0 8086:10d3 (Ethernet, driver e1000e)\n"},
	{"the ports of one card are no twins of each other",
	 GOOD "00:1c.0 8086:a338 060400 group=2\n"
	      "01:00.0 8086:1521 020000 group=11 reset parent=00:1c.0\n"
	      "01:00.1 8086:1521 020000 group=12 reset parent=00:1c.0",
	 "nic address=01:00.1 functions=1",
	 "nic 01:00.1 8086:1521 path=0000:00:01.0/00.1 wish=\"address 0000:01:00.1\"",
	 "nic 0000:01:00.1 is same, by its place and ids\n"},
};

/* The ledger's word about what vfio-pci hides, where the serial number that it does not hide tells
 * that another card is meant by it. */
static const struct guard_row hidden_rows[] = {
	{"swapped twins: the card in the old place is not the one",
	 PORTS AT_01 "driver=vfio-pci pcie-serial=" SB, "nic mac=52:54:00:00:00:0a",
	 WAS BY_MAC "serial=\"serial " SA ";" MAC_A "\"",
	 "nic\n"
	 " error no-such-device\n"
	 "  - until now it was 8086:10d3 at 0000:01:00.0 (path 0000:00:01.0/00.0, serial " SA
	 ", mac 52:54:00:00:00:0a), where another device is now\n"},
	{"a disk's serial likewise",
	 PORTS "04:00.0 144d:a808 010802 driver=vfio-pci group=15 reset pcie-serial=" SB,
	 "disk serial=S1", "disk 04:00.0 144d:a808 serial=\"serial " SA ";serial S1\"",
	 "disk\n"
	 " error no-such-device\n"
	 "  - until now it was 144d:a808 at 0000:04:00.0 (serial " SA
	 ", serial S1), where another device is now\n"},
};

static void check_rows(const struct guard_row *at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_row(&at[i]);
}

static void the_same(void **state _unused_)
{
	check_rows(same_rows, ARRAY_LEN(same_rows));
}

static void moved(void **state _unused_)
{
	check_rows(moved_rows, ARRAY_LEN(moved_rows));
}

static void replaced(void **state _unused_)
{
	check_rows(replaced_rows, ARRAY_LEN(replaced_rows));
}

static void twins(void **state _unused_)
{
	check_rows(twin_rows, ARRAY_LEN(twin_rows));
}

static void hidden(void **state _unused_)
{
	check_rows(hidden_rows, ARRAY_LEN(hidden_rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same), cmocka_unit_test(moved),  cmocka_unit_test(replaced),
		cmocka_unit_test(twins),    cmocka_unit_test(hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
