/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is looked at only of functions that may be chosen: serial numbers, ACS on the way up. */
#include "observe-text.h"

#define SERIAL_HERE  "00-15-17-ff-ff-12-34-56"
#define SERIAL_THERE "00-15-17-ff-ff-65-43-21"

static void add_config(struct strbuf *b, const unsigned char *config, size_t n)
{
	strbuf_add(b, "config : ");
	for (size_t i = 0; i < n; i++)
		strbuf_addf(b, "\\x%02x", config[i]);
	strbuf_add(b, "\n");
}

/* A root port with a card of two functions, and a card of one function beside it. */
#define MACHINE                                                                                    \
	"[/sys/bus/pci/devices]\n"                                                                 \
	"0000:00:01.0 -> ../../../devices/pci0000:00/0000:00:01.0\n"                               \
	"0000:00:02.0 -> ../../../devices/pci0000:00/0000:00:02.0\n"                               \
	"0000:01:00.0 -> ../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0\n"                  \
	"0000:01:00.1 -> ../../../devices/pci0000:00/0000:00:01.0/0000:01:00.1\n"                  \
	"0000:02:00.0 -> ../../../devices/pci0000:00/0000:00:02.0/0000:02:00.0\n"                  \
	"[/sys/devices/pci0000:00/0000:00:01.0]\nvendor = 0x8086\ndevice = 0x1901\n"               \
	"class = 0x060400\nacs = 1\n"                                                              \
	"[/sys/devices/pci0000:00/0000:00:02.0]\nvendor = 0x8086\ndevice = 0x1905\n"               \
	"class = 0x060400\nacs = 1\n"                                                              \
	"[/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0]\nvendor = 0x10de\ndevice = 0x1b81\n"  \
	"class = 0x030000\nacs = 0\nserial_number = " SERIAL_HERE "\n"                             \
	"[/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.1]\nvendor = 0x10de\ndevice = 0x10f0\n"  \
	"class = 0x040300\nacs = 0\nserial_number = " SERIAL_HERE "\n"                             \
	"[/sys/devices/pci0000:00/0000:00:02.0/0000:02:00.0]\nvendor = 0x8086\ndevice = 0x1521\n"  \
	"class = 0x020000\nacs = 1\nserial_number = " SERIAL_THERE "\n"

