/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is captured is observed again as it was, and says nothing that it should not. */
#include "capture-put.h"
#include "capture.h"
#include "host-show.h"
#include "observe-text.h"
#include "scratch.h"

#define GPU_BELOW "/devices/pci0000:00/0000:00:01.0/0000:01:00.0"
#define GPU	  "/sys" GPU_BELOW
#define NVME	  "/sys/devices/pci0000:00/0000:00:02.0/0000:02:00.0"
#define NIC	  "/sys/devices/pci0000:00/0000:00:1f.6"
#define MACHINE	  "3f2a9c0de1b24c5f8a7b6c5d4e3f2a1b"
#define SERIAL	  "S4EWNX0R123456"
#define MAC	  "52:54:00:ab:cd:ef"

/* Linked as a real sysfs is. */
static const char rich[] =
	"[/]\n"
	"bin -> usr/bin\n"
	"lib -> usr/lib\n"
	"sbin -> usr/sbin\n"
	"[/usr/sbin]\n"
	"update-initramfs : #!/bin/sh\n"
	"update-initramfs @ 0755 0 0\n"
	"update-grub : #!/bin/sh\n"
	"update-grub @ 0755 0 0\n"
	"grub-mkconfig <<\n"
	"\t#! /bin/sh\n"
	"\tfor x in ${sysconfdir}/default/grub.d/*.cfg ; do\n"
	"grub-mkconfig @ 0755 0 0\n"
	"[/etc]\n"
	"hostname = pve\n"
	"machine-id = " MACHINE "\n"
	"modules <<\n"
	"\tvfio\n"
	"\tvfio_pci\n"
	"shadow ! EACCES\n"
	"[/etc/default]\n"
	"grub <<\n"
	"\tGRUB_DEFAULT=0\n"
	"\tGRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n"
	"grub @ 0640 0 4\n"
	"grub.d/90-passthroughd.cfg -> /nowhere\n"
	"[/etc/modprobe.d]\n"
	"secret.conf ! EACCES\n"
	"a.conf = options x y=\"\xc3\xa4\\x01\\\\\"  \n"
	"[/etc/modules-load.d]\n"
	"modules.conf -> ../modules\n"
	"[/etc/udev/rules.d]\n"
	"70-nic.rules = ATTR{address}==\"" MAC "\", ATTR{driver_override}=\"vfio-pci\"\n"
	"71-plain.rules = ATTR{address}==\"" MAC "\"\n"
	"[/boot]\n"
	"vmlinuz-6.1.0-18-amd64 :\n"
	"vmlinuz-6.1.0-17-amd64 :\n"
	"vmlinuz-6.1.0-16-amd64 :\n"
	"initrd.img-6.1.0-18-amd64 image zstd 34567890\n"
	"initrd.img-6.1.0-17-amd64 image bad cut short\n"
	"config-6.1.0-18-amd64 <<\n"
	"\tCONFIG_64BIT=y\n"
	"\tCONFIG_INTEL_IOMMU_DEFAULT_ON=y\n"
	"grub/grub.cfg <<\n"
	"\tpassword_pbkdf2 root grub.pbkdf2.sha512.10000.ABCDEF\n"
	"\tmenuentry 'Debian' {\n"
	"\t\tlinux\t/boot/vmlinuz-6.1.0-18-amd64 root=/dev/nvme0n1p2 quiet\n"
	"\t\tinitrd\t/boot/initrd.img-6.1.0-18-amd64\n"
	"\t}\n"
	"loader/entries/" MACHINE "-6.1.0-18-amd64.conf <<\n"
	"\ttitle Debian\n"
	"\tlinux /" MACHINE "/6.1.0-18-amd64/linux\n"
	"\toptions root=/dev/nvme0n1p2\n"
	"[/boot/initrd.img-6.1.0-18-amd64!]\n"
	"+ nouveau nvme vfio_pci\n"
	"etc/modprobe.d/b.conf = blacklist radeon\n"
	"scripts/init-top/ORDER <|\n"
	"\ta\n"
	"\tb\n"
	"[/usr/lib/modules/6.1.0-18-amd64]\n"
	"modules.dep <<\n"
	"\tkernel/drivers/gpu/nouveau.ko: kernel/x.ko\n"
	"\tkernel/drivers/vfio/pci/vfio-pci.ko: kernel/drivers/vfio/vfio.ko\n"
	"modules.builtin = kernel/drivers/nvme/host/nvme.ko\n"
	"modules.softdep = softdep a pre: b\n"
	"modules.alias <<\n"
	"\t# Aliases extracted from modules themselves.\n"
	"\talias pci:v000010DEd*sv*sd*bc03sc*i* nouveau\n"
	"\talias pci:v00001002d*sv*sd*bc03sc*i* amdgpu\n"
	"\talias usb:v1234 storage\n"
	"modules.builtin.modinfo : nvme.alias=pci:v*d*sv*sd*bc01sc08i02*\\x00nvme.license=GPL\\x00"
	"ahci.alias=pci:v*d*sv*sd*bc01sc06i01*\\x00\n"
	"[/proc]\n"
	"cmdline = BOOT_IMAGE=/boot/vmlinuz-6.1.0-18-amd64 root=/dev/nvme0n1p2 disk=" SERIAL "\n"
	"modules <<\n"
	"\tnouveau 2445312 4 - Live 0xffffffffc0a00000\n"
	"\tvfio_pci 16384 0 - Live 0xffffffffc0900000 (OE)\n"
	"cpuinfo <<\n"
	"\tprocessor\t: 0\n"
	"\tvendor_id\t: GenuineIntel\n"
	"\tmodel name\t: Some CPU\n"
	"\tcpu MHz\t\t: 2400.123\n"
	"\tflags\t\t: fpu vmx lm\n"
	"\t\n"
	"\tprocessor\t: 1\n"
	"interrupts <<\n"
	"\t            CPU0       CPU1\n"
	"\t   0:         40          0   IO-APIC   2-edge      timer\n"
	"\t  25:          0          0   PCI-MSI 524288-edge      nvme0q0\n"
	"swaps <<\n"
	"\tFilename\tType\tSize\tUsed\tPriority\n"
	"self/mountinfo <<\n"
	"\t22 1 259:2 / / rw,relatime - ext4 /dev/nvme0n1p2 rw\n"
	"net -> self/net\n"
	"self/net/route <<\n"
	"\tIface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
	"\teno1\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
	"\teno1\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
	"self/net/if_inet6 <<\n"
	"\t20010db800000000505400fffeabcdef 02 40 00 80     eno1\n"
	"self/net/ipv6_route <<\n"
	"\t20010db8000000000000000000000000 40 00000000000000000000000000000000 00 "
	"00000000000000000000000000000000 00000100 00000001 00000000 00000001     eno1\n"
	"sys/kernel/hostname = pve\n"
	"sys/kernel/osrelease = 6.1.0-18-amd64\n"
	"sys/kernel/random/boot_id = 11111111-2222-3333-4444-555555555555\n"
	"[/var/log]\n"
	"kern.log <<\n"
	"\tkernel: Linux version 6.1.0-18-amd64\n"
	"\tkernel: eno1: " MAC "\n"
	"\tkernel: DMAR-IR: Enabled IRQ remapping in x2apic mode\n"
	"[/run/udev/data]\n"
	"b259:2 <<\n"
	"\tS:disk/by-id/nvme-" SERIAL "\n"
	"\tE:ID_SERIAL=Samsung_" SERIAL "\n"
	"\tE:ID_SERIAL_SHORT=" SERIAL "\n"
	"\tE:ID_FS_TYPE=ext4\n"
	"\tE:ID_FS_UUID=aaaa-bbbb\n"
	"[/sys/bus/pci/devices]\n"
	"0000:00:01.0 -> ../../../devices/pci0000:00/0000:00:01.0\n"
	"0000:00:02.0 -> ../../../devices/pci0000:00/0000:00:02.0\n"
	"0000:00:1f.6 -> ../../../devices/pci0000:00/0000:00:1f.6\n"
	"0000:01:00.0 -> ../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0\n"
	"0000:02:00.0 -> ../../../devices/pci0000:00/0000:00:02.0/0000:02:00.0\n"
	"[/sys/bus/pci/drivers]\n"
	"nouveau/\n"
	"nvme/\n"
	"e1000e/\n"
	"[/sys/devices/pci0000:00/0000:00:01.0]\n"
	"vendor = 0x8086\n"
	"device = 0x1901\n"
	"class = 0x060400\n"
	"[/sys/devices/pci0000:00/0000:00:02.0]\n"
	"vendor = 0x8086\n"
	"device = 0x1905\n"
	"class = 0x060400\n"
	"[" GPU "]\n"
	"uevent <<\n"
	"\tDRIVER=nouveau\n"
	"\tPCI_CLASS=30000\n"
	"\tPCI_ID=10DE:1B81\n"
	"\tPCI_SUBSYS_ID=1043:8598\n"
	"\tMODALIAS=pci:v000010DEd00001B81sv00001043sd00008598bc03sc00i00\n"
	"driver -> ../../../../bus/pci/drivers/nouveau\n"
	"iommu_group -> ../../../../kernel/iommu_groups/14\n"
	"boot_vga = 1\n"
	"reset :\n"
	"reset_method = bus\n"
	"driver_override = (null)\n"
	"msi_irqs/\n"
	"resource0 : bytes\n"
	"[" NVME "]\n"
	"vendor = 0x144d\n"
	"device = 0xa808\n"
	"subsystem_vendor = 0x144d\n"
	"subsystem_device = 0xa801\n"
	"class = 0x010802\n"
	"modalias = pci:v0000144Dd0000A808sv0000144Dsd0000A801bc01sc08i02\n"
	"driver -> ../../../../bus/pci/drivers/nvme\n"
	"iommu_group -> ../../../../kernel/iommu_groups/15\n"
	"nvme/nvme0/serial = " SERIAL "      \n"
	"nvme/nvme0/nvme0n1/dev = 259:0\n"
	"nvme/nvme0/nvme0n1/nvme0n1p2/dev = 259:2\n"
	"[" NIC "]\n"
	"vendor = 0x8086\n"
	"device = 0x15b8\n"
	"class = 0x020000\n"
	"driver -> ../../../bus/pci/drivers/e1000e\n"
	"iommu_group -> ../../../kernel/iommu_groups/7\n"
	"net/eno1/address = " MAC "\n"
	"net/eno1/flags = 0x1003\n"
	"[/sys/kernel/iommu_groups]\n"
	"7/reserved_regions = 0x00000000fee00000 0x00000000feefffff msi\n"
	"14/reserved_regions = 0x00000000fee00000 0x00000000feefffff msi\n"
	"15/reserved_regions = 0x0000000000000000 0x00000000000fffff direct\n"
	"[/sys/class]\n"
	"net/eno1 -> ../../devices/pci0000:00/0000:00:1f.6/net/eno1\n"
	"block/nvme0n1 -> ../../devices/pci0000:00/0000:00:02.0/0000:02:00.0/nvme/nvme0/nvme0n1\n"
	"block/nvme0n1p2 -> ../../devices/pci0000:00/0000:00:02.0/0000:02:00.0/nvme/nvme0/nvme0n1/"
	"nvme0n1p2\n"
	"iommu/dmar0/\n"
	"dmi/id/sys_vendor = Some Vendor\n"
	"dmi/id/product_name = Some Product\n"
	"[/sys/firmware/acpi/tables]\n"
	"DMAR ! EACCES\n"
	"[/sys/module]\n"
	"nouveau/parameters/modeset = -1\n"
	"nouveau/parameters/modeset @ 0400 0 0\n"
	"vfio_pci/parameters/ids = (null)\n"
	"kvm/parameters/ignore_msrs = N\n"
	"kvm/parameters/report_ignored_msrs = Y\n"
	"kvm/parameters/report_ignored_msrs @ 0444 0 0\n";

