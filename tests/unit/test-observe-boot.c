/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files, kernels and boot entries: what the next build uses, and what the next boot does. */
#include <errno.h>

#include "observe-text.h"
#include "paths.h"

static const struct observe_options plain = {0};
static const struct observe_options whole = {.aliases = true, .images = true};

#define V18 "6.1.0-18-amd64"
#define V9  "6.1.0-9-amd64"

/* --- files ----------------------------------------------------------------------------------- */

static void files_say_how_they_were_read(void **state _unused_)
{
	static const char text[] =
		"[/etc/default]\ngrub = GRUB_DEFAULT=0\ngrub @ 0600 7 8\n"
		"grub.d/40-x.cfg = x=1\n"
		"grub.d/dangling.cfg -> nowhere\n"
		"grub.d/folder.cfg/\n"
		"grub.d/no-config = x\n"
		"grub.d/.hidden.cfg = x\n"
		"[/etc]\nmodules -> modules-load.d/gone.conf\n"
		"[/etc/kernel]\ncmdline ! EACCES\n"
		"[/etc/modprobe.d]\n00-passthroughd.conf -> 00-passthroughd.conf\n"
		"[/etc/udev/rules.d]\n00-passthroughd.rules/\n"
		"50-mine.rules = ATTR{driver_override}=\"vfio-pci\"\n"
		"60-other.rules = SUBSYSTEM==\"usb\"\n"
		"[/etc/driverctl.d]\n0000:01:00.0 = vfio-pci\n";
	static const struct {
		const char *path;
		bool known;
		enum file_status status;
		int error;
		const char *text;
	} rows[] = {
		{PATH_GRUB_DEFAULTS, true, FILE_PRESENT, 0, "GRUB_DEFAULT=0\n"},
		{"/etc/default/grub.d/40-x.cfg", true, FILE_PRESENT, 0, "x=1\n"},
		{"/etc/default/grub.d/dangling.cfg", true, FILE_UNSAFE, -ENOENT, ""},
		{"/etc/default/grub.d/folder.cfg", false, FILE_ABSENT, 0, ""},
		{"/etc/default/grub.d/no-config", false, FILE_ABSENT, 0, ""},
		{"/etc/default/grub.d/.hidden.cfg", false, FILE_ABSENT, 0, ""},
		{"/etc/modules", true, FILE_UNSAFE, -ENOENT, ""},
		{PATH_KERNEL_CMDLINE, true, FILE_UNREADABLE, -EACCES, ""},
		{PATH_MODPROBE, true, FILE_UNSAFE, -ELOOP, ""},
		{PATH_UDEV_RULES, true, FILE_UNSAFE, -EISDIR, ""},
		{PATH_GRUB_DROPIN, true, FILE_ABSENT, 0, ""},
		{PATH_ITOOLS_HOOK, true, FILE_ABSENT, 0, ""},
		{"/etc/udev/rules.d/50-mine.rules", true, FILE_PRESENT, 0,
		 "ATTR{driver_override}=\"vfio-pci\"\n"},
		{"/etc/udev/rules.d/60-other.rules", false, FILE_ABSENT, 0, ""},
		{"/etc/driverctl.d/0000:01:00.0", true, FILE_PRESENT, 0, "vfio-pci\n"},
	};
	_cleanup_host_ struct host *host = observe_text(text, &plain);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct host_file *file = host_file(host, rows[i].path);

		if (!rows[i].known) {
			assert_null(file);
			continue;
		}
		assert_non_null(file);
		assert_int_equal(file->status, rows[i].status);
		assert_int_equal(file->error, rows[i].error);
		assert_string_equal(file->text, rows[i].text);
	}
	assert_int_equal(host_file(host, PATH_GRUB_DEFAULTS)->mode, 0600);
	assert_int_equal(host_file(host, PATH_GRUB_DEFAULTS)->uid, 7);
	assert_int_equal(host_file(host, PATH_GRUB_DEFAULTS)->gid, 8);
	for (size_t i = 1; i < host->files.n; i++)
		assert_true(strcmp(host->files.at[i - 1].path, host->files.at[i].path) < 0);
}

