/* SPDX-License-Identifier: GPL-2.0-or-later */
/* booster's row: what must not be inside, who puts it there, its command, and the proof (5.34). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hosts.h"
#include "initramfs.h"
#include "paths.h"

#define V     "6.18.2-arch2-1"
#define IMAGE "/boot/booster-linux.img"
#define DEP                                                                                        \
	"kernel/drivers/ata/ahci.ko.zst:\n"                                                        \
	"kernel/drivers/gpu/drm/nouveau/nouveau.ko.zst: kernel/drivers/x/y.ko.zst\n"               \
	"kernel/drivers/net/ethernet/intel/igb/igb.ko.zst:\n"                                      \
	"kernel/drivers/nvme/host/nvme.ko.zst:\n"                                                  \
	"kernel/drivers/scsi/mpt3sas/mpt3sas.ko:\n"                                                \
	"kernel/drivers/usb/host/xhci-pci.ko.zst:\n"                                               \
	"kernel/drivers/vfio/pci/vfio-pci.ko.zst:\n"                                               \
	"updates/dkms/nvidia.ko.zst:\n"

static const struct initramfs_builder *row(void)
{
	const struct initramfs_builder *b = initramfs_builder("booster");

	assert_non_null(b);
	return b;
}

/* --- hosts and wishes ------------------------------------------------------------------------ */

static struct host_kernel *add_kernel(struct host *host, const char *pkgbase, const char *inside,
				      const char *init)
{
	struct host_kernel *kernel = array_add(host->arena, &host->kernels);
	struct image_file file = {"etc/booster.init.yaml", init, init ? strlen(init) : 0};

	assert_non_null(kernel);
	*kernel =
		(struct host_kernel){.version = V,
				     .pkgbase = pkgbase,
				     .vmlinuz = "/boot/vmlinuz-linux",
				     .modules_dep = DEP,
				     .modules_builtin = "",
				     .modules_alias = "alias pci:v*d*sv*sd*bc0Csc03i30* xhci_pci\n",
				     .image = {.path = IMAGE, .status = IMAGE_READ}};
	kernel->image.modules = split(host->arena, inside);
	if (init)
		assert_int_equal(array_push(host->arena, &kernel->image.files, file), 0);
	return kernel;
}

static void add_config(struct host *host, const char *text)
{
	struct host_file *file = array_add(host->arena, &host->files);

	assert_non_null(file);
	*file = (struct host_file){
		.path = PATH_BOOSTER, .status = FILE_PRESENT, .text = text, .size = strlen(text)};
}

/* A function, and what must stay outside for it; "": nothing is wished. */
static struct early_wish make_wish(struct arena *a, const char *outside, bool rebind)
{
	struct early_device card = {.driver = "vfio-pci", .rebind = rebind};
	struct early_wish wish = {};

	if (!*outside)
		return wish;
	assert_int_equal(pci_addr_parse("01:00.0", &card.addr), 0);
	assert_int_equal(pci_id_parse("10de:1b81", &card.id), 0);
	assert_int_equal(array_push(a, &wish.modules, "vfio_pci"), 0);
	assert_int_equal(array_push(a, &wish.overrides, card), 0);
	wish.outside = split(a, outside);
	return wish;
}

/* --- who puts it there ----------------------------------------------------------------------- */

#define MINE "kernel: " V "\n"

static const struct {
	const char *outside, *inside, *config;
	const char *why; /* part of it; NULL: nothing is in the way */
} obstacles[] = {
	{"nouveau", "ext4", "", NULL},
	{"nouveau", "ext4", "modules: nouveau\n", NULL}, /* an image without it is right */
	{"nouveau", "nouveau", "", NULL},		 /* only old: the next will be right */
	{"nouveau", "nouveau", "modules: nouveau,-nouveau\n", NULL},
	{"nouveau", "nouveau", "modules: -kernel/drivers/gpu/\n", NULL},
	{"", "nouveau", "modules: nouveau\n", NULL},
	/* by name, path, folder, all of them */
	{"nouveau", "nouveau", "\nmodules: nouveau\n", ":2 names it (nouveau); take that out"},
	{"nouveau", "nouveau", "modules_force_load: i915, nouveau\n", ":1 names it (nouveau)"},
	{"nouveau", "nouveau", "modules: kernel/drivers/gpu/drm/nouveau/nouveau.ko\n",
	 "names it (kernel/drivers/gpu/drm/nouveau/nouveau.ko)"},
	{"nouveau", "nouveau", "modules: kernel/drivers/gpu/drm/nouveau/nouveau.ko.zst\n",
	 "nouveau.ko.zst)"},
	{"nouveau", "nouveau", "modules: kernel/drivers/gpu/\n", "names it (kernel/drivers/gpu/)"},
	{"nouveau", "nouveau", "modules: '*'\n", ":1 names it (*)"},
	{"nvidia", "nvidia", "modules: updates/\n", "names it (updates/)"},
	{"nouveau", "nouveau", "modules: nouv,kernel/drivers/gpu,x/,nouveau.ko\n", NULL},
	/* the list of forced ones comes later */
	{"nouveau", "nouveau", "modules: -nouveau\nmodules_force_load: nouveau\n", ":2 names it"},
	{"nouveau", "nouveau", "modules_force_load: nouveau\nmodules: -nouveau\n", ":1 names it"},
	/* by itself */
	{"xhci_pci", "xhci_pci", "", "add -xhci_pci to modules: in /etc/booster.yaml"},
	{"mpt3sas", "mpt3sas", "compression: xz\n", "add -mpt3sas to modules:"},
	{"nvme", "nvme", "", "add -nvme to modules:"},
	{"xhci_pci", "xhci_pci", "modules: -xhci_pci\n", NULL},
	{"xhci_pci", "xhci_pci", "modules: -*\n", NULL},
	/* names with dashes are no names to booster, whose build would fail */
	{"xhci_pci", "xhci_pci", "modules: -xhci-pci\n", "add -xhci_pci"},
	/* the network's drivers come last of all */
	{"igb", "igb", "", NULL},
	{"igb", "igb", "modules: -igb\nnetwork:\n  dhcp: on\n", ":2 switches the network on"},
	/* what cannot be followed */
	{"nouveau", "nouveau", "modules: |\n  a\n", ":1 is no plain \"KEY: VALUE\""},
	{"nouveau", "ext4", "modules: |\n  a\n", NULL},
};

