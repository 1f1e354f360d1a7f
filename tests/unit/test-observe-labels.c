/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of slots: the function's own, the firmware's by the slot or the port above, hotplug's. */
#include "observe-text.h"

/* A structure of type 9: slot id and characteristics are of no interest. */
#define SLOT(segment, bus, devfn)                                                                  \
	"\\x09\\x11\\x2a\\x00\\x02\\xa5\\x0d\\x04\\x04\\x01\\x00\\x0c\\x01" segment bus devfn      \
	"first\\x00 J6B2  \\x00\\x00"
#define ENTRY(number, raw) "[/sys/firmware/dmi/entries/9-" number "]\nraw : " raw "\n"

/* A port with a card that has a switch of its own, and a card of two functions. */
#define MACHINE                                                                                    \
	"[/sys/bus/pci/devices]\n"                                                                 \
	"0000:00:01.0 -> ../../../devices/pci0000:00/0000:00:01.0\n"                               \
	"0000:01:00.0 -> ../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0\n"                  \
	"0000:02:00.0 -> ../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0/0000:02:00.0\n"     \
	"0000:03:00.0 -> ../../../devices/pci0000:00/0000:03:00.0\n"                               \
	"0000:03:00.1 -> ../../../devices/pci0000:00/0000:03:00.1\n"                               \
	"[/sys/devices/pci0000:00/0000:00:01.0]\n"                                                 \
	"vendor = 0x8086\ndevice = 0x1901\nclass = 0x060400\n"                                     \
	"[/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0]\n"                                    \
	"vendor = 0x1002\ndevice = 0x1478\nclass = 0x060400\n"                                     \
	"[/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/0000:02:00.0]\n"                       \
	"vendor = 0x1002\ndevice = 0x73bf\n"                                                       \
	"[/sys/devices/pci0000:00/0000:03:00.1]\nvendor = 0x8086\ndevice = 0x1521\n"               \
	"[/sys/devices/pci0000:00/0000:03:00.0]\nvendor = 0x8086\ndevice = 0x1521\n"

static void labels_come_from_three_places(void **state _unused_)
{
	static const struct {
		const char *lines;
		const char *labels[5];
	} rows[] = {
		{"", {NULL}},
		/* By the port above: all that hangs there, not the port. */
		{ENTRY("0", SLOT("\\x00\\x00", "\\x00", "\\x08")), {NULL, "J6B2", "J6B2"}},
		/* By what is in the slot: all its functions, all behind a switch in it. */
		{ENTRY("7", SLOT("\\x00\\x00", "\\x03", "\\x00")),
		 {NULL, NULL, NULL, "J6B2", "J6B2"}},
		{ENTRY("0", SLOT("\\x00\\x00", "\\x01", "\\x00")), {NULL, NULL, "J6B2"}},
		/* Another segment, none at all, a structure that is too old or cut. */
		{ENTRY("0", SLOT("\\x01\\x00", "\\x03", "\\x00")), {NULL}},
		{ENTRY("0", SLOT("\\xff\\xff", "\\xff", "\\xff")), {NULL}},
		{ENTRY("0", "\\x09\\x0d\\x2a\\x00\\x01\\xa5\\x0d\\x04\\x04\\x01\\x00\\x0c\\x01x"
			    "\\x00\\x00\\x03\\x00"),
		 {NULL}},
		{ENTRY("0", "\\x09\\x11\\x2a\\x00\\x01\\xa5\\x0d\\x04\\x04\\x01\\x00\\x0c\\x01"
			    "\\x00\\x00\\x03\\x00"),
		 {NULL}},
		{ENTRY("0", "\\x09\\x11"), {NULL}},
		/* Hotplug's name is the last resort. */
		{"[/sys/bus/pci/slots]\n5/address = 0000:03:00\n6/address = nonsense\n",
		 {NULL, NULL, NULL, "5", "5"}},
		{ENTRY("7", SLOT("\\x00\\x00", "\\x03", "\\x00")) "[/sys/bus/pci/slots]\n"
								  "5/address = 0000:03:00\n",
		 {NULL, NULL, NULL, "J6B2", "J6B2"}},
		{ENTRY("7", SLOT("\\x00\\x00", "\\x03", "\\x00")) "[/sys/devices/pci0000:00/"
								  "0000:03:00.0]\n"
								  "label = PCIEX16_1\n",
		 {NULL, NULL, NULL, "PCIEX16_1", "J6B2"}},
	};
	static const struct observe_options asked = {.labels = true}, plain = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_strbuf_ struct strbuf text = {0};

		strbuf_addf(&text, MACHINE "%s", rows[i].lines);
		_cleanup_host_ struct host *host = observe_text(strbuf_text(&text), &asked);
		_cleanup_host_ struct host *unasked = observe_text(strbuf_text(&text), &plain);

		assert_int_equal(host->devices.n, 5);
		for (size_t k = 0; k < 5; k++) {
			assert_text(host->devices.at[k].label, rows[i].labels[k]);
			assert_null(unasked->devices.at[k].label);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_come_from_three_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