static void modprobe_files_are_in_their_order(void **state _unused_)
{
	static const char *const expected[] = {
		"/etc/modprobe.d/00-passthroughd.conf",
		"/usr/local/lib/modprobe.d/a.conf",
		"/etc/modprobe.d/b.conf",
		"/lib/modules/" V18 "/modules.softdep",
		"/etc/modprobe.d/vfio.conf",
		"/lib/modprobe.d/z.conf",
	};
	_cleanup_host_ struct host *host = observe_text(
		"[/etc/modprobe.d]\nvfio.conf = x\nb.conf = x\n00-passthroughd.conf = x\nREADME = "
		"x\n"
		"[/run/modprobe.d]\na.conf = gone at the next boot\nq.conf = x\n"
		"[/usr/local/lib/modprobe.d]\na.conf = x\n"
		"[/lib/modprobe.d]\nz.conf = x\nb.conf = hidden\n"
		"[/boot]\nvmlinuz-" V18 " = k\n"
		"[/lib/modules/" V18 "]\nmodules.softdep = softdep uhci_hcd pre: ehci_pci\n",
		&plain);

	assert_int_equal(host->modprobe_order.n, ARRAY_LEN(expected));
	for (size_t i = 0; i < ARRAY_LEN(expected); i++)
		assert_string_equal(host->modprobe_order.at[i], expected[i]);
	assert_string_equal(host_text(host, expected[3]), "softdep uhci_hcd pre: ehci_pci\n");
}

/* --- kernels --------------------------------------------------------------------------------- */

static void kernels_are_those_that_can_boot(void **state _unused_)
{
	static const struct {
		const char *text;
		const char *versions[4];
		int running;
	} rows[] = {
		{"[/boot]\nvmlinuz-" V18 " = k\nvmlinuz-" V9
		 " = k\n[/proc/sys/kernel]\nosrelease = " V9 "\n",
		 {V9, V18},
		 0},
		{"[/boot]\nvmlinuz-" V18 ".old = k\nvmlinuz-" V18 ".dpkg-tmp = k\nvmlinuz = k\n"
		 "vmlinuz- = k\nvmlinuz-0-rescue-abc = k\nvmlinuz-" V18 " = k\n"
		 "config-" V9 " = x\nvmlinux-5.4.0 = k\n",
		 {"5.4.0", V18},
		 -1},
		/* A removed kernel leaves modules behind; one that runs, or lies there, counts. */
		{"[/lib/modules]\n" V18 "/modules.dep : \n" V9 "/modules.dep : \n"
		 "5.4.0/modules.dep : \n5.4.0/vmlinuz = k\n4.19.0/\n"
		 "[/proc/sys/kernel]\nosrelease = " V9 "\n",
		 {"5.4.0", V9},
		 1},
		{"[/boot]\n", {NULL}, -1},
		{"[/etc]\n", {NULL}, -1},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_host_ struct host *host = observe_text(rows[i].text, &plain);
		size_t n = 0;

		for (; rows[i].versions[n]; n++) {
			assert_true(n < host->kernels.n);
			assert_string_equal(host->kernels.at[n].version, rows[i].versions[n]);
			assert_int_equal(host->kernels.at[n].running, rows[i].running == (int)n);
		}
		assert_int_equal(host->kernels.n, n);
	}
}

static void defaults_of_the_iommu_are_read(void **state _unused_)
{
	static const struct {
		const char *config;
		enum tristate on;
	} rows[] = {
		{"config-" V18 " <<\n\tCONFIG_X=y\n\tCONFIG_INTEL_IOMMU_DEFAULT_ON=y\n", YES},
		{"config-" V18 " = CONFIG_INTEL_IOMMU_DEFAULT_ON=y\n", YES},
		/* Debian's default leaves the integrated GPU out (7.29). */
		{"config-" V18 " <<\n\t# CONFIG_INTEL_IOMMU_DEFAULT_ON is not set\n"
		 "\tCONFIG_INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF=y\n",
		 NO},
		{"config-" V18 " <<\n\t# CONFIG_INTEL_IOMMU_DEFAULT_ON=y\n", NO},
		{"", UNKNOWN},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_strbuf_ struct strbuf text = {0};

		strbuf_addf(&text, "[/boot]\nvmlinuz-" V18 " = k\n%s", rows[i].config);
		_cleanup_host_ struct host *host = observe_text(strbuf_text(&text), &plain);

		assert_int_equal(host->kernels.at[0].iommu_default_on, rows[i].on);
	}
}

