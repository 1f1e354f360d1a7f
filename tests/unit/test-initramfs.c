/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The builders' rows: texts, commands, and what counts as proof in an image. */
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

#define V "6.1.0-18-amd64"

static const struct initramfs_builder *row(const char *name)
{
	const struct initramfs_builder *b = initramfs_builder(name);

	assert_non_null(b);
	return b;
}

/* --- wishes --------------------------------------------------------------------------------- */

enum wish_kind {
	WISH_NOTHING,
	WISH_IDS,
	WISH_CARD,
	WISH_TWIN,
	WISH_SERIAL,
	WISH_BUILTIN,
	WISH_ODD_NAME,
	WISH_ODD_SERIAL,
};

#define SERIAL "00-11-22-33-44-55-66-77"

static struct early_device *add_device(struct arena *a, struct early_wish *wish, const char *addr,
				       const char *id)
{
	struct early_device *device = array_add(a, &wish->overrides);

	assert_non_null(device);
	assert_int_equal(pci_addr_parse(addr, &device->addr), 0);
	assert_int_equal(pci_id_parse(id, &device->id), 0);
	device->driver = "vfio-pci";
	return device;
}

static struct early_wish make_wish(struct arena *a, enum wish_kind kind)
{
	struct early_wish wish = {};

	if (kind == WISH_NOTHING)
		return wish;
	assert_int_equal(array_push(a, &wish.modules, "vfio_pci"), 0);
	assert_int_equal(array_push(a, &wish.modules, "vfio_iommu_type1"), 0);
	if (kind == WISH_CARD) {
		add_device(a, &wish, "01:00.0", "10de:1b81:1462:3301");
		add_device(a, &wish, "01:00.1", "10de:10f0");
	}
	if (kind == WISH_TWIN)
		add_device(a, &wish, "02:00.0", "8086:10d3:8086:0000");
	if (kind == WISH_SERIAL) {
		add_device(a, &wish, "02:00.0", "8086:10d3:8086:0000")->serial = SERIAL;
		add_device(a, &wish, "03:00.0", "8086:1533");
	}
	if (kind == WISH_BUILTIN) {
		add_device(a, &wish, "01:00.0", "10de:1b81");
		add_device(a, &wish, "04:00.0", "1b36:000d")->rebind = true;
		add_device(a, &wish, "05:00.0", "1b36:000d")->rebind = true;
	}
	if (kind == WISH_ODD_SERIAL)
		add_device(a, &wish, "02:00.0", "8086:10d3")->serial = SERIAL " $(reboot)";
	if (kind == WISH_ODD_NAME)
		assert_int_equal(array_push(a, &wish.modules, "$(reboot)"), 0);
	return wish;
}

static const char *text_of(struct arena *a, const char *builder, size_t i,
			   const struct early_wish *wish)
{
	const char *text = NULL;
	unsigned mode;

	assert_int_equal(row(builder)->render(a, NULL, wish, i, &text, &mode), 0);
	return text;
}

/* --- texts ---------------------------------------------------------------------------------- */

static const struct {
	const char *builder, *owned;
	size_t i;
	enum wish_kind wish;
	const char *golden; /* NULL: nothing is wanted */
	unsigned mode;
} texts[] = {
	{"initramfs-tools", PATH_ITOOLS_HOOK, 0, WISH_NOTHING, NULL, 0},
	{"initramfs-tools", PATH_ITOOLS_HOOK, 0, WISH_IDS, "itools-hook.sh", 0755},
	{"initramfs-tools", PATH_ITOOLS_HOOK, 0, WISH_CARD, "itools-hook.sh", 0755},
	{"initramfs-tools", PATH_ITOOLS_INITTOP, 1, WISH_NOTHING, NULL, 0},
	{"initramfs-tools", PATH_ITOOLS_INITTOP, 1, WISH_IDS, "itools-init-top-ids.sh", 0755},
	{"initramfs-tools", PATH_ITOOLS_INITTOP, 1, WISH_CARD, "itools-init-top.sh", 0755},
	{"dracut", PATH_DRACUT_DROPIN, 0, WISH_NOTHING, NULL, 0},
	{"dracut", PATH_DRACUT_DROPIN, 0, WISH_IDS, "dracut.conf", 0644},
	{"dracut", PATH_DRACUT_DROPIN, 0, WISH_CARD, "dracut.conf", 0644},
	{"initramfs-tools", PATH_ITOOLS_HOOK, 0, WISH_SERIAL, "itools-hook-serial.sh", 0755},
	{"initramfs-tools", PATH_ITOOLS_INITTOP, 1, WISH_SERIAL, "itools-init-top-serial.sh", 0755},
	{"initramfs-tools", PATH_ITOOLS_INITTOP, 1, WISH_BUILTIN, "itools-init-top-builtin.sh",
	 0755},
	{"dracut", PATH_DRACUT_DROPIN, 0, WISH_SERIAL, "dracut-serial.conf", 0644},
};

