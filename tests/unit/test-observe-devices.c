/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI functions as sysfs shows them: by links or laid out, whole or with most of it missing. */
#include "observe-text.h"

#define PCI  "/sys/bus/pci/devices"
#define GPU  "0000:01:00.0"
#define TREE "/sys/devices/pci0000:00"

static const struct observe_options plain = {0};
static const struct observe_options for_people = {.names = true};

static const struct host_device *only(const struct host *host)
{
	assert_int_equal(host->devices.n, 1);
	return &host->devices.at[0];
}

/* One function whose folder has these lines. */
static struct host *one(const char *lines, const struct observe_options *options)
{
	_cleanup_strbuf_ struct strbuf text = {0};

	strbuf_addf(&text, "[" PCI "/" GPU "]\n%s", lines);
	return observe_text(strbuf_text(&text), options);
}

static void identity_is_read(void **state _unused_)
{
	static const struct {
		const char *lines, *id;
		uint32_t class;
		const char *modalias;
	} rows[] = {
		{"uevent <<\n\tDRIVER=nouveau\n\tPCI_CLASS=30000\n\tPCI_ID=10DE:1B81\n"
		 "\tPCI_SUBSYS_ID=1458:3702\n\tPCI_SLOT_NAME=0000:01:00.0\n"
		 "\tMODALIAS=pci:v000010DEd00001B81sv00001458sd00003702bc03sc00i00\n",
		 "10de:1b81:1458:3702", 0x030000,
		 "pci:v000010DEd00001B81sv00001458sd00003702bc03sc00i00"},
		{"vendor = 0x10de\ndevice = 0x1b81\nsubsystem_vendor = 0x1458\n"
		 "subsystem_device = 0x3702\nclass = 0x030000\nmodalias = pci:v0\n",
		 "10de:1b81:1458:3702", 0x030000, "pci:v0"},
		/* Without a subsystem the id ends before it. */
		{"vendor = 0x10de\ndevice = 0x1b81\nclass = 0x030000\n", "10de:1b81", 0x030000,
		 NULL},
		{"uevent <<\n\tPCI_CLASS=10802\n\tPCI_ID=144D:A808\n", "144d:a808", 0x010802, NULL},
		/* A uevent that says too little does not hide the files. */
		{"uevent = DRIVER=nvme\nvendor = 0x144d\ndevice = 0xa808\n", "144d:a808", 0, NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_host_ struct host *host = one(rows[i].lines, &plain);
		const struct host_device *d = only(host);
		char id[PCI_ID_TEXT_SIZE], addr[PCI_ADDR_TEXT_SIZE];

		assert_string_equal(pci_addr_format(d->addr, addr), GPU);
		assert_string_equal(pci_id_format(&d->id, id), rows[i].id);
		assert_int_equal(d->class, rows[i].class);
		assert_text(d->modalias, rows[i].modalias);
	}
}

static void what_is_no_function_is_passed_over(void **state _unused_)
{
	_cleanup_host_ struct host *host =
		observe_text("[" PCI "]\n"
			     "0000:01:00.0/vendor = 0x10de\n" /* no device */
			     "0000:02:00.0/\n"
			     "0000:03:00.0/vendor = nonsense\n"
			     "0000:03:00.0/device = 0x1\n"
			     "eth0/vendor = 0x8086\n"
			     "eth0/device = 0x1\n"
			     "0000:04:20.0/vendor = 0x8086\n" /* no such device number */
			     "0000:04:20.0/device = 0x1\n"
			     /* Not the kernel's spelling: what it names has another name. */
			     "0000:0A:00.0/vendor = 0x8086\n"
			     "0000:0A:00.0/device = 0x1\n"
			     "01:00.0/vendor = 0x8086\n"
			     "01:00.0/device = 0x1\n",
			     &plain);

	assert_int_equal(host->devices.n, 0);
}

static void attributes_are_read(void **state _unused_)
{
	_cleanup_host_ struct host *host =
		one("vendor = 0x10de\ndevice = 0x1b81\nclass = 0x030000\n"
		    "driver -> ../../../bus/pci/drivers/vfio-pci\n"
		    "iommu_group -> ../../../kernel/iommu_groups/14\n"
		    "driver_override = vfio-pci\n"
		    "boot_vga = 1\n"
		    "reset : \n"
		    "reset_method = flr bus\n"
		    "sriov_numvfs = 4\n"
		    "label = PCIEX16_1\n",
		    &for_people);
	const struct host_device *d = only(host);

	assert_text(d->driver, "vfio-pci");
	assert_text(d->override, "vfio-pci");
	assert_int_equal(d->group, 14);
	assert_true(d->boot_vga);
	assert_true(d->has_reset);
	assert_text(d->reset_methods, "flr bus");
	assert_int_equal(d->vfs, 4);
	assert_text(d->label, "PCIEX16_1");
	assert_false(d->is_vf || d->bridge || d->has_parent || d->reserved_region);
}

static void missing_attributes_are_ordinary(void **state _unused_)
{
	static const char *const rows[] = {
		"vendor = 0x10de\ndevice = 0x1b81\n",
		"vendor = 0x10de\ndevice = 0x1b81\ndriver_override = (null)\nboot_vga = 0\n"
		"sriov_numvfs = 0\n",
		"vendor = 0x10de\ndevice = 0x1b81\ndriver_override : \nboot_vga : \n"
		"sriov_numvfs = x\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_host_ struct host *host = one(rows[i], &plain);
		const struct host_device *d = only(host);

		assert_null(d->driver);
		assert_null(d->override);
		assert_null(d->reset_methods);
		assert_null(d->label);
		assert_int_equal(d->group, -1);
		assert_int_equal(d->vfs, 0);
		assert_false(d->boot_vga || d->has_reset || d->is_vf || d->bridge || d->has_parent);
		assert_int_equal(d->serials.n + d->macs.n + d->uses.n, 0);
	}
}

static void bridges_are_known(void **state _unused_)
{
	static const struct {
		const char *lines;
		bool bridge;
	} rows[] = {
		{"class = 0x060400\n", true},
		{"class = 0x060000\n", true},
		{"class = 0x030000\n", false},
		/* Header type 1 under another class (7.12): bus numbers say so, or config space. */
		{"class = 0x088000\nsecondary_bus_number = 2\n", true},
		{"class = 0x088000\nconfig : 0123456789abcd\\x01\n", true},
		{"class = 0x088000\nconfig : 0123456789abcd\\x80\n", false},
		{"class = 0x088000\nconfig : 0123456789abcd\\x81\n", true},
		{"class = 0x088000\nconfig : short\n", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_strbuf_ struct strbuf text = {0};

		strbuf_addf(&text, "vendor = 0x8086\ndevice = 0x1901\n%s", rows[i].lines);
		_cleanup_host_ struct host *host = one(strbuf_text(&text), &plain);

		assert_int_equal(only(host)->bridge, rows[i].bridge);
	}
}

static void parents_stand_in_the_path(void **state _unused_)
{
	_cleanup_host_ struct host *host = observe_text(
		"[" PCI "]\n"
		"0000:00:01.0 -> ../../../devices/pci0000:00/0000:00:01.0\n"
		"0000:01:00.0 -> ../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0\n"
		"10000:e1:00.0 -> ../../../devices/pci0000:00/0000:00:0e.0/pci10000:e0/"
		"10000:e0:06.0/10000:e1:00.0\n"
		"[" TREE "/0000:00:01.0]\nvendor = 0x8086\ndevice = 0x1901\n"
		"[" TREE "/0000:00:01.0/0000:01:00.0]\nvendor = 0x10de\ndevice = 0x1\n"
		"[" TREE "/0000:00:0e.0/pci10000:e0/10000:e0:06.0/10000:e1:00.0]\n"
		"vendor = 0x144d\ndevice = 0xa808\n",
		&plain);
	char parent[PCI_ADDR_TEXT_SIZE];

	assert_int_equal(host->devices.n, 3);
	assert_false(host->devices.at[0].has_parent);
	assert_true(host->devices.at[1].has_parent);
	assert_string_equal(pci_addr_format(host->devices.at[1].parent, parent), "0000:00:01.0");
	/* Sorted by address: a wide domain comes last, though its name sorts earlier. */
	assert_int_equal(host->devices.at[2].addr.domain, 0x10000);
	assert_string_equal(pci_addr_format(host->devices.at[2].parent, parent), "10000:e0:06.0");
}

static void twins_differ_by_address(void **state _unused_)
{
	_cleanup_host_ struct host *host =
		observe_text("[" PCI "]\n"
			     "0000:01:00.0/uevent <<\n\tPCI_CLASS=30000\n\tPCI_ID=10DE:1B81\n"
			     "0000:01:00.0/driver -> ../../drivers/nouveau\n"
			     "0000:02:00.0/uevent <<\n\tPCI_CLASS=30000\n\tPCI_ID=10DE:1B81\n"
			     "0000:02:00.0/driver -> ../../drivers/vfio-pci\n",
			     &plain);
	struct pci_addr second = {.bus = 2};

	assert_int_equal(host->devices.n, 2);
	assert_true(pci_id_same_model(&host->devices.at[0].id, &host->devices.at[1].id));
	assert_text(host->devices.at[0].driver, "nouveau");
	assert_text(host_device(host, second)->driver, "vfio-pci");
}

static void virtual_functions_name_their_parent(void **state _unused_)
{
	_cleanup_host_ struct host *host = one("vendor = 0x8086\ndevice = 0x10ed\n"
					       "physfn -> ../0000:01:00.0\n",
					       &plain);
	const struct host_device *d = only(host);

	assert_true(d->is_vf);
	assert_int_equal(d->physfn.bus, 1);
}

static void direct_regions_are_marked(void **state _unused_)
{
	_cleanup_host_ struct host *host =
		observe_text("[" PCI "]\n"
			     "0000:00:14.0/uevent <<\n\tPCI_CLASS=C0330\n\tPCI_ID=8086:A36D\n"
			     "0000:00:14.0/iommu_group -> ../../../kernel/iommu_groups/3\n"
			     "0000:03:00.0/uevent <<\n\tPCI_CLASS=10700\n\tPCI_ID=1000:005D\n"
			     "0000:03:00.0/iommu_group -> ../../../kernel/iommu_groups/20\n"
			     "0000:04:00.0/uevent <<\n\tPCI_CLASS=20000\n\tPCI_ID=8086:10D3\n"
			     "[/sys/kernel/iommu_groups]\n"
			     "3/reserved_regions <<\n"
			     "\t0x000000003e2e0000 0x000000003e2fffff direct-relaxable\n"
			     "\t0x00000000fee00000 0x00000000feefffff msi\n"
			     "20/reserved_regions <<\n"
			     "\t0x00000000a7fe0000 0x00000000a7feffff direct\n",
			     &plain);

	assert_int_equal(host->iommu.groups, 2);
	assert_false(host->devices.at[0].reserved_region);
	assert_true(host->devices.at[1].reserved_region);
	assert_false(host->devices.at[2].reserved_region);
}

static void serials_come_from_where_they_stand(void **state _unused_)
{
	static const struct observe_options asked = {.serials = true};
	static const char base[] = "vendor = 0x144d\ndevice = 0xa808\nclass = 0x010802\n";
	static const struct {
		const char *lines;
		const struct observe_options *options;
		const char *serial; /* NULL: none */
	} rows[] = {
		{"nvme/nvme0/serial = S4EWNX0R123456      \n", &plain, "S4EWNX0R123456"},
		{"nvme/nvme0/serial =       \n", &plain, NULL},
		{"serial_number = 00-25-38-ff-ff-12-34-56\n", &asked, "00-25-38-ff-ff-12-34-56"},
		/* Reading it wakes the device: only when asked. */
		{"serial_number = 00-25-38-ff-ff-12-34-56\n", &plain, NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_strbuf_ struct strbuf text = {0};

		strbuf_addf(&text, "%s%s", base, rows[i].lines);
		_cleanup_host_ struct host *host = one(strbuf_text(&text), rows[i].options);
		const struct words *serials = &only(host)->serials;

		assert_int_equal(serials->n, rows[i].serial != NULL);
		if (rows[i].serial)
			assert_string_equal(serials->at[0], rows[i].serial);
	}
}

/* Adds bytes as a capture writes them. */
static void add_bytes(struct strbuf *b, const unsigned char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		strbuf_addf(b, "\\x%02x", bytes[i]);
}

static void serial_is_found_in_config_space(void **state _unused_)
{
	static const struct observe_options asked = {.serials = true};
	static const struct {
		uint32_t first, second; /* headers at 0x100 and 0x140 */
		unsigned at;		/* of the serial number, 0: nowhere */
		const char *serial;
	} rows[] = {
		{0x14010001, 0x00010003, 0x144, "00-15-17-ff-ff-12-34-56"},
		{0x00010003, 0, 0x104, "00-15-17-ff-ff-12-34-56"},
		{0x00010001, 0x00010003, 0x144, NULL}, /* the chain ends before it */
		{0x14010001, 0x10010001, 0, NULL},     /* the chain is a loop */
		{0xffffffff, 0, 0, NULL},	       /* what an unprivileged reader gets */
		{0, 0, 0, NULL},
	};
	static const unsigned char serial[] = {0x56, 0x34, 0x12, 0xff, 0xff, 0x17, 0x15, 0x00};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_strbuf_ struct strbuf text = {0};
		unsigned char config[4096] = {0};

		for (unsigned k = 0; k < 4; k++) {
			config[0x100 + k] = (unsigned char)(rows[i].first >> 8 * k);
			config[0x140 + k] = (unsigned char)(rows[i].second >> 8 * k);
		}
		if (rows[i].at)
			memcpy(config + rows[i].at, serial, sizeof(serial));
		strbuf_add(&text, "vendor = 0x8086\ndevice = 0x10d3\nconfig : ");
		add_bytes(&text, config, sizeof(config));
		strbuf_add(&text, "\n");
		_cleanup_host_ struct host *host = one(strbuf_text(&text), &asked);

		assert_int_equal(only(host)->serials.n, rows[i].serial != NULL);
		if (rows[i].serial)
			assert_string_equal(only(host)->serials.at[0], rows[i].serial);
	}
}

static void macs_are_those_burnt_in(void **state _unused_)
{
	_cleanup_host_ struct host *host =
		one("vendor = 0x8086\ndevice = 0x1521\n"
		    "net/eno1/address = 52:54:00:00:00:01\n"
		    "net/eno2/address = 52:54:00:00:00:01\n"
		    "net/eno2/bonding_slave/perm_hwaddr = 52:54:00:00:00:02\n",
		    &plain);
	const struct host_device *d = only(host);

	assert_int_equal(d->macs.n, 2);
	assert_string_equal(d->macs.at[0], "52:54:00:00:00:01");
	assert_string_equal(d->macs.at[1], "52:54:00:00:00:02");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identity_is_read),
		cmocka_unit_test(what_is_no_function_is_passed_over),
		cmocka_unit_test(attributes_are_read),
		cmocka_unit_test(missing_attributes_are_ordinary),
		cmocka_unit_test(bridges_are_known),
		cmocka_unit_test(parents_stand_in_the_path),
		cmocka_unit_test(twins_differ_by_address),
		cmocka_unit_test(virtual_functions_name_their_parent),
		cmocka_unit_test(direct_regions_are_marked),
		cmocka_unit_test(serials_come_from_where_they_stand),
		cmocka_unit_test(serial_is_found_in_config_space),
		cmocka_unit_test(macs_are_those_burnt_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