static void indexes_are_read_when_asked_for(void **state _unused_)
{
	static const char text[] =
		"[/boot]\nvmlinuz-" V18 " = k\n"
		"[/lib/modules/" V18 "]\n"
		"modules.dep <<\n\tkernel/drivers/vfio/vfio_virqfd.ko:\n"
		"\tupdates/nvidia-uvm.ko.zst: updates/nvidia.ko.zst updates/i2c.ko\n"
		"\tupdates/nvidia.ko.zst: updates/i2c.ko\n"
		"modules.builtin = kernel/drivers/usb/host/xhci-pci.ko\n"
		"modules.alias = alias pci:v* nouveau\n"
		"modules.builtin.modinfo : a.alias=x\\x00b.alias=y\\x00\n";
	_cleanup_host_ struct host *without = observe_text(text, &plain);
	_cleanup_host_ struct host *with = observe_text(text, &whole);
	const struct host_kernel *kernel = &with->kernels.at[0];

	assert_int_equal(host_kernel_module(kernel, "vfio_virqfd"), MODULE_LOADABLE);
	assert_int_equal(host_kernel_module(kernel, "xhci_pci"), MODULE_BUILTIN);
	assert_int_equal(host_kernel_module(kernel, "nouveau"), MODULE_ABSENT);
	assert_true(host_kernel_needs(kernel, "nvidia_uvm", "nvidia"));
	assert_true(host_kernel_needs(kernel, "nvidia_uvm", "i2c"));
	assert_false(host_kernel_needs(kernel, "nvidia", "nvidia_uvm"));
	assert_false(host_kernel_needs(kernel, "nvidia", "nvidia"));
	assert_false(host_kernel_needs(kernel, "vfio_virqfd", "nvidia"));
	assert_false(host_kernel_needs(kernel, "uvm", "nvidia"));
	assert_string_equal(kernel->modules_softdep, "");
	assert_string_equal(kernel->modules_alias, "alias pci:v* nouveau\n");
	assert_string_equal(kernel->builtin_modinfo, "a.alias=x\nb.alias=y\n");
	assert_string_equal(without->kernels.at[0].modules_alias, "");
	assert_string_equal(without->kernels.at[0].builtin_modinfo, "");
}

static void images_are_opened_when_asked_for(void **state _unused_)
{
	static const char text[] = "[/boot]\nvmlinuz-" V18 " = k\nvmlinuz-" V9 " = k\n"
				   "vmlinuz-5.4.0 = k\n"
				   "initrd.img-" V18 " image zstd 34567890\n"
				   "initrd.img-" V9 " image bad cut short\n"
				   "[/boot/initrd.img-" V18 "!]\n+ nouveau vfio_pci\n";
	_cleanup_host_ struct host *without = observe_text(text, &plain);
	_cleanup_host_ struct host *host = observe_text(text, &whole);

	assert_int_equal(host->kernels.n, 3);
	assert_int_equal(host->kernels.at[0].image.status, IMAGE_ABSENT);
	assert_null(host->kernels.at[0].image.path);
	assert_int_equal(host->kernels.at[1].image.status, IMAGE_BAD);
	assert_string_equal(host->kernels.at[1].image.path, "/boot/initrd.img-" V9);
	assert_int_equal(host->kernels.at[2].image.status, IMAGE_READ);
	assert_string_equal(host->kernels.at[2].image.path, "/boot/initrd.img-" V18);
	assert_string_equal(host->kernels.at[2].image.compression, "zstd");
	assert_true(words_has(&host->kernels.at[2].image.modules, "vfio_pci"));
	assert_string_equal(without->kernels.at[2].image.path, "/boot/initrd.img-" V18);
	assert_int_equal(without->kernels.at[2].image.modules.n, 0);
}

/* --- commands -------------------------------------------------------------------------------- */