static void files_are_as_written(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct early_wish wish = make_wish(a, texts[i].wish);
		const struct initramfs_builder *b = row(texts[i].builder);
		const char *text = NULL;
		unsigned mode = 0;

		assert_string_equal(b->owned[texts[i].i], texts[i].owned);
		assert_int_equal(b->render(a, NULL, &wish, texts[i].i, &text, &mode), 0);
		if (texts[i].golden) {
			assert_golden(texts[i].golden, text);
			assert_int_equal(mode, texts[i].mode);
		} else {
			assert_string_equal(text, "");
		}
	}
}

static void names_that_are_none_are_refused(void **state _unused_)
{
	static const enum wish_kind odd[] = {WISH_ODD_NAME, WISH_ODD_SERIAL};
	_cleanup_arena_ struct arena *a = arena_new();

	for (size_t k = 0; k < ARRAY_LEN(odd) * initramfs_builders_n; k++) {
		struct early_wish wish = make_wish(a, odd[k % ARRAY_LEN(odd)]);
		const struct initramfs_builder *b = initramfs_builders[k / ARRAY_LEN(odd)];

		for (size_t n = 0; b->owned[n]; n++) {
			const char *text = "untouched";
			unsigned mode = 1;

			assert_int_equal(b->render(a, NULL, &wish, n, &text, &mode), -EINVAL);
			assert_string_equal(text, "untouched");
			assert_int_equal(mode, 1);
		}
	}
}

/* --- commands ------------------------------------------------------------------------------- */

static const struct {
	const char *builder;
	enum image_status status;
	const char *image; /* as observed */
	const char *other; /* another kernel's image */
	bool proxmox;
	const char *argv, *env, *produces;
} commands[] = {
#define UPDATE "update-initramfs -u -k " V
#define DRACUT "dracut -q --force "
#define DEBIAN "/boot/initrd.img-"
	{"initramfs-tools", IMAGE_READ, DEBIAN V, NULL, false, UPDATE, "", DEBIAN V},
	{"initramfs-tools", IMAGE_BAD, DEBIAN V, NULL, false, UPDATE, "", DEBIAN V},
	{"initramfs-tools", IMAGE_ABSENT, NULL, NULL, false, "update-initramfs -c -k " V, "",
	 DEBIAN V},
	{"initramfs-tools", IMAGE_READ, DEBIAN V, NULL, true, UPDATE,
	 "INITRAMFS_TOOLS_KERNEL_HOOK=1", DEBIAN V},
	{"dracut", IMAGE_READ, DEBIAN V, NULL, true, DRACUT DEBIAN V " " V, "", DEBIAN V},
	{"dracut", IMAGE_READ, "/boot/initramfs-" V ".img", NULL, false,
	 DRACUT "/boot/initramfs-" V ".img " V, "", "/boot/initramfs-" V ".img"},
	/* without an image the other kernels' show how they are called here (5.25) */
	{"dracut", IMAGE_ABSENT, NULL, NULL, false, DRACUT DEBIAN V " " V, "", DEBIAN V},
	{"dracut", IMAGE_ABSENT, NULL, "/boot/initramfs-6.1.0.img", false,
	 DRACUT "/boot/initramfs-" V ".img " V, "", "/boot/initramfs-" V ".img"},
	{"dracut", IMAGE_ABSENT, NULL, "/boot/initrd-6.1.0", false, DRACUT "/boot/initrd-" V " " V,
	 "", "/boot/initrd-" V},
	{"dracut", IMAGE_ABSENT, NULL, "/efi/other/initrd", false, DRACUT DEBIAN V " " V, "",
	 DEBIAN V},
};