static void only_the_chosen_are_looked_at(void **state _unused_)
{
	static const struct selector gpu = {.has_id = true,
					    .id = {0x10de, 0x1b81, PCI_ANY, PCI_ANY}};
	static const struct {
		struct observe_options options;
		const char *acs,
			*serials; /* a letter a function: 0, 1 or "-"; whether it has one */
	} rows[] = {
		{{0}, "-----", "-----"},
		{{.chosen = &gpu, .chosen_n = 1}, "1-00-", "--s--"},
		{{.serials = true}, "1100-", "--sss"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_host_ struct host *host = observe_text(MACHINE, &rows[i].options);

		assert_int_equal(host->devices.n, 5);
		for (size_t k = 0; k < 5; k++) {
			const struct host_device *d = &host->devices.at[k];

			assert_int_equal(rows[i].acs[k], d->acs == UNKNOWN ? '-' : '0' + d->acs);
			assert_int_equal(rows[i].serials[k], d->pcie_serial ? 's' : '-');
			assert_int_equal(d->serials.n, d->pcie_serial != NULL);
			if (d->pcie_serial)
				assert_string_equal(d->serials.at[0], d->pcie_serial);
		}
	}
}

static void drivers_name_their_module(void **state _unused_)
{
	static const struct observe_options asked = {.serials = true}, plain = {0};
	static const char text[] =
		"[/sys/bus/pci/devices/0000:05:00.0]\nvendor = 0x1b36\ndevice = 0x0002\n"
		"driver -> ../../../bus/pci/drivers/serial\n"
		"[/sys/bus/pci/drivers/serial]\nmodule -> ../../../../module/8250_pci\n";
	_cleanup_host_ struct host *host = observe_text(text, &asked);
	_cleanup_host_ struct host *other = observe_text(text, &plain);

	assert_string_equal(host->devices.at[0].driver, "serial");
	assert_string_equal(host->devices.at[0].driver_module, "8250_pci");
	assert_false(host->devices.at[0].driver_builtin);
	assert_null(other->devices.at[0].driver_module);
}

static void what_is_no_modules_is_built_in(void **state _unused_)
{
	static const struct observe_options asked = {.serials = true};
	static const char device[] =
		"[/sys/bus/pci/devices/0000:05:00.0]\nvendor = 0x1b36\ndevice = 0x0002\n"
		"driver -> ../../../bus/pci/drivers/serial\n";
	static const struct {
		const char *driver;
		bool builtin;
	} rows[] = {
		{"[/sys/bus/pci/drivers/serial]\nbind : \n", true},
		{"[/sys/bus/pci/drivers/serial]\nbind : \nmodule -> ../../../../module/8250_pci\n",
		 false},
		/* A tree that somebody laid out says nothing. */
		{"[/sys/bus/pci/drivers/serial]\nunbind : \n", false},
		{"", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_strbuf_ struct strbuf text = {0};

		strbuf_addf(&text, "%s%s", device, rows[i].driver);
		_cleanup_host_ struct host *host = observe_text(strbuf_text(&text), &asked);

		assert_int_equal(host->devices.at[0].driver_builtin, rows[i].builtin);
	}
}

/* A function alone on its bus, or with a second one; its config space is what is judged. */
static enum tristate acs_of(const unsigned char *config, size_t size, const char *more, bool two)
{
	static const struct observe_options asked = {.serials = true};
	_cleanup_strbuf_ struct strbuf text = {0};

	strbuf_addf(&text,
		    "[/sys/bus/pci/devices/0000:01:00.0]\nvendor = 0x8086\ndevice = 0x1901\n"
		    "class = 0x060400\n%s",
		    more);
	add_config(&text, config, size);
	if (two)
		strbuf_add(&text, "[/sys/bus/pci/devices/0000:01:00.1]\nvendor = 0x8086\n"
				  "device = 0x1901\n");
	_cleanup_host_ struct host *host = observe_text(strbuf_text(&text), &asked);

	return host->devices.at[0].acs;
}

#define ROOT_PORT  4
#define UPSTREAM   5
#define DOWNSTREAM 6
#define TO_PCI	   7
#define EVENTS	   10
#define PLAIN	   -1 /* conventional PCI */

static void acs_is_judged_as_the_kernel_does(void **state _unused_)
{
	static const struct {
		int type;
		bool two;
		bool has; /* the capability */
		unsigned able, on;
		size_t size;
		enum tristate acs;
	} rows[] = {
		{ROOT_PORT, false, true, 0x1f, 0x1d, 4096, YES},
		{ROOT_PORT, false, true, 0x5f, 0x5f, 4096, YES},
		{ROOT_PORT, false, true, 0x1f, 0x1c, 4096, NO}, /* each of the four is needed */
		{ROOT_PORT, false, true, 0x1f, 0x19, 4096, NO},
		{ROOT_PORT, false, true, 0x1f, 0x15, 4096, NO},
		{ROOT_PORT, false, true, 0x1f, 0x0d, 4096, NO},
		/* What cannot be switched is as if it were on. */
		{DOWNSTREAM, false, true, 0x11, 0x11, 4096, YES},
		{0, true, true, 0x00, 0x00, 4096, YES},
		{0, true, true, 0x0c, 0x04, 4096, NO},
		{ROOT_PORT, false, false, 0, 0, 4096, NO},
		{0, true, false, 0, 0, 4096, NO},
		{UPSTREAM, false, false, 0, 0, 4096, YES},
		{UPSTREAM, true, false, 0, 0, 4096, NO},
		{TO_PCI, false, true, 0x1d, 0x1d, 4096, NO},
		{EVENTS, false, true, 0x1d, 0x1d, 4096, NO},
		{PLAIN, false, false, 0, 0, 256, NO},
		{ROOT_PORT, false, true, 0x1d, 0x1d, 256, UNKNOWN},
		{ROOT_PORT, false, true, 0x1d, 0x1d, 64, UNKNOWN},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned char config[4096] = {0};

		if (rows[i].type >= 0) {
			config[0x06] = 0x10;
			config[0x34] = 0x43; /* the low bits are reserved */
			config[0x40] = 0x01;
			config[0x41] = 0x50;
			config[0x50] = 0x10;
			config[0x52] = (unsigned char)(rows[i].type << 4 | 2);
		}
		config[0x100] = 0x01;
		config[0x102] = 0x01;
		config[0x103] = 0x14; /* the next one at 0x140 */
		config[0x140] = rows[i].has ? 0x0d : 0x02;
		config[0x142] = 0x01;
		config[0x144] = (unsigned char)rows[i].able;
		config[0x146] = (unsigned char)rows[i].on;
		if (acs_of(config, rows[i].size, "", rows[i].two) != rows[i].acs)
			fail_msg("row %zu", i);
	}
}

/* Capabilities that lead nowhere or round. */
static void broken_lists_end(void **state _unused_)
{
	unsigned char config[4096] = {[0x06] = 0x10, [0x34] = 0x40, [0x40] = 0x05, [0x41] = 0x40};

	assert_int_equal(acs_of(config, sizeof(config), "", false), NO);
	memset(config, 0xff, sizeof(config));
	assert_int_equal(acs_of(config, sizeof(config), "", false), UNKNOWN);
	assert_int_equal(acs_of(config, 0, "", false), UNKNOWN);
}

/* A card that is cut off from power stays so. */
static void sleepers_are_not_woken(void **state _unused_)
{
	unsigned char config[4096] = {[0x06] = 0x10, [0x34] = 0x40, [0x40] = 0x10, [0x42] = 0x40};

	assert_int_equal(acs_of(config, sizeof(config), "power_state = D0\n", false), NO);
	assert_int_equal(acs_of(config, sizeof(config), "power_state = D3hot\n", false), NO);
	assert_int_equal(acs_of(config, sizeof(config), "power_state = D3cold\n", false), UNKNOWN);
}

static void the_helper_is_looked_for(void **state _unused_)
{
	static const struct {
		const char *lines;
		bool there;
	} rows[] = {
		{"", false},
		{"pci-serial :\n", false},
		{"pci-serial :\npci-serial @ 0755 0 0\n", true},
		{"pci-serial/\n", false},
	};
	static const struct observe_options plain = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_strbuf_ struct strbuf text = {0};

		strbuf_addf(&text, "[/usr/libexec/passthroughd]\n%s", rows[i].lines);
		_cleanup_host_ struct host *host = observe_text(strbuf_text(&text), &plain);

		assert_int_equal(host->pci_serial_tool, rows[i].there);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_chosen_are_looked_at),
		cmocka_unit_test(drivers_name_their_module),
		cmocka_unit_test(what_is_no_modules_is_built_in),
		cmocka_unit_test(acs_is_judged_as_the_kernel_does),
		cmocka_unit_test(broken_lists_end),
		cmocka_unit_test(sleepers_are_not_woken),
		cmocka_unit_test(the_helper_is_looked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