static void commands_can_be_run(void **state _unused_)
{
	_cleanup_host_ struct host *host =
		observe_text("[/usr/sbin]\nupdate-initramfs = x\nupdate-initramfs @ 0755 0 0\n"
			     "grub-mkconfig = x\n" /* not executable */
			     "dracut/\n"	   /* a folder */
			     "[/sbin]\nproxmox-boot-tool = x\nproxmox-boot-tool @ 0755 0 0\n"
			     "[/]\nbin -> usr/bin\n"
			     "[/usr/bin]\nqm -> ../sbin/update-initramfs\n",
			     &plain);

	assert_int_equal(host->commands.n, 3);
	assert_true(host_has_command(host, "update-initramfs"));
	assert_true(host_has_command(host, "proxmox-boot-tool"));
	assert_true(host_has_command(host, "qm"));
	assert_string_equal(host->initramfs_builder, "initramfs-tools");
	assert_true(host->boot.proxmox_tool);
	assert_null(host->boot.grub_mkconfig);
}

/* --- boot entries ---------------------------------------------------------------------------- */

#define GRUB_CFG                                                                                   \
	"grub.cfg <<\n"                                                                            \
	"\tmenuentry 'Debian GNU/Linux' --class debian {\n"                                        \
	"\t\tlinux /boot/vmlinuz-" V18 " root=/dev/sda1 ro quiet\n"                                \
	"\t\tinitrd /boot/initrd.img-" V18 "\n"                                                    \
	"\t}\n"                                                                                    \
	"\tmenuentry 'Debian (recovery mode)' {\n"                                                 \
	"\t\tlinux /boot/vmlinuz-" V18 " root=/dev/sda1 ro single\n"                               \
	"\t}\n"
#define ENTRY(options)                                                                             \
	" <<\n\ttitle Debian\n\tversion " V18 "\n\tlinux /m/" V18 "/linux\n\toptions " options "\n"

/* "loader source kernel options[ recovery]" a line. */
static const char *entries_of(struct host *host)
{
	struct strbuf text = {0};
	const char *all;

	array_foreach(it, &host->boot.entries)
		strbuf_addf(&text, "%s %s %s %s%s\n", loader_name(it->loader), it->source,
			    it->kernel ? it->kernel : "-", it->options,
			    it->recovery ? " recovery" : "");
	assert_int_equal(strbuf_to_arena(&text, host->arena, &all), 0);
	strbuf_done(&text);
	return all;
}