static struct tree *tree_of(const char *text, size_t size)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	struct tree *tree = NULL;

	if (tree_capture_new("host", text, size, &diags, &tree) < 0)
		fail_msg("%s:%u: %s", diags.list.at[0].place.file, diags.list.at[0].place.line,
			 diags.list.at[0].message);
	return tree;
}

static void observed(struct tree *tree, struct strbuf *text)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_host_ struct host *host = NULL;
	struct words modules = {0};
	const struct observe_options all = {
		.aliases = true,
		.images = true,
		.holders = true,
		.serials = true,
		.modules = &modules,
	};

	assert_int_equal(words_add(a, &modules, "nouveau"), 1);
	assert_int_equal(host_observe(tree, &all, &host), 0);
	host_show(text, host);
	assert_int_equal(text->error, 0);
}

static void hide(struct strbuf *text, const char *identity)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	const char *at = text->text;
	char mask[MASK_TEXT_SIZE];

	for (const char *found; (found = strstr(at, identity)); at = found + strlen(identity)) {
		strbuf_addn(&out, at, (size_t)(found - at));
		strbuf_add(&out, identity_mask(identity, mask));
	}
	strbuf_add(&out, at);
	strbuf_done(text);
	*text = out;
	out = (struct strbuf){0};
}

/* Alike but for the identities that a capture hides. */
static void expect_alike(struct tree *one, struct tree *other)
{
	_cleanup_strbuf_ struct strbuf a = {0}, b = {0};

	observed(one, &a);
	observed(other, &b);
	hide(&a, MACHINE);
	hide(&a, SERIAL);
	hide(&a, MAC);
	if (strcmp(a.text, b.text) != 0) {
		size_t n = 0;

		while (a.text[n] == b.text[n])
			n++;
		while (n && a.text[n - 1] != '\n')
			n--;
		fail_msg("%.200s\n--- instead of\n%.200s", b.text + n, a.text + n);
	}
}

