/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Domains of libvirt: what they give of the host (9.14), and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "domain-xml.h"

#define DEVICES(text) "<domain><name>d</name><devices>" text "</devices></domain>"
#define ADDRESS(text) "<source><address " text "/></source>"
#define HOSTDEV(text) DEVICES("<hostdev mode='subsystem' type='pci'>" text "</hostdev>")
#define ONE	      ADDRESS("domain='0x0000' bus='0x01' slot='0x00' function='0x0'")

static const struct {
	const char *text;
	const char *said; /* NULL: cannot be read, and why */
	const char *why;
} rows[] = {
	{"<domain type='kvm'><name>a&amp;b</name><os firmware='efi'><type machine='pc-q35-7.2'>hvm"
	 "</type></os></domain>",
	 "a&b pc-q35-7.2 uefi", NULL},
	{"<domain><name>a</name><os><type>hvm</type><loader readonly='yes' type='pflash'>/x"
	 "</loader></os></domain>",
	 "a - uefi", NULL},
	{"<domain><name>a</name><os><loader type='rom'>/x</loader></os></domain>", "a -", NULL},
	/* no name of its own counts but the domain's */
	{"<domain><metadata><x:name xmlns:x='y'>z</x:name><name>z</name></metadata><name>a"
	 "</name></domain>",
	 "a -", NULL},
	{HOSTDEV(ONE), "d -; 0000:01:00.0 managed=no", NULL},
	{DEVICES("<hostdev mode='subsystem' type='pci' managed='yes'><driver name='vfio'/>" ONE
		 "<alias name='ua-x'/><address type='pci' bus='0x07'/></hostdev>"
		 "<hostdev mode='subsystem' type='usb'>" ONE "</hostdev>"
		 "<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source>"
		 "<address uuid='c'/></source></hostdev>"),
	 "d -; 0000:01:00.0 managed=yes", NULL},
	/* numbers as libvirt reads them */
	{HOSTDEV(ADDRESS("domain='65536' bus='255' slot='0x1F' function='7'")),
	 "d -; 10000:ff:1f.7 managed=no", NULL},
	{HOSTDEV(ADDRESS("bus='010'")), "d -; 0000:08:00.0 managed=no", NULL},
	{HOSTDEV(ADDRESS("bus='256'")), NULL, "has an address of a device that is none"},
	{HOSTDEV(ADDRESS("slot='32'")), NULL, "has an address of a device that is none"},
	{HOSTDEV(ADDRESS("function='-1'")), NULL, "has an address of a device that is none"},
	{HOSTDEV(ADDRESS("bus=''")), NULL, "has an address of a device that is none"},
	{HOSTDEV(ADDRESS("bus='1x'")), NULL, "has an address of a device that is none"},
	/* no address, no device */
	{HOSTDEV("<source/>"), "d -", NULL},
	/* options */
	{HOSTDEV(ONE "<rom bar='off'/>"), "d -; 0000:01:00.0 managed=no rom=off", NULL},
	{HOSTDEV(ONE "<rom bar='on' file='/a b/&lt;c&gt;'/>"),
	 "d -; 0000:01:00.0 managed=no rom=on rom-file=/a b/<c>", NULL},
	{HOSTDEV(ONE "<rom enabled='no'/>"), "d -; 0000:01:00.0 managed=no rom=none", NULL},
	{HOSTDEV("<driver name='vfio' model='mlx5_vfio_pci'/>" ONE),
	 "d -; 0000:01:00.0 managed=no driver=mlx5_vfio_pci", NULL},
	{HOSTDEV("<driver model='a b'/>" ONE), NULL, "has a driver's name that is none"},
	/* other ways to take a function */
	{DEVICES("<interface type='hostdev' managed='yes'>" ADDRESS(
		 "type='pci' bus='2'") "</interface>"
				       "<interface type='network'>" ONE "</interface>"
				       "<disk type='nvme' device='disk'><driver name='qemu' "
				       "type='raw'/>"
				       "<source type='pci' managed='yes' namespace='1'><address "
				       "bus='3'/></source></disk>"),
	 "d -; 0000:02:00.0 interface managed=yes; 0000:03:00.0 disk managed=yes", NULL},
	/* what runs */
	{"<domstatus state='running' pid='7'><devices/><domain id='1'><name>a</name><devices>"
	 "<hostdev type='pci'>" ONE "</hostdev></devices></domain></domstatus>",
	 "a -; 0000:01:00.0 managed=no", NULL},
	{"<domstatus></domstatus>", NULL, "holds no domain"},
	{"<network><name>a</name></network>", NULL, "holds no domain"},
	{"<x><domain><name>a</name></domain></x>", NULL, "holds no domain"},
	{"", NULL, "is broken XML in line 1: no element found"},
	{"<domain>\n<name>a</domain>", NULL, "is broken XML in line 2: mismatched tag"},
	{"<domain/><domain/>", NULL, "is broken XML in line 1: junk after document element"},
	{"<domain>&lol;</domain>", NULL, "is broken XML in line 1: undefined entity"},
	{"<!DOCTYPE d [<!ENTITY lol 'lol'>]><domain>&lol;</domain>", NULL,
	 "has a DOCTYPE, which libvirt never writes"},
	{"<!DOCTYPE domain SYSTEM 'file:///etc/shadow'><domain/>", NULL,
	 "has a DOCTYPE, which libvirt never writes"},
};