static void entries_are_found(void **state _unused_)
{
	static const struct {
		const char *text, *cfg;
		bool readable;
		const char *entries;
	} rows[] = {
		{"[/boot/grub]\n" GRUB_CFG, "/boot/grub/grub.cfg", true,
		 "grub /boot/grub/grub.cfg " V18 " root=/dev/sda1 ro quiet\n"
		 "grub /boot/grub/grub.cfg " V18 " root=/dev/sda1 ro single recovery\n"},
		/* A copy that was cut (2.9), and one that may not be read. */
		{"[/boot/grub]\ngrub.cfg <<\n\tmenuentry 'x' {\n", "/boot/grub/grub.cfg", false,
		 ""},
		{"[/boot/grub]\ngrub.cfg ! EACCES\n", "/boot/grub/grub.cfg", false, ""},
		/* Fedora: the entry files are GRUB's (2.14). */
		{"[/boot/grub2]\ngrub.cfg <<\n\tset x=1\n\tblscfg\n"
		 "[/boot/loader/entries]\nm-" V18 ".conf" ENTRY("ro quiet"),
		 "/boot/grub2/grub.cfg", true,
		 "grub-bls /boot/loader/entries/m-" V18 ".conf " V18 " ro quiet\n"},
		/* The first options line, with what grubenv has for it (2.14, 2.17). */
		{"[/boot/grub2]\ngrub.cfg <<\n\tset x=1\n\tblscfg\n"
		 "grubenv <|\n\t# GRUB Environment Block\n\tkernelopts=root=a ro\n\t####\n"
		 "[/boot/loader/entries]\nm-" V18
		 ".conf" ENTRY("$kernelopts $tuned_params\n\toptions b"),
		 "/boot/grub2/grub.cfg", true,
		 "grub-bls /boot/loader/entries/m-" V18 ".conf " V18 " root=a ro $tuned_params\n"},
		/* systemd-boot, with boot counting in a name (3.11). */
		{"[/efi/loader/entries]\nm-" V18 "+3-1.conf" ENTRY("ro a=1") "x.conf.bak = x\n",
		 NULL, false,
		 "systemd-boot /efi/loader/entries/m-" V18 "+3-1.conf " V18 " ro a=1\n"},
		{"[/etc]\n", NULL, false, ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_host_ struct host *host = observe_text(rows[i].text, &plain);

		assert_text(host->boot.grub_cfg, rows[i].cfg);
		assert_int_equal(host->boot.grub_cfg_readable, rows[i].readable);
		assert_string_equal(entries_of(host), rows[i].entries);
	}
}

#define ESPS                                                                                       \
	"[/etc/kernel]\nproxmox-boot-uuids <<\n\tAAAA-0001\n\t\n\tBBBB-0002\n"                     \
	"[/dev/disk/by-uuid]\nAAAA-0001 -> ../../sda2\nBBBB-0002 -> ../../sdb2\n"

static void esps_are_read_where_mounted(void **state _unused_)
{
	_cleanup_host_ struct host *host =
		observe_text(ESPS "[/proc]\nself/mountinfo <<\n"
				  "\t1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
				  "\t2 1 8:18 / /boot/efi rw - vfat /dev/sdb2 rw\n"
				  "[/boot/efi/loader/entries]\n"
				  "proxmox-" V18 ".conf" ENTRY("root=ZFS=rpool/ROOT/pve-1"),
			     &plain);

	assert_true(host->boot.proxmox);
	assert_false(host->boot.proxmox_tool);
	assert_int_equal(host->boot.esps.n, 2);
	assert_string_equal(host->boot.esps.at[0].uuid, "AAAA-0001");
	assert_false(host->boot.esps.at[0].mounted);
	assert_null(host->boot.esps.at[0].mount);
	assert_true(host->boot.esps.at[1].mounted);
	assert_string_equal(host->boot.esps.at[1].mount, "/boot/efi");
	assert_string_equal(entries_of(host),
			    "proxmox-boot-tool /boot/efi/loader/entries/proxmox-" V18 ".conf " V18
			    " root=ZFS=rpool/ROOT/pve-1\n");
}

static void firmware_is_asked(void **state _unused_)
{
	static const struct {
		const char *text;
		bool efi;
		const char *info;
	} rows[] = {
		{"[/sys/firmware]\n", false, NULL},
		{"[/sys/firmware/efi]\n", true, NULL},
		{"[/sys/firmware/efi/efivars]\n"
		 "LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f : "
		 "\\x06\\x00\\x00\\x00s\\x00d\\x00 \\x00\xc3\xa4\\x00\\x00trailing\n",
		 true, "sd \xea\x93\x83"},
		{"[/sys/firmware/efi/efivars]\n"
		 "LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f : "
		 "\\x06\\x00\\x00\\x00G\\x00\\xe4\\x00\\x00\\xd8X\n",
		 true, "G\xc3\xa4\xef\xbf\xbd"},
		{"[/sys/firmware/efi/efivars]\n"
		 "LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f : x\n",
		 true, ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_host_ struct host *host = observe_text(rows[i].text, &plain);

		assert_int_equal(host->boot.efi, rows[i].efi);
		assert_text(host->boot.loader_info, rows[i].info);
	}
}

static void grub_says_what_it_reads(void **state _unused_)
{
	static const struct {
		const char *text;
		bool dir_read;
		const char *mkconfig;
		bool copies; /* (2.9) */
	} rows[] = {
		{"[/usr/sbin]\ngrub-mkconfig <<\n\tdefault/grub.d/*.cfg\n"
		 "\t    cat ${grub_cfg}.new > ${grub_cfg}\n"
		 "grub-mkconfig @ 0755 0 0\n"
		 "update-grub <<\n\texec grub-mkconfig -o /boot/grub/grub.cfg \"$@\"\n"
		 "update-grub @ 0755 0 0\n",
		 true, "update-grub", true},
		/* A wrapper that takes no other path. */
		{"[/usr/sbin]\ngrub-mkconfig <<\n\tdefault/grub.d/*.cfg\n"
		 "\t    cat ${grub_cfg}.new > ${grub_cfg}\n"
		 "grub-mkconfig @ 0755 0 0\n"
		 "update-grub <<\n\tgrub-mkconfig -o /boot/grub/grub.cfg\nupdate-grub @ 0755 0 0\n",
		 true, "update-grub", false},
		{"[/usr/sbin]\ngrub2-mkconfig <<\n\t    cat ${grub_cfg}.new > ${grub_cfg}\n"
		 "grub2-mkconfig @ 0755 0 0\n",
		 false, "grub2-mkconfig", true},
		{"[/usr/sbin]\ngrub-mkconfig <<\n\tfor x in ${sysconfdir}/default/grub.d/*.cfg\n"
		 "grub-mkconfig @ 0755 0 0\nupdate-grub = x\nupdate-grub @ 0755 0 0\n",
		 true, "update-grub", false},
		/* Upstream's does not (2.4), whatever folder somebody made. */
		{"[/usr/sbin]\ngrub-mkconfig = . ${sysconfdir}/default/grub\n"
		 "grub-mkconfig @ 0755 0 0\n[/etc/default]\ngrub.d/\n",
		 false, "grub-mkconfig", false},
		{"[/usr/sbin]\ngrub2-mkconfig = x\ngrub2-mkconfig @ 0755 0 0\n", false,
		 "grub2-mkconfig", false},
		{"[/etc/default]\ngrub.d/\n", true, NULL, false},
		{"[/etc]\n", false, NULL, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_host_ struct host *host = observe_text(rows[i].text, &plain);

		assert_int_equal(host->boot.grub_dir_read, rows[i].dir_read);
		assert_text(host->boot.grub_mkconfig, rows[i].mkconfig);
		assert_int_equal(host->boot.grub_copies, rows[i].copies);
	}
}

static void boot_may_be_read_only(void **state _unused_)
{
	static const struct {
		const char *mounts;
		bool read_only;
	} rows[] = {
		{"\t1 0 8:1 / / rw - ext4 /dev/sda1 rw\n", false},
		{"\t1 0 8:1 / / ro,noatime - ext4 /dev/sda1 rw\n", true},
		{"\t1 0 8:1 / / rw - ext4 /dev/sda1 ro\n", true},
		{"\t1 0 8:1 / / rw - ext4 /dev/sda1 rw\n\t2 1 8:2 / /boot ro - ext4 /dev/sda2 rw\n",
		 true},
		{"\t1 0 8:1 / / ro - ext4 /dev/sda1 rw\n\t2 1 8:2 / /boot rw - ext4 /dev/sda2 rw\n",
		 false},
		/* Mounted over again: the last one counts; another folder does not. */
		{"\t2 1 8:2 / /boot ro - ext4 /dev/sda2 rw\n\t3 1 8:2 / /boot rw - ext4 /dev/sda2 "
		 "rw\n",
		 false},
		{"\t2 1 8:2 / /bootstrap ro - ext4 /dev/sda2 rw\n", false},
		{"\t2 1 8:2 / /boot/efi ro - vfat /dev/sda2 rw\n", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_strbuf_ struct strbuf text = {0};

		strbuf_addf(&text, "[/boot]\n[/proc]\nself/mountinfo <<\n%s", rows[i].mounts);
		_cleanup_host_ struct host *host = observe_text(strbuf_text(&text), &plain);

		assert_int_equal(host->boot.boot_read_only, rows[i].read_only);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_say_how_they_were_read),
		cmocka_unit_test(modprobe_files_are_in_their_order),
		cmocka_unit_test(kernels_are_those_that_can_boot),
		cmocka_unit_test(defaults_of_the_iommu_are_read),
		cmocka_unit_test(indexes_are_read_when_asked_for),
		cmocka_unit_test(images_are_opened_when_asked_for),
		cmocka_unit_test(commands_can_be_run),
		cmocka_unit_test(entries_are_found),
		cmocka_unit_test(esps_are_read_where_mounted),
		cmocka_unit_test(firmware_is_asked),
		cmocka_unit_test(grub_says_what_it_reads),
		cmocka_unit_test(boot_may_be_read_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