static void captured(struct tree *tree, struct strbuf *text)
{
	assert_int_equal(capture_write(tree, text), 0);
}

static void a_capture_is_observed_as_its_host(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf from = {0}, text = {0}, again = {0};
	_cleanup_tree_ struct tree *tree = NULL, *copy = NULL;

	strbuf_addf(&from, CAPTURE("%s"), rich);
	tree = tree_of(from.text, from.len);
	captured(tree, &text);
	copy = tree_of(text.text, text.len);
	expect_alike(tree, copy);
	captured(copy, &again);
	assert_string_equal(again.text, text.text);
}

static void a_root_is_captured_as_its_capture(void **state)
{
	struct scratch *s = *state;
	_cleanup_strbuf_ struct strbuf from = {0}, text = {0};
	_cleanup_tree_ struct tree *root = NULL, *copy = NULL;
	struct diags diags = {.arena = s->arena};

	strbuf_addf(&from, CAPTURE("%s"), rich);
	assert_int_equal(capture_lay_out("host", from.text, from.len, s->dir, &diags), 0);
	assert_int_equal(tree_root_new(s->root, NULL, &root), 0);
	captured(root, &text);
	copy = tree_of(text.text, text.len);
	expect_alike(root, copy);
}

/* A running system has besides: its log, what processes hold, and all of config space. */
static const char running[] = "[/proc]\n"
			      "kmsg <<\n"
			      "\t<6>[    0.000000] Linux version 6.1.0-18-amd64\n"
			      "\t<6>[    0.100000] systemd[1]: chatter\n"
			      "\t<6>[    0.200000] x86/cpu: VMX (outside TXT) disabled by BIOS\n"
			      "1234/comm = kvm\n"
			      "1234/fd/0 -> /dev/null\n"
			      "1234/fd/7 -> /dev/dri/card0\n"
			      "1234/fd/8 -> /home/someone\n"
			      "4321/comm = quiet\n"
			      "4321/fd/0 -> /dev/null\n"
			      "[/sys/dev/char]\n"
			      "1:3 -> ../../devices/virtual/mem/null\n"
			      "226:0 -> ../.." GPU_BELOW "/drm/card0\n"
			      "[" GPU "/drm/card0]\n"
			      "dev = 226:0\n";

