/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mkinitcpio's row: its file, its command by preset, what keeps both from an image, and the proof.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "golden.h"
#include "hosts.h"
#include "initramfs.h"
#include "paths.h"
#include "udev.h"

#define V     "6.18.2-arch2-1"
#define IMAGE "/boot/initramfs-linux.img"
#define DEP                                                                                        \
	"kernel/drivers/vfio/pci/vfio-pci.ko.zst: "                                                \
	"x\nkernel/drivers/vfio/vfio_iommu_type1.ko.zst:\n"

#define PRESET "ALL_kver=\"/boot/vmlinuz-linux\"\nPRESETS=('default')\n"
#define USUAL  PRESET "default_image=\"" IMAGE "\"\n"

static const struct initramfs_builder *row(void)
{
	const struct initramfs_builder *b = initramfs_builder("mkinitcpio");

	assert_non_null(b);
	return b;
}

/* --- hosts and wishes ------------------------------------------------------------------------ */

static struct host_kernel *add_kernel(struct host *host, const char *version, const char *pkgbase,
				      const char *dep)
{
	struct host_kernel *kernel = array_add(host->arena, &host->kernels);

	assert_non_null(kernel);
	*kernel = (struct host_kernel){.version = version,
				       .pkgbase = pkgbase,
				       .vmlinuz = "/boot/vmlinuz-linux",
				       .modules_dep = dep,
				       .modules_builtin = "",
				       .image = {.path = IMAGE, .status = IMAGE_READ}};
	return kernel;
}

static void add_preset(struct host *host, const char *path, const char *text)
{
	struct host_file *file = text ? array_add(host->arena, &host->files) : NULL;

	if (text) {
		assert_non_null(file);
		*file = (struct host_file){
			.path = path, .status = FILE_PRESENT, .text = text, .size = strlen(text)};
	}
}

enum wish_kind { WISH_NOTHING, WISH_IDS, WISH_CARD, WISH_TWIN, WISH_SERIAL, WISH_RIVAL };

static struct early_wish make_wish(struct arena *a, enum wish_kind kind)
{
	struct early_device card = {.driver = "vfio-pci"};
	struct early_wish wish = {};

	if (kind == WISH_NOTHING)
		return wish;
	assert_int_equal(array_push(a, &wish.modules, "vfio_pci"), 0);
	assert_int_equal(array_push(a, &wish.modules, "vfio_iommu_type1"), 0);
	if (kind == WISH_IDS)
		return wish;
	assert_int_equal(pci_addr_parse(kind == WISH_TWIN ? "02:00.0" : "01:00.0", &card.addr), 0);
	assert_int_equal(pci_id_parse("10de:1b81:1462:3301", &card.id), 0);
	card.serial = kind == WISH_SERIAL ? "00-11-22-33-44-55-66-77" : NULL;
	assert_int_equal(array_push(a, &wish.overrides, card), 0);
	if (kind == WISH_RIVAL)
		assert_int_equal(array_push(a, &wish.rivals, "snd_hda_intel"), 0);
	return wish;
}

/* --- our file -------------------------------------------------------------------------------- */