static void who_puts_it_there_is_named(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_LEN(obstacles); i++) {
		_cleanup_host_ struct host *host = host_new();
		struct early_wish wish = make_wish(host->arena, obstacles[i].outside, false);
		const char *why = "untouched";

		add_kernel(host, "linux", "ext4", MINE);
		add_kernel(host, "linux-lts", obstacles[i].inside, MINE);
		add_config(host, obstacles[i].config);
		assert_int_equal(row()->obstacle(host->arena, host, &wish, &why), 0);
		print_message("%s%s\n", obstacles[i].config, why ? why : "(nothing)");
		if (obstacles[i].why)
			assert_non_null(strstr(why, obstacles[i].why));
		else
			assert_null(why);
	}
}

static void what_the_host_boots_with_is_not_taken_out(void **state _unused_)
{
	static const struct {
		const char *driver, *modalias, *outside;
		enum use_kind use;
		bool needed;
	} needs[] = {
		{"nvme", NULL, "nvme", USE_ROOT, true},
		{"nvme", NULL, "nvme", USE_MOUNT, false},
		{"nvme", NULL, "mpt3sas", USE_ROOT, false},
		/* a driver need not be called as its module is */
		{"xhci_hcd", "pci:v00008086d0000A36Dsv00001043sd00008655bc0Csc03i30", "xhci_pci",
		 USE_ROOT, true},
	};

	for (size_t i = 0; i < ARRAY_LEN(needs); i++) {
		_cleanup_host_ struct host *host = host_new();
		struct early_wish wish = make_wish(host->arena, needs[i].outside, false);
		struct host_device *device = array_add(host->arena, &host->devices);
		const struct host_use use = {.kind = needs[i].use, .what = "nvme0n1p2 on /"};
		const char *why = NULL;

		assert_non_null(device);
		*device = (struct host_device){.driver = needs[i].driver,
					       .modalias = needs[i].modalias};
		assert_int_equal(array_push(host->arena, &device->uses, use), 0);
		add_kernel(host, "linux", needs[i].outside, MINE);
		assert_int_equal(row()->obstacle(host->arena, host, &wish, &why), 0);
		assert_non_null(why);
		print_message("%s\n", why);
		assert_int_equal(strstr(why, "needs it there too (nvme0n1p2 on /)") != NULL,
				 needs[i].needed);
		assert_int_equal(strstr(why, "add -") == NULL, needs[i].needed);
	}
}

static void what_booster_does_not_make_is_left_alone(void **state _unused_)
{
	static const struct {
		const char *init, *line;
		bool rebind;
		const char *why; /* NULL: nothing is in the way */
	} others[] = {
		{MINE, "initrd=\\amd-ucode.img initrd=\\booster-linux.img", false, NULL},
		{NULL, "", false, IMAGE " is no image of booster's"},
		{MINE, "initrd=\\initramfs-linux.img", false,
		 "this host was started with an image of another builder's "
		 "(initrd=\\initramfs-linux.img)"},
		{MINE, "", true, "a driver that is built into the kernel has 0000:01:00.0"},
	};

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		_cleanup_host_ struct host *host = host_new();
		struct early_wish wish = make_wish(host->arena, "nouveau", others[i].rebind);
		const char *why = NULL;

		host->cmdline = others[i].line;
		add_kernel(host, "linux", "ext4", others[i].init);
		assert_int_equal(row()->obstacle(host->arena, host, &wish, &why), 0);
		assert_int_equal(why == NULL, others[i].why == NULL);
		if (others[i].why)
			assert_memory_equal(why, others[i].why, strlen(others[i].why));
	}
}