static void add_kernel(struct host *host, const char *version, enum image_status status,
		       const char *image)
{
	struct host_kernel *kernel = array_add(host->arena, &host->kernels);

	assert_non_null(kernel);
	*kernel = (struct host_kernel){.version = version,
				       .image = {.path = image, .status = status}};
}

static void commands_name_one_kernel(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		_cleanup_host_ struct host *host = host_new();
		struct step step = {};

		assert_non_null(host);
		host->boot.proxmox = commands[i].proxmox;
		if (commands[i].other)
			add_kernel(host, "6.1.0", IMAGE_READ, commands[i].other);
		add_kernel(host, V, commands[i].status, commands[i].image);
		assert_int_equal(row(commands[i].builder)
					 ->command_for(host->arena, host,
						       &host->kernels.at[host->kernels.n - 1],
						       &step),
				 0);
		assert_words(&step.argv, commands[i].argv);
		assert_words(&step.env, commands[i].env);
		assert_string_equal(step.produces, commands[i].produces);
	}
}

struct beside_row {
	const char *builder;
	const char *hooks[2];
	bool proxmox, beside;
};

static const struct beside_row besides[] = {
	{"initramfs-tools", {NULL}, false, true},
	{"initramfs-tools", {"local"}, false, false},
	{"initramfs-tools", {"proxmox-boot-sync"}, true, true},
	{"initramfs-tools", {"proxmox-boot-sync"}, false, false},
	{"initramfs-tools", {"proxmox-boot-sync", "local"}, true, false},
	{"initramfs-tools", {"systemd-boot"}, false, false},
	{"dracut", {NULL}, false, true},
	{"dracut", {"local"}, false, true},
};

/* Hooks that run after each image (5.7), and do something then, would run at once. */
static void images_are_built_side_by_side_where_that_is_safe(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_LEN(besides); i++) {
		_cleanup_host_ struct host *host = host_new();
		struct step step = {};

		assert_non_null(host);
		host->boot.proxmox = besides[i].proxmox;
		for (size_t k = 0; k < 2 && besides[i].hooks[k]; k++)
			words_add(host->arena, &host->image_hooks, besides[i].hooks[k]);
		add_kernel(host, V, IMAGE_READ, DEBIAN V);
		assert_int_equal(row(besides[i].builder)
					 ->command_for(host->arena, host, host->kernels.at, &step),
				 0);
		assert_int_equal(step.beside, besides[i].beside);
	}
}

/* --- proofs --------------------------------------------------------------------------------- */

#define ORDER_LINE(name)                                                                           \
	"/scripts/init-top/" name " \"$@\"\n[ -e /conf/param.conf ] && . /conf/param.conf\n"
#define ORDER_RIGHT ORDER_LINE("00-passthroughd") ORDER_LINE("blacklist") ORDER_LINE("udev")
#define ORDER_LATE  ORDER_LINE("blacklist") ORDER_LINE("udev") ORDER_LINE("00-passthroughd")
#define ORDER_NONE  ORDER_LINE("blacklist") ORDER_LINE("udev")
#define ORDER_ALONE ORDER_LINE("00-passthroughd")