static void reading(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		_cleanup_strbuf_ struct strbuf out = {0};
		struct domain_xml domain = {.name = "untouched"};
		const char *why = NULL;
		int err = domain_xml_parse(a, rows[i].text, strlen(rows[i].text), &domain, &why);
		char addr[PCI_ADDR_TEXT_SIZE];

		if (!rows[i].said) {
			assert_int_equal(err, -EBADMSG);
			assert_string_equal(why, rows[i].why);
			assert_string_equal(domain.name, "untouched");
			continue;
		}
		if (err < 0)
			fail_msg("%s: %s", rows[i].text, why);
		strbuf_addf(&out, "%s %s%s", domain.name, domain.machine ? domain.machine : "-",
			    domain.uefi ? " uefi" : "");
		array_foreach(it, &domain.devices)
			strbuf_addf(&out, "; %s %s", pci_addr_format(it->addr, addr),
				    domain_device_text(a, it));
		assert_string_equal(strbuf_text(&out), rows[i].said);
	}
}

/* Elements that nest without end, and names without end. */
static void limits(void **state _unused_)
{
	static const struct {
		const char *head, *word;
		size_t times;
		const char *why;
	} limits[] = {
		{"<domain>", "<a>", 600, "is nested too deep"},
		{"<domain><name>", "aaaaaaaaaaaaaaaa", 600, "has a name that is too long"},
	};

	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		_cleanup_strbuf_ struct strbuf text = {0};
		struct domain_xml domain;
		const char *why = NULL;

		strbuf_add(&text, limits[i].head);
		for (size_t n = 0; n < limits[i].times; n++)
			strbuf_add(&text, limits[i].word);
		assert_int_equal(domain_xml_parse(a, text.text, text.len, &domain, &why), -EBADMSG);
		assert_string_equal(why, limits[i].why);
	}
}

/* The element is what libvirt documents; a path with quotes stays one. */
static void element(void **state _unused_)
{
	const struct domain_device device = {
		.addr = {0, 0x0a, 0x1f, 7}, .rom = "off", .rom_file = "/a'b&c"};
	_cleanup_strbuf_ struct strbuf out = {0};

	domain_device_element(&device, &out);
	assert_string_equal(out.text,
			    "<hostdev mode='subsystem' type='pci' managed='no'>\n"
			    "  <source>\n    <address domain='0x0000' bus='0x0a' slot='0x1f' "
			    "function='0x7'/>\n  </source>\n"
			    "  <rom bar='off' file='/a&apos;b&amp;c'/>\n</hostdev>\n");
}

static void no_lines(void **state _unused_)
{
	static const char *const texts[] = {
		"",
		"managed=",
		"managed=maybe",
		"managed=no ",
		"managed=no rom=one",
		"managed=no rom=",
		"hostdev managed=no",
		"managed=no x=y",
		"managed=no rom-file=/x",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct domain_device device = {.driver = "untouched"};
		bool last = i + 1 == ARRAY_LEN(texts);

		assert_int_equal(domain_device_parse(a, texts[i], &device), last ? 0 : -EBADMSG);
		if (!last)
			assert_string_equal(device.driver, "untouched");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading),
		cmocka_unit_test(limits),
		cmocka_unit_test(element),
		cmocka_unit_test(no_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