static void our_file_is_as_written(void **state _unused_)
{
	static const struct {
		enum wish_kind wish;
		const char *lts_dep; /* of a second kernel; NULL: there is none */
		const char *golden;  /* NULL: nothing is wanted */
	} rows[] = {
		{WISH_NOTHING, NULL, NULL},
		{WISH_IDS, NULL, "mkinitcpio.conf"},
		{WISH_CARD, DEP, "mkinitcpio.conf"},
		{WISH_SERIAL, NULL, "mkinitcpio-serial.conf"},
		/* a name that one kernel lacks would make its build fail (5.32) */
		{WISH_CARD, "x/vfio-pci.ko:\n", "mkinitcpio-lacking.conf"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_host_ struct host *host = host_new();
		struct early_wish wish = make_wish(host->arena, rows[i].wish);
		const char *text = NULL;
		unsigned mode = 0;

		add_kernel(host, V, "linux", DEP);
		if (rows[i].lts_dep)
			add_kernel(host, "6.12.61-1-lts", "linux-lts", rows[i].lts_dep);
		assert_int_equal(row()->render(host->arena, host, &wish, 0, &text, &mode), 0);
		if (rows[i].golden) {
			assert_golden(rows[i].golden, text);
			assert_int_equal(mode, 0644);
		} else {
			assert_string_equal(text, "");
		}
	}
	assert_string_equal(row()->owned[0], PATH_MKCPIO_DROPIN);
	assert_null(row()->owned[1]);
}

/* --- commands -------------------------------------------------------------------------------- */

static void commands_build_one_kernel(void **state _unused_)
{
	static const struct {
		const char *pkgbase, *preset;
		enum image_status status;
		const char *argv, *produces;
	} rows[] = {
		{"linux", USUAL, IMAGE_READ, "mkinitcpio -p linux", IMAGE},
		{"linux", USUAL, IMAGE_BAD, "mkinitcpio -p linux", IMAGE},
		{"linux", PRESET "default_image=/efi/linux.img\n", IMAGE_READ,
		 "mkinitcpio -p linux", "/efi/linux.img"},
		{"linux", NULL, IMAGE_READ, "mkinitcpio -k " V " -g " IMAGE, IMAGE},
		{"linux", NULL, IMAGE_ABSENT, "mkinitcpio -k " V " -g " IMAGE, IMAGE},
		{NULL, USUAL, IMAGE_ABSENT, "mkinitcpio -k " V " -g /boot/initramfs-" V ".img",
		 "/boot/initramfs-" V ".img"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_host_ struct host *host = host_new();
		struct host_kernel *kernel = add_kernel(host, V, rows[i].pkgbase, DEP);
		struct step step = {};

		kernel->image.status = rows[i].status;
		add_preset(host, "/etc/mkinitcpio.d/linux.preset", rows[i].preset);
		assert_int_equal(row()->command_for(host->arena, host, kernel, &step), 0);
		assert_words(&step.argv, rows[i].argv);
		assert_words(&step.env, "");
		assert_string_equal(step.produces, rows[i].produces);
	}
}

/* --- what would be in vain (5.29) ------------------------------------------------------------ */

static void what_is_not_read_is_not_written(void **state _unused_)
{
	static const struct {
		bool old;
		const char *line;	  /* the running one */
		const char *preset, *lts; /* presets, NULL: none */
		const char *why;	  /* how it begins; NULL: nothing is in the way */
	} rows[] = {
		{false, "", USUAL, NULL, NULL},
		{false, "", NULL, NULL, NULL},
		{true, "", USUAL, NULL, "mkinitcpio here is older than version 36"},
		{false, "", "ALL_config=\"/etc/mkinitcpio.conf\"\n" USUAL, NULL,
		 "/etc/mkinitcpio.d/linux.preset:1 sets ALL_config, "},
		{false, "", USUAL, USUAL "default_config=/etc/lts.conf\n",
		 "/etc/mkinitcpio.d/linux-lts.preset:4 sets default_config, with which mkinitcpio "
		 "reads /etc/lts.conf and nothing of /etc/mkinitcpio.conf.d; make that line a "
		 "comment"},
		{false, "", PRESET "default_uki=/efi/EFI/Linux/arch-linux.efi\n", NULL,
		 "/etc/mkinitcpio.d/linux.preset makes no image of an initramfs alone, but "
		 "/efi/EFI/Linux/arch-linux.efi, and"},
		{false, "", "", NULL, "/etc/mkinitcpio.d/linux.preset makes no image"},
		{false, "", USUAL "source /etc/more\n", NULL,
		 "/etc/mkinitcpio.d/linux.preset:4 is more than an assignment"},
		{false, "initrd=\\intel-ucode.img initrd=\\booster-linux.img root=a rw", USUAL,
		 NULL,
		 "this host was started with an image of booster's (initrd=\\booster-linux.img)"},
		{false, "initrd=\\initramfs-linux.img root=LABEL=booster-1 rw", USUAL, NULL, NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_host_ struct host *host = host_new();
		const struct early_wish wish = {};
		const char *why = "untouched";

		host->builder_old = rows[i].old;
		host->cmdline = rows[i].line;
		add_kernel(host, V, "linux", DEP);
		add_kernel(host, "6.12.61-1-lts", "linux-lts", DEP);
		add_preset(host, "/etc/mkinitcpio.d/linux.preset", rows[i].preset);
		add_preset(host, "/etc/mkinitcpio.d/linux-lts.preset", rows[i].lts);
		assert_int_equal(row()->obstacle(host->arena, host, &wish, &why), 0);
		print_message("%s\n", why ? why : "(nothing)");
		if (rows[i].why)
			assert_memory_equal(why, rows[i].why, strlen(rows[i].why));
		else
			assert_null(why);
	}
}

/* --- proofs ---------------------------------------------------------------------------------- */

#define BUSYBOX(modules) "MODULES=\"" modules "\"\nEARLYHOOKS=\"udev\"\nHOOKS=\"udev\"\n"
#define OURS		 "vfio_pci vfio_iommu_type1"
#define LACKS(module)	 IMAGE " does not load " module " by itself"

#define RIVAL IMAGE " loads snd_hda_intel by itself, before our rule is read"

static const struct {
	enum wish_kind wish, rules; /* what the image was built for */
	const char *inside, *builtin;
	const char *config, *list; /* config; etc/modules-load.d/MODULES.conf, of systemd alone */
	const char *why;	   /* NULL: proven */
} proofs[] = {
	{WISH_CARD, WISH_CARD, OURS, "", BUSYBOX(OURS " btrfs"), NULL, NULL},
	{WISH_IDS, WISH_IDS, OURS, "", BUSYBOX("btrfs vfio-pci vfio_iommu_type1"), NULL, NULL},
	{WISH_CARD, WISH_CARD, OURS, "", "HOOKS=\"\"\n", "vfio_pci\nvfio_iommu_type1\n", NULL},
	{WISH_NOTHING, WISH_NOTHING, "", "", BUSYBOX(""), NULL, NULL},
	{WISH_NOTHING, WISH_NOTHING, OURS, "", BUSYBOX(OURS), NULL, NULL},
	/* the kernel has one of them built in: mkinitcpio leaves it out */
	{WISH_CARD, WISH_CARD, "vfio_iommu_type1", "x/vfio-pci.ko\n", BUSYBOX("vfio_iommu_type1"),
	 NULL, NULL},
	/* our file was not read, though another put the modules inside */
	{WISH_CARD, WISH_CARD, OURS, "", BUSYBOX(""), NULL, LACKS("vfio_pci")},
	{WISH_CARD, WISH_CARD, OURS, "", "HOOKS=\"udev\"\n", NULL, LACKS("vfio_pci")},
	{WISH_CARD, WISH_CARD, OURS, "", BUSYBOX("vfio_pci_core vfio vfio_pci"), NULL,
	 LACKS("vfio_iommu_type1")},
	{WISH_CARD, WISH_CARD, OURS, "", NULL, NULL, LACKS("vfio_pci")},
	{WISH_CARD, WISH_CARD, OURS, "", "HOOKS=\"" OURS "\"\n", NULL, LACKS("vfio_pci")},
	/* with systemd its own list counts, which /init of busybox never reads */
	{WISH_CARD, WISH_CARD, OURS, "", BUSYBOX(OURS), "btrfs\n", LACKS("vfio_pci")},
	{WISH_CARD, WISH_CARD, OURS, "", BUSYBOX(OURS), "vfio_pci\n", LACKS("vfio_iommu_type1")},
	/* what is not inside cannot win */
	{WISH_CARD, WISH_CARD, "vfio_pci", "", BUSYBOX(OURS), NULL,
	 IMAGE " lacks the module vfio_iommu_type1"},
	{WISH_CARD, WISH_NOTHING, OURS, "", BUSYBOX(OURS), NULL,
	 IMAGE " lacks etc/udev/rules.d/00-passthroughd.rules"},
	{WISH_CARD, WISH_TWIN, OURS, "", BUSYBOX(OURS), NULL,
	 IMAGE " has an older etc/udev/rules.d/00-passthroughd.rules"},
	{WISH_NOTHING, WISH_CARD, OURS, "", BUSYBOX(""), NULL,
	 IMAGE " still has etc/udev/rules.d/00-passthroughd.rules"},
	/* somebody's own list has the host's driver, which is loaded before any rule is read */
	{WISH_RIVAL, WISH_CARD, OURS, "", BUSYBOX(OURS " btrfs"), NULL, NULL},
	{WISH_RIVAL, WISH_CARD, OURS, "", BUSYBOX(OURS " snd-hda-intel"), NULL, RIVAL},
	{WISH_RIVAL, WISH_CARD, OURS, "", BUSYBOX(""),
	 "vfio_pci\nvfio_iommu_type1\nsnd_hda_intel\n", RIVAL},
	{WISH_CARD, WISH_CARD, OURS, "", BUSYBOX(OURS " snd_hda_intel"), NULL, NULL},
	{WISH_SERIAL, WISH_SERIAL, OURS, "", BUSYBOX(OURS), NULL,
	 IMAGE " lacks /usr/libexec/passthroughd/pci-serial"},
};

static void put(struct arena *a, struct host_image *image, const char *path, const char *text)
{
	const struct image_file file = {path, text, text ? strlen(text) : 0};

	if (text && *text)
		assert_int_equal(array_push(a, &image->files, file), 0);
}

static void image_is_read_not_trusted(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_LEN(proofs); i++) {
		_cleanup_host_ struct host *host = host_new();
		struct early_wish wish = make_wish(host->arena, proofs[i].wish);
		struct early_wish rules = make_wish(host->arena, proofs[i].rules);
		struct host_kernel *kernel = add_kernel(host, V, "linux", DEP);
		const char *text = NULL, *why = NULL;

		kernel->modules_builtin = proofs[i].builtin;
		kernel->image.modules = split(host->arena, proofs[i].inside);
		assert_int_equal(udev_rules_render(host->arena, &rules, &text), 0);
		put(host->arena, &kernel->image, "etc/udev/rules.d/00-passthroughd.rules", text);
		put(host->arena, &kernel->image, "config", proofs[i].config);
		put(host->arena, &kernel->image, "etc/modules-load.d/MODULES.conf", proofs[i].list);
		print_message("proof %zu\n", i);
		assert_int_equal(row()->proof(&wish, kernel, host->arena, &why),
				 proofs[i].why == NULL);
		if (proofs[i].why)
			assert_string_equal(why, proofs[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_file_is_as_written),
		cmocka_unit_test(commands_build_one_kernel),
		cmocka_unit_test(what_is_not_read_is_not_written),
		cmocka_unit_test(image_is_read_not_trusted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