static const struct {
	enum wish_kind wish;
	enum image_status status;
	const char *dep, *builtin, *inside; /* modules.dep, modules.builtin, blank-separated .ko */
	enum wish_kind rules, script;	    /* which wish the image was built for */
	const char *order;
	const char *why; /* NULL: proven */
} proofs[] = {
#define DEP	 "kernel/drivers/vfio/pci/vfio-pci.ko: x\nkernel/drivers/vfio/vfio_iommu_type1.ko:\n"
#define INSIDE	 "vfio_pci vfio_iommu_type1"
#define RIGHT(w) w, IMAGE_READ, DEP, "", INSIDE, w, w, ORDER_RIGHT
	{RIGHT(WISH_CARD), NULL},
	{RIGHT(WISH_IDS), NULL},
	{RIGHT(WISH_BUILTIN), NULL},
	{WISH_NOTHING, IMAGE_READ, DEP, "", "", WISH_NOTHING, WISH_NOTHING, ORDER_NONE, NULL},
	{WISH_NOTHING, IMAGE_READ, DEP, "", INSIDE, WISH_NOTHING, WISH_NOTHING, NULL, NULL},
	/* an image that was cut, or is not there */
	{WISH_CARD, IMAGE_BAD, DEP, "", "", WISH_NOTHING, WISH_NOTHING, NULL,
	 "/boot/initrd.img-" V " is damaged: ends early"},
	{WISH_CARD, IMAGE_UNREADABLE, DEP, "", "", WISH_NOTHING, WISH_NOTHING, NULL,
	 "/boot/initrd.img-" V " cannot be read: ends early"},
	{WISH_CARD, IMAGE_ABSENT, DEP, "", "", WISH_NOTHING, WISH_NOTHING, NULL,
	 "kernel " V " has no image"},
	/* modules: built in counts, missing in the kernel does not */
	{WISH_CARD, IMAGE_READ, DEP, "", "vfio_pci", WISH_CARD, WISH_CARD, ORDER_RIGHT,
	 "/boot/initrd.img-" V " lacks the module vfio_iommu_type1"},
	{WISH_CARD, IMAGE_READ, "",
	 "kernel/drivers/vfio/pci/vfio-pci.ko\nkernel/vfio_iommu_type1.ko\n", "", WISH_CARD,
	 WISH_CARD, ORDER_RIGHT, NULL},
	{WISH_CARD, IMAGE_READ, "", "", "", WISH_CARD, WISH_CARD, ORDER_RIGHT,
	 "kernel " V " has no module vfio_pci"},
	/* built before the rule, before the script, or for another card */
	{WISH_CARD, IMAGE_READ, DEP, "", INSIDE, WISH_NOTHING, WISH_CARD, ORDER_RIGHT,
	 "/boot/initrd.img-" V " lacks lib/udev/rules.d/00-passthroughd.rules"},
	{WISH_CARD, IMAGE_READ, DEP, "", INSIDE, WISH_TWIN, WISH_CARD, ORDER_RIGHT,
	 "/boot/initrd.img-" V " has an older lib/udev/rules.d/00-passthroughd.rules"},
	{WISH_CARD, IMAGE_READ, DEP, "", INSIDE, WISH_CARD, WISH_NOTHING, ORDER_RIGHT,
	 "/boot/initrd.img-" V " lacks scripts/init-top/00-passthroughd"},
	{WISH_CARD, IMAGE_READ, DEP, "", INSIDE, WISH_CARD, WISH_TWIN, ORDER_RIGHT,
	 "/boot/initrd.img-" V " has an older scripts/init-top/00-passthroughd"},
	{WISH_NOTHING, IMAGE_READ, DEP, "", INSIDE, WISH_CARD, WISH_NOTHING, ORDER_NONE,
	 "/boot/initrd.img-" V " still has lib/udev/rules.d/00-passthroughd.rules"},
	{WISH_NOTHING, IMAGE_READ, DEP, "", INSIDE, WISH_NOTHING, WISH_CARD, ORDER_RIGHT,
	 "/boot/initrd.img-" V " still has scripts/init-top/00-passthroughd"},
	/* order */
	{WISH_CARD, IMAGE_READ, DEP, "", INSIDE, WISH_CARD, WISH_CARD, ORDER_ALONE, NULL},
	{WISH_CARD, IMAGE_READ, DEP, "", INSIDE, WISH_CARD, WISH_CARD, ORDER_LATE,
	 "/boot/initrd.img-" V " calls scripts/init-top/00-passthroughd only after udev"},
	{WISH_CARD, IMAGE_READ, DEP, "", INSIDE, WISH_CARD, WISH_CARD, ORDER_NONE,
	 "/boot/initrd.img-" V " does not call scripts/init-top/00-passthroughd"},
	{WISH_CARD, IMAGE_READ, DEP, "", INSIDE, WISH_CARD, WISH_CARD, NULL,
	 "/boot/initrd.img-" V " does not call scripts/init-top/00-passthroughd"},
};