static void copies_count(void **state _unused_)
{
	_cleanup_host_ struct host *host = host_new();
	struct early_wish wish = make_wish(host->arena, "nouveau", false);
	struct host_kernel *kernel = add_kernel(host, "linux", "ext4", MINE);
	struct host_image copy = kernel->image;
	const char *why = NULL;

	copy.path = "/efi/id/v/initrd";
	copy.modules = split(host->arena, "nouveau");
	assert_int_equal(array_push(host->arena, &kernel->copies, copy), 0);
	add_config(host, "modules: nouveau\n");
	assert_int_equal(row()->obstacle(host->arena, host, &wish, &why), 0);
	assert_memory_equal(why, "/efi/id/v/initrd has the module nouveau", 39);
}

/* --- commands -------------------------------------------------------------------------------- */

static void commands_build_one_kernel(void **state _unused_)
{
	static const struct {
		const char *pkgbase, *is; /* the image that is there */
		const char *image;
	} rows[] = {
		{"linux", IMAGE, IMAGE},
		{"linux-lts", NULL, "/boot/booster-linux-lts.img"},
		{NULL, NULL, "/boot/booster-" V ".img"},
		/* never over another's */
		{"linux", "/boot/initramfs-linux.img", IMAGE},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_host_ struct host *host = host_new();
		struct host_kernel *kernel = add_kernel(host, rows[i].pkgbase, "", MINE);
		struct step step = {};

		kernel->image.path = rows[i].is;
		assert_int_equal(row()->command_for(host->arena, host, kernel, &step), 0);
		assert_words(&step.argv,
			     arena_printf(host->arena,
					  "booster build --force --kernel-version " V " %s",
					  rows[i].image));
		assert_words(&step.env, "");
		assert_string_equal(step.produces, rows[i].image);
		assert_true(step.beside);
	}
	assert_null(row()->owned[0]);
}

/* --- proofs ---------------------------------------------------------------------------------- */

static const struct {
	const char *outside, *inside, *init;
	enum image_status status;
	bool rebind;
	const char *why; /* NULL: proven */
} proofs[] = {
	{"nouveau snd_hda_intel", "ext4 nvme", MINE, IMAGE_READ, false, NULL},
	{"nouveau", "ext4 vfio_pci", MINE, IMAGE_READ, false, NULL},
	{"", "nouveau", NULL, IMAGE_READ, false, NULL},
	{"nouveau snd_hda_intel", "ext4 snd_hda_intel", MINE, IMAGE_READ, false,
	 IMAGE " has the module snd_hda_intel, which takes its devices before our rule is read"},
	{"nouveau", "", NULL, IMAGE_READ, false, IMAGE " is no image of booster's"},
	{"nouveau", "", "kernel: 6.0.0\n", IMAGE_READ, false,
	 IMAGE " is made for the kernel 6.0.0, and starts no other"},
	{"nouveau", "", "modprobeoptions:\n", IMAGE_READ, false,
	 IMAGE " is made for no kernel that it names, and starts no other"},
	{"nouveau", "", MINE, IMAGE_READ, true,
	 "a driver that is built into the kernel has 0000:01:00.0 before it"},
	{"nouveau", "", MINE, IMAGE_BAD, false, IMAGE " is damaged: no reason known"},
	{"nouveau", "", MINE, IMAGE_ABSENT, false, "kernel " V " has no image"},
};

static void image_is_read_not_trusted(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_LEN(proofs); i++) {
		_cleanup_host_ struct host *host = host_new();
		struct early_wish wish = make_wish(host->arena, proofs[i].outside,
						   proofs[i].rebind);
		struct host_kernel *kernel = add_kernel(host, "linux", proofs[i].inside,
							proofs[i].init);
		const char *why = NULL;

		kernel->image.status = proofs[i].status;
		print_message("proof %zu\n", i);
		assert_int_equal(row()->proof(&wish, kernel, host->arena, &why),
				 proofs[i].why == NULL);
		if (proofs[i].why)
			assert_string_equal(why, proofs[i].why);
	}
}

static void options_are_read_in_the_image(void **state _unused_)
{
	_cleanup_host_ struct host *host = host_new();
	const struct host_kernel *kernel =
		add_kernel(host, "linux", "kvm", MINE "modprobeoptions:\n    kvm: ignore_msrs=1\n");
	const struct host_image none = {};
	const char *text = NULL;

	assert_int_equal(row()->options_in(host->arena, &kernel->image, &text), 0);
	assert_string_equal(text, "options kvm ignore_msrs=1\n");
	assert_int_equal(row()->options_in(host->arena, &none, &text), 0);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_puts_it_there_is_named),
		cmocka_unit_test(what_the_host_boots_with_is_not_taken_out),
		cmocka_unit_test(what_booster_does_not_make_is_left_alone),
		cmocka_unit_test(copies_count),
		cmocka_unit_test(commands_build_one_kernel),
		cmocka_unit_test(image_is_read_not_trusted),
		cmocka_unit_test(options_are_read_in_the_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