static void add_config(struct strbuf *text)
{
	/* Device Serial Number (id 3) as the first extended capability. */
	static const char serial[] = "\x03\0\1\0\x11\x22\x33\xff\xfe\x44\x55\x66";
	char config[4096] = {0};

	memcpy(config + 0x100, serial, sizeof(serial) - 1);
	strbuf_add(text, "[" NIC "]\n");
	capture_put_file(text, "config", config, sizeof(config));
}

static void a_running_host_is_captured(void **state _unused_)
{
	static const char *const left_out[] = {
		"chatter", "someone", "quiet =", "/dev/null", "mem/null", "\\xff"};
	_cleanup_strbuf_ struct strbuf from = {0}, text = {0}, again = {0}, seen = {0};
	_cleanup_tree_ struct tree *tree = NULL, *copy = NULL;
	char mask[MASK_TEXT_SIZE];

	strbuf_addf(&from, "# passthroughd capture 1\n%s%s", rich, running);
	add_config(&from);
	strbuf_add(&from, "# end\n");
	/* The log is asked where the CPU's flags leave a question. */
	memcpy(strstr(from.text, "vmx"), "xmv", 3);
	tree = tree_of(from.text, from.len);
	tree->live = true;
	tree->capture = false;
	captured(tree, &text);
	for (size_t i = 0; i < ARRAY_LEN(left_out); i++)
		if (strstr(text.text, left_out[i]))
			fail_msg("%s", left_out[i]);
	copy = tree_of(text.text, text.len);
	expect_alike(tree, copy);
	captured(copy, &again);
	assert_string_equal(again.text, text.text);
	observed(copy, &seen);
	assert_non_null(strstr(seen.text, "open: /dev/dri/card0, held by kvm (1234)\n"));
	assert_non_null(strstr(seen.text, "evidence=kernel log: "));
	identity_mask("66-55-44-fe-ff-33-22-11", mask);
	assert_non_null(strstr(seen.text, mask));
}

static void nothing_personal_is_left(void **state _unused_)
{
	static const char *const hidden[] = {
		MACHINE,	 SERIAL,	 MAC,	"0101A8C0",  "0001A8C0", "20010db8",
		"pbkdf2.sha512", "ffffffffc0a0", "MHz", "usb:v1234", "amdgpu",	 "CONFIG_64BIT",
		"msi_irqs",	 "resource0",
	};
	_cleanup_strbuf_ struct strbuf from = {0}, text = {0};
	_cleanup_tree_ struct tree *tree = NULL;

	strbuf_addf(&from, CAPTURE("%s"), rich);
	tree = tree_of(from.text, from.len);
	/* As one of a running system: nothing that was not asked for stays. */
	tree->capture = false;
	captured(tree, &text);
	for (size_t i = 0; i < ARRAY_LEN(hidden); i++)
		if (strstr(text.text, hidden[i]))
			fail_msg("%s", hidden[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_capture_is_observed_as_its_host),
		scratch_test(a_root_is_captured_as_its_capture),
		cmocka_unit_test(a_running_host_is_captured),
		cmocka_unit_test(nothing_personal_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