static void put(struct arena *a, struct host_image *image, const char *path, const char *text)
{
	struct image_file *file;

	if (!text || !text[0])
		return;
	file = array_add(a, &image->files);
	assert_non_null(file);
	*file = (struct image_file){path, text, strlen(text)};
}

static void image_is_read_not_trusted(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_LEN(proofs); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct early_wish wish = make_wish(a, proofs[i].wish);
		struct early_wish rules = make_wish(a, proofs[i].rules);
		struct early_wish script = make_wish(a, proofs[i].script);
		struct host_kernel kernel = {
			.version = V,
			.modules_dep = proofs[i].dep,
			.modules_builtin = proofs[i].builtin,
			.image = {.path = "/boot/initrd.img-" V,
				  .status = proofs[i].status,
				  .why = "ends early"},
		};
		const char *text = NULL, *why = NULL;

		kernel.image.modules = split(a, proofs[i].inside);
		assert_int_equal(udev_rules_render(a, &rules, &text), 0);
		put(a, &kernel.image, "lib/udev/rules.d/00-passthroughd.rules", text);
		put(a, &kernel.image, "scripts/init-top/00-passthroughd",
		    text_of(a, "initramfs-tools", 1, &script));
		put(a, &kernel.image, "scripts/init-top/ORDER", proofs[i].order);

		print_message("proof %zu\n", i);
		assert_int_equal(row("initramfs-tools")->proof(&wish, &kernel, a, &why),
				 proofs[i].why == NULL);
		if (proofs[i].why)
			assert_string_equal(why, proofs[i].why);
		else
			assert_null(why);
	}
}

#define PRE(m)	"rd.driver.pre=" m "\n"
#define CMDLINE "etc/cmdline.d/20-force_drivers.conf"

static const struct {
	enum wish_kind wish, rules;
	const char *builtin, *path, *cmdline;
	const char *why;
} dracut_proofs[] = {
	{WISH_CARD, WISH_CARD, "", CMDLINE, PRE("vfio_pci") PRE("vfio_iommu_type1"), NULL},
	{WISH_CARD, WISH_CARD, "", "etc/cmdline.d/my.conf", PRE("nvme,vfio-pci,vfio_iommu_type1"),
	 NULL},
	{WISH_CARD, WISH_CARD, "x/vfio-pci.ko\nx/vfio_iommu_type1.ko\n", CMDLINE, "", NULL},
	{WISH_IDS, WISH_IDS, "", CMDLINE, PRE("vfio_pci") PRE("vfio_iommu_type1"), NULL},
	{WISH_NOTHING, WISH_NOTHING, "", CMDLINE, PRE("vfio_pci"), NULL},
	{WISH_CARD, WISH_CARD, "", CMDLINE,
	 PRE("vfio_pci_core") PRE("vfio") PRE("vfio_iommu_type1"),
	 "/boot/initrd.img-" V " does not load vfio_pci before udev"},
	{WISH_CARD, WISH_CARD, "", "scripts/init-top/ORDER",
	 PRE("vfio_pci") PRE("vfio_iommu_type1"),
	 "/boot/initrd.img-" V " does not load vfio_pci before udev"},
	{WISH_CARD, WISH_NOTHING, "", CMDLINE, PRE("vfio_pci") PRE("vfio_iommu_type1"),
	 "/boot/initrd.img-" V " lacks etc/udev/rules.d/00-passthroughd.rules"},
	{WISH_CARD, WISH_TWIN, "", CMDLINE, PRE("vfio_pci") PRE("vfio_iommu_type1"),
	 "/boot/initrd.img-" V " has an older etc/udev/rules.d/00-passthroughd.rules"},
	{WISH_NOTHING, WISH_CARD, "", CMDLINE, "",
	 "/boot/initrd.img-" V " still has etc/udev/rules.d/00-passthroughd.rules"},
};

static void dracuts_image_is_read_too(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_LEN(dracut_proofs); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct early_wish wish = make_wish(a, dracut_proofs[i].wish);
		struct early_wish rules = make_wish(a, dracut_proofs[i].rules);
		struct host_kernel kernel = {
			.version = V,
			.modules_dep = DEP,
			.modules_builtin = dracut_proofs[i].builtin,
			.image = {.path = "/boot/initrd.img-" V,
				  .status = IMAGE_READ,
				  .modules = split(a, INSIDE)},
		};
		const char *text = NULL, *why = NULL;

		assert_int_equal(udev_rules_render(a, &rules, &text), 0);
		put(a, &kernel.image, "etc/udev/rules.d/00-passthroughd.rules", text);
		put(a, &kernel.image, dracut_proofs[i].path, dracut_proofs[i].cmdline);
		print_message("dracut proof %zu\n", i);
		assert_int_equal(row("dracut")->proof(&wish, &kernel, a, &why),
				 dracut_proofs[i].why == NULL);
		if (dracut_proofs[i].why)
			assert_string_equal(why, dracut_proofs[i].why);
	}
}

/* The program that compares it must be inside where, and only where, a wish has a serial number. */
static void serial_needs_its_program(void **state _unused_)
{
	for (unsigned i = 0; i < 8; i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct early_wish wish = make_wish(a, i & 1 ? WISH_SERIAL : WISH_CARD);
		bool proven = i & 2 || !(i & 1);
		const char *builder = i & 4 ? "dracut" : "initramfs-tools";
		struct host_kernel kernel = {
			.version = V,
			.modules_dep = DEP,
			.modules_builtin = "",
			.image = {.path = "/boot/initrd.img-" V,
				  .status = IMAGE_READ,
				  .modules = split(a, INSIDE)},
		};
		struct image_file program = {"libexec/passthroughd/pci-serial", "", 0};
		const char *text = NULL, *why = NULL;

		assert_int_equal(udev_rules_render(a, &wish, &text), 0);
		put(a, &kernel.image, "etc/udev/rules.d/00-passthroughd.rules", text);
		put(a, &kernel.image, "scripts/init-top/00-passthroughd",
		    text_of(a, "initramfs-tools", 1, &wish));
		put(a, &kernel.image, "scripts/init-top/ORDER", ORDER_RIGHT);
		put(a, &kernel.image, CMDLINE, PRE("vfio_pci") PRE("vfio_iommu_type1"));
		if (i & 2)
			assert_int_equal(array_push(a, &kernel.image.files, program), 0);
		assert_int_equal(row(builder)->proof(&wish, &kernel, a, &why), proven);
		if (!proven)
			assert_string_equal(why, "/boot/initrd.img-" V " lacks " PATH_PCI_SERIAL);
	}
}

static void builders_are_found_by_name(void **state _unused_)
{
	for (size_t i = 0; i < initramfs_builders_n; i++)
		assert_ptr_equal(initramfs_builder(initramfs_builders[i]->name),
				 initramfs_builders[i]);
	assert_null(initramfs_builder("no such builder"));
	assert_null(initramfs_builder(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_as_written),
		cmocka_unit_test(names_that_are_none_are_refused),
		cmocka_unit_test(commands_name_one_kernel),
		cmocka_unit_test(images_are_built_side_by_side_where_that_is_safe),
		cmocka_unit_test(image_is_read_not_trusted),
		cmocka_unit_test(dracuts_image_is_read_too),
		cmocka_unit_test(serial_needs_its_program),
		cmocka_unit_test(builders_are_found_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
