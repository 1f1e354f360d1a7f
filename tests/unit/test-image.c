/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Initramfs images of every make, whole, cut and hostile. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "image-write.h"
#include "image.h"

struct entry {
	const char *name, *bytes;
	unsigned mode, nlink, ino;
};

static void add(struct strbuf *b, const struct entry *e)
{
	size_t size = e->bytes ? strlen(e->bytes) : 0;

	strbuf_addf(b, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", e->ino,
		    e->mode ? e->mode : S_IFREG | 0644, 0u, 0u, e->nlink ? e->nlink : 1, 0u, size,
		    8u, 1u, 0u, 0u, strlen(e->name) + 1, 0u);
	strbuf_addn(b, e->name, strlen(e->name) + 1);
	while (b->len % 4)
		strbuf_addc(b, 0);
	strbuf_addn(b, e->bytes, size);
	while (b->len % 4)
		strbuf_addc(b, 0);
}

static void add_trailer(struct strbuf *b)
{
	add(b, &(struct entry){.name = "TRAILER!!!"});
}

static void add_main(struct strbuf *b)
{
	add(b, &(struct entry){.name = "init", .bytes = "#!/bin/sh\n"});
	add(b, &(struct entry){.name = "etc/modprobe.d/a.conf", .bytes = "blacklist radeon\n"});
	add(b, &(struct entry){.name = "lib/modules/6.1.0/kernel/vfio-pci.ko"});
	add_trailer(b);
}

static struct host_image image_of(const struct strbuf *b, struct arena *a)
{
	struct host_image image;
	/* Exactly as large as it is, so that a read past its end is caught. */
	_cleanup_free_ char *bytes = malloc(b->len + !b->len);

	assert_non_null(bytes);
	if (b->len)
		memcpy(bytes, b->text, b->len);
	assert_int_equal(b->error, 0);
	assert_int_equal(image_read_memory(bytes, b->len, a, &image), 0);
	return image;
}

static void expect_main(const struct host_image *image, const char *compression)
{
	if (image->status != IMAGE_READ)
		fail_msg("%s: %s", compression, image->why);
	assert_string_equal(image->compression, compression);
	assert_int_equal(image->files.n, 1);
	assert_string_equal(image->files.at[0].path, "etc/modprobe.d/a.conf");
	assert_string_equal(image->files.at[0].text, "blacklist radeon\n");
	assert_int_equal(image->files.at[0].size, 17);
	assert_int_equal(image->modules.n, 1);
	assert_string_equal(image->modules.at[0], "vfio_pci");
}

static const char *const compressions[] = {"none", "gzip", "zstd", "xz", "lz4", "bzip2", "lzma"};

static void every_compression_is_read(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_LEN(compressions); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		_cleanup_strbuf_ struct strbuf plain = {0}, packed = {0};
		struct host_image image;

		add_main(&plain);
		assert_int_equal(image_compress(compressions[i], &plain, &packed), 0);
		image = image_of(&packed, a);
		expect_main(&image, compressions[i]);
		assert_int_equal(image.size, packed.len);
	}
}

/* Early archives as microcode and ACPI tables come, with padding up to a block behind each. */
static void early_archives_are_passed(void **state _unused_)
{
	static const size_t paddings[] = {0, 4, 388, 512, 66000};

	for (size_t i = 0; i < ARRAY_LEN(compressions); i++) {
		for (size_t k = 0; k < ARRAY_LEN(paddings); k++) {
			_cleanup_arena_ struct arena *a = arena_new();
			_cleanup_strbuf_ struct strbuf plain = {0}, all = {0};
			struct host_image image;

			for (int early = 0; early < 2; early++) {
				add(&all, &(struct entry){.name = "kernel/x86/microcode/x.bin",
							  .bytes = "\x1f\x8bnot gzip"});
				add_trailer(&all);
				for (size_t n = 0; n < paddings[k]; n++)
					strbuf_addc(&all, 0);
			}
			add_main(&plain);
			assert_int_equal(image_compress(compressions[i], &plain, &all), 0);
			image = image_of(&all, a);
			expect_main(&image, compressions[i]);
		}
	}
}

static void every_cut_is_bad(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_LEN(compressions); i++) {
		_cleanup_strbuf_ struct strbuf plain = {0}, all = {0};

		add(&all, &(struct entry){.name = "kernel/x86/microcode/x.bin", .bytes = "xy"});
		add_trailer(&all);
		add_main(&plain);
		assert_int_equal(image_compress(compressions[i], &plain, &all), 0);
		for (; all.len; all.len--) {
			_cleanup_arena_ struct arena *a = arena_new();
			struct strbuf cut = {.text = all.text, .len = all.len - 1};
			struct host_image image = image_of(&cut, a);

			if (image.status != IMAGE_BAD)
				fail_msg("%s of %zu bytes: %s", compressions[i], cut.len,
					 image_status_name(image.status));
			assert_non_null(image.why);
			assert_int_equal(image.files.n + image.modules.n, 0);
		}
	}
}

static void damage_has_a_phrase(void **state _unused_)
{
	static const struct {
		const char *from, *to; /* of the plain archive, the first one replaced */
		const char *why;
	} rows[] = {
		{"070701", "070707", "old cpio format"},
		{"070701", "07070x", "not a cpio archive"},
		{"070701", "BZh701", "cut short or damaged"},
		{"070701", "\x1f\x8b\x08\x01\x01\x01", "cut short or damaged"},
		{"070701", "\x04\x22\x4d\x18\x01\x01", "frame format"},
		{"070701", "\x89LZO\x01\x01", "lzo compression is not supported"},
		{"070701", "xxxxxx", "neither an archive nor a known compression"},
		{"07070100000000", "0707010000000g", "damaged cpio header"},
		{"0000000500000000init", "0000000000000000init", "damaged cpio header"},
		{"0000000500000000init", "0000100100000000init", "damaged cpio header"},
		{"0000000500000000init", "0000000400000000init", "damaged cpio header"},
		{"0000000500000000init", "ffffffff00000000init", "damaged cpio header"},
		{"TRAILER!!!", "TRAILER!!x", "cut short"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		_cleanup_strbuf_ struct strbuf b = {0};
		struct host_image image;
		char *at;

		add_main(&b);
		at = memmem(b.text, b.len, rows[i].from, strlen(rows[i].from));
		assert_non_null(at);
		memcpy(at, rows[i].to, strlen(rows[i].from));
		image = image_of(&b, a);
		assert_int_equal(image.status, IMAGE_BAD);
		if (!strstr(image.why, rows[i].why))
			fail_msg("row %zu: %s", i, image.why);
	}
}

/* Microcode alone is what a cut behind the first archive leaves. */
static void early_archives_alone_are_cut(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_strbuf_ struct strbuf b = {0};
	struct host_image image;

	add(&b, &(struct entry){.name = "kernel/x86/microcode/GenuineIntel.bin", .bytes = "x"});
	add(&b, &(struct entry){.name = "early_cpio", .bytes = "1"});
	add_trailer(&b);
	image = image_of(&b, a);
	assert_int_equal(image.status, IMAGE_BAD);
	assert_non_null(strstr(image.why, "early archives"));
}

static void strange_contents_are_bad(void **state _unused_)
{
	static const struct {
		const char *compression, *behind; /* behind the archive, before it is compressed */
		const char *why;
	} rows[] = {
		{"none", "x", "no known compression behind"},
		{"none", "\x1f\x8b", "cut short or damaged"},
		{"zstd", "x", "no cpio archive inside"},
		{"gzip", "\x1f\x8b", "no cpio archive inside"},
		{"xz", "070701", "cut short"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		_cleanup_strbuf_ struct strbuf plain = {0}, packed = {0};
		struct host_image image;

		add_main(&plain);
		strbuf_add(&plain, rows[i].behind);
		assert_int_equal(image_compress(rows[i].compression, &plain, &packed), 0);
		image = image_of(&packed, a);
		assert_int_equal(image.status, IMAGE_BAD);
		if (!strstr(image.why, rows[i].why))
			fail_msg("row %zu: %s", i, image.why);
	}
}

static void nested_compression_is_bad(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_strbuf_ struct strbuf plain = {0}, once = {0}, twice = {0};

	add_main(&plain);
	assert_int_equal(image_compress("gzip", &plain, &once), 0);
	assert_int_equal(image_compress("gzip", &once, &twice), 0);
	assert_int_equal(image_of(&twice, a).status, IMAGE_BAD);
}

static void empty_ones_are_bad(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_strbuf_ struct strbuf b = {0};
	struct host_image image = image_of(&b, a);

	assert_int_equal(image.status, IMAGE_BAD);
	assert_string_equal(image.why, "empty");
	/* A power cut may leave a file of the right size that was never written. */
	for (int i = 0; i < 100000; i++)
		strbuf_addc(&b, 0);
	image = image_of(&b, a);
	assert_int_equal(image.status, IMAGE_BAD);
	assert_string_equal(image.why, "empty");
}

static void archives_stand_at_multiples_of_four(void **state _unused_)
{
	for (size_t zeros = 0; zeros < 8; zeros++) {
		_cleanup_arena_ struct arena *a = arena_new();
		_cleanup_strbuf_ struct strbuf plain = {0}, all = {0};

		for (size_t i = 0; i < zeros; i++)
			strbuf_addc(&all, 0);
		add_main(&plain);
		strbuf_addn(&all, plain.text, plain.len);
		assert_int_equal(image_of(&all, a).status, zeros % 4 ? IMAGE_BAD : IMAGE_READ);
	}
}

static void files_are_kept_by_name(void **state _unused_)
{
	static const struct {
		const char *name, *kept; /* NULL: not kept */
	} rows[] = {
		{"etc/modprobe.d/x.conf", "etc/modprobe.d/x.conf"},
		{"./etc/modprobe.d/x.conf", "etc/modprobe.d/x.conf"},
		{"/etc/modprobe.d/x.conf", "etc/modprobe.d/x.conf"},
		{"usr/lib/modprobe.d/x.conf", "lib/modprobe.d/x.conf"},
		{"./usr/lib/modprobe.d/x.conf", "lib/modprobe.d/x.conf"},
		{"lib/modprobe.d/x.conf", "lib/modprobe.d/x.conf"},
		{"lib/udev/rules.d/00-passthroughd.rules",
		 "lib/udev/rules.d/00-passthroughd.rules"},
		{"etc/udev/rules.d/00-passthroughd.rules",
		 "etc/udev/rules.d/00-passthroughd.rules"},
		{"usr/lib/udev/rules.d/00-passthroughd.rules",
		 "lib/udev/rules.d/00-passthroughd.rules"},
		{"conf/modules", "conf/modules"},
		{"etc/modules-load.d/x.conf", "etc/modules-load.d/x.conf"},
		{"etc/cmdline.d/20-force_drivers.conf", "etc/cmdline.d/20-force_drivers.conf"},
		{"scripts/init-top/ORDER", "scripts/init-top/ORDER"},
		{"scripts/init-top/00-passthroughd", "scripts/init-top/00-passthroughd"},
		{"usr/libexec/passthroughd/other", NULL},
		{"scripts/init-top/udev", NULL},
		{"scripts/init-bottom/ORDER", NULL},
		{"lib/udev/rules.d/50-default.rules", NULL},
		{"conf/initramfs.conf", NULL},
		{"conf/conf.d/modules", NULL},
		{"etc/modules", NULL},
		{"etc/modprobe.d/d/x.conf", NULL},
		{"etc/modprobe.d/..", NULL},
		{"etc/modprobe.d/", NULL},
		{"etc/modprobe.d", NULL},
		{"opt/etc/modprobe.d/x.conf", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		_cleanup_strbuf_ struct strbuf b = {0};
		struct host_image image;

		add(&b, &(struct entry){.name = rows[i].name, .bytes = "text"});
		add(&b, &(struct entry){.name = "init"});
		add_trailer(&b);
		image = image_of(&b, a);
		assert_int_equal(image.status, IMAGE_READ);
		if (image.files.n != (rows[i].kept != NULL))
			fail_msg("%s", rows[i].name);
		if (rows[i].kept) {
			assert_string_equal(image.files.at[0].path, rows[i].kept);
			assert_string_equal(image.files.at[0].text, "text");
		}
	}
}

/* A program: that it is there, not its bytes. */
static void programs_are_named(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_strbuf_ struct strbuf b = {0};
	struct host_image image;

	add(&b, &(struct entry){.name = "usr/libexec/passthroughd/pci-serial", .bytes = "\x7f"});
	add(&b, &(struct entry){.name = "usr/libexec/passthroughd", .mode = S_IFDIR | 0755});
	add_trailer(&b);
	image = image_of(&b, a);
	assert_int_equal(image.status, IMAGE_READ);
	assert_int_equal(image.files.n, 1);
	assert_string_equal(image.files.at[0].path, "libexec/passthroughd/pci-serial");
	assert_string_equal(image.files.at[0].text, "");
	assert_int_equal(image.files.at[0].size, 0);
}

static void modules_are_named(void **state _unused_)
{
	static const char *const names[] = {
		"lib/modules/6.1.0/kernel/drivers/vfio/pci/vfio-pci.ko",
		"usr/lib/modules/6.1.0/kernel/fs/xfs.ko.xz",
		"lib/modules/6.1.0/updates/dkms/nvidia.ko.zst",
		"lib/modules/6.1.0/kernel/e1000e.ko.gz",
		"lib/modules/6.1.0/kernel/snd_hda_intel.ko",
		"lib/modules/6.1.0/weak-updates/e1000e.ko",
		"lib/modules/6.1.0/modules.dep",
		"lib/modules/6.1.0/.ko",
		"lib/modules/6.1.0/a b.ko",
		"lib/modules/6.1.0/a.ko.bak",
	};
	static const char *const found[] = {"e1000e", "nvidia", "snd_hda_intel", "vfio_pci", "xfs"};
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_strbuf_ struct strbuf b = {0};
	struct host_image image;

	add(&b, &(struct entry){.name = "init"});
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		add(&b, &(struct entry){.name = names[i],
					.bytes = "\x7f"
						 "ELF"});
	add(&b, &(struct entry){.name = "lib/modules/folder.ko", .mode = S_IFDIR | 0755});
	add_trailer(&b);
	image = image_of(&b, a);
	assert_int_equal(image.modules.n, ARRAY_LEN(found));
	for (size_t i = 0; i < ARRAY_LEN(found); i++)
		assert_string_equal(image.modules.at[i], found[i]);
}

static void links_lead_to_their_text(void **state _unused_)
{
	static const unsigned link = S_IFLNK | 0777;
	static const struct entry entries[] = {
		{"init", "usr/lib/systemd/systemd", link, 0, 0},
		{"etc/modules-load.d/modules.conf", "../modules", link, 0, 0},
		{"etc/modules", "vfio\n", 0, 0, 0},
		{"etc/modprobe.d/off.conf", "/dev/null", link, 0, 0},
		{"etc/modprobe.d/there.conf", "/usr/lib/modprobe.d/real.conf", link, 0, 0},
		{"etc/modprobe.d/chain.conf", "./there.conf", link, 0, 0},
		{"usr/lib/modprobe.d/real.conf", "options x\n", 0, 0, 0},
		{"etc/modprobe.d/gone.conf", "/srv/x.conf", link, 0, 0},
		{"etc/modprobe.d/loop.conf", "loop.conf", link, 0, 0},
		{"etc/cmdline.d/first.conf", NULL, 0, 2, 7},
		{"opt/same", "rd.driver.pre=vfio_pci\n", 0, 2, 7},
		{"etc/cmdline.d/one.conf", "a\n", 0, 2, 8},
		{"etc/cmdline.d/two.conf", NULL, 0, 2, 8},
		{"etc/cmdline.d/lost.conf", NULL, 0, 2, 9},
		{"etc/cmdline.d/empty.conf", NULL, 0, 1, 10},
	};
	static const char *const found[][2] = {
		{"etc/cmdline.d/empty.conf", ""},
		{"etc/cmdline.d/first.conf", "rd.driver.pre=vfio_pci\n"},
		{"etc/cmdline.d/one.conf", "a\n"},
		{"etc/cmdline.d/two.conf", "a\n"},
		{"etc/modprobe.d/chain.conf", "options x\n"},
		{"etc/modprobe.d/off.conf", ""},
		{"etc/modprobe.d/there.conf", "options x\n"},
		{"etc/modules-load.d/modules.conf", "vfio\n"},
		{"lib/modprobe.d/real.conf", "options x\n"},
	};
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_strbuf_ struct strbuf b = {0};
	struct host_image image;

	for (size_t i = 0; i < ARRAY_LEN(entries); i++)
		add(&b, &entries[i]);
	add_trailer(&b);
	image = image_of(&b, a);
	assert_int_equal(image.status, IMAGE_READ);
	for (size_t i = 0; i < image.files.n && i < ARRAY_LEN(found); i++) {
		assert_string_equal(image.files.at[i].path, found[i][0]);
		assert_string_equal(image.files.at[i].text, found[i][1]);
		assert_int_equal(image.files.at[i].size, strlen(found[i][1]));
	}
	assert_int_equal(image.files.n, ARRAY_LEN(found));
}

static void later_archives_win(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_strbuf_ struct strbuf b = {0};
	struct host_image image;

	add(&b, &(struct entry){.name = "etc/modprobe.d/a.conf", .bytes = "old"});
	add_trailer(&b);
	add_main(&b);
	image = image_of(&b, a);
	expect_main(&image, "none");
}

static void too_much_is_bad(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_strbuf_ struct strbuf text = {0}, large = {0}, many = {0};
	struct host_image image;

	for (size_t i = 0; i < (1u << 20) + 1; i++)
		strbuf_addc(&text, 'x');
	add(&large, &(struct entry){.name = "etc/modprobe.d/a.conf", .bytes = text.text});
	add_main(&large);
	image = image_of(&large, a);
	assert_int_equal(image.status, IMAGE_BAD);
	assert_string_equal(image.why, "a configuration file that is too large");
	for (int i = 0; i < 2000; i++) {
		char name[64];

		snprintf(name, sizeof(name), "etc/modprobe.d/%d.conf", i);
		add(&many, &(struct entry){.name = name, .bytes = "x"});
	}
	add_main(&many);
	image = image_of(&many, a);
	assert_int_equal(image.status, IMAGE_BAD);
	assert_string_equal(image.why, "too many configuration files");
}

/* 64 KiB of zstd that unpack to 2 GiB: blocks of one repeated byte (RFC 8878, 3.1.1.2). */
static void bombs_are_bad(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_strbuf_ struct strbuf head = {0}, bomb = {0};
	struct host_image image;

	add(&head, &(struct entry){.name = "firmware"});
	memcpy(memmem(head.text, head.len, "00000000000000080000", 20), "fffffff0", 8);
	strbuf_addn(&bomb, "\x28\xb5\x2f\xfd\x00\x38", 6);
	strbuf_addc(&bomb, (char)(head.len << 3));
	strbuf_addc(&bomb, (char)(head.len >> 5));
	strbuf_addc(&bomb, 0);
	strbuf_addn(&bomb, head.text, head.len);
	for (int i = 0; i < 16400; i++)
		strbuf_addn(&bomb, "\x02\x00\x10\x00", 4);
	image = image_of(&bomb, a);
	assert_int_equal(image.status, IMAGE_BAD);
	assert_string_equal(image.why, "unpacks to more than 2 GiB");
}

static void large_dictionaries_are_bad(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_strbuf_ struct strbuf plain = {0}, packed = {0};
	struct host_image image;

	add_main(&plain);
	assert_int_equal(image_compress("xz", &plain, &packed), 0);
	/* Stream header, size and flags of the block header, LZMA2's number and one byte (.xz 3).
	 */
	assert_memory_equal(packed.text + 14, "\x21\x01", 2);
	packed.text[16] = 40;
	image = image_of(&packed, a);
	assert_int_equal(image.status, IMAGE_BAD);
	assert_string_equal(image.why, "asks for more than 128 MiB to be unpacked");
}

/* What the tools make that the builders run, with the options they use. */
static void tools_outputs_are_read(void **state _unused_)
{
	static const struct {
		const char *compression, *command;
	} rows[] = {
		{"gzip", "gzip -n -9"},
		{"zstd", "zstd -q -1 -T0"},
		{"zstd", "zstd -q -19"},
		{"xz", "xz --check=crc32 -8"},
		{"xz", "xz --check=none --lzma2=dict=1MiB"},
		{"lz4", "lz4 -9 -l"},
		{"bzip2", "bzip2"},
		{"lzma", "lzma -1"},
		{"lzma", "xz --format=lzma -8"},
	};
	char from[] = "/tmp/pthru-image-XXXXXX", to[] = "/tmp/pthru-image-XXXXXX", command[256];
	_cleanup_strbuf_ struct strbuf plain = {0};
	int in = mkostemp(from, O_CLOEXEC), out = mkostemp(to, O_CLOEXEC);

	assert_true(in >= 0 && out >= 0);
	add_main(&plain);
	assert_int_equal(write(in, plain.text, plain.len), plain.len);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct host_image image;

		snprintf(command, sizeof(command), "%s -c <%s >%s 2>/dev/null", rows[i].command,
			 from, to);
		if (system(command) != 0) {
			print_message("not here: %s\n", rows[i].command);
			continue;
		}
		assert_int_equal(image_read_fd(out, a, &image), 0);
		expect_main(&image, rows[i].compression);
	}
	close(in);
	close(out);
	unlink(from);
	unlink(to);
}

static void what_is_no_file_is_unreadable(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_close_ int folder = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct host_image image;

	assert_int_equal(image_read_fd(folder, a, &image), 0);
	assert_int_equal(image.status, IMAGE_UNREADABLE);
	assert_string_equal(image.why, "not a regular file");
	assert_int_equal(image_read_fd(-1, a, &image), 0);
	assert_int_equal(image.status, IMAGE_UNREADABLE);
}

static void written_images_are_read(void **state _unused_)
{
	struct image_file file = {"etc/modprobe.d/x.conf", "options vfio-pci ids=10de:1b81\n", 31};
	const char *modules[] = {"e1000e", "vfio_pci"};
	struct host_image from = {
		.files = {&file, 1, 1},
		.modules = {modules, 2, 2},
	};

	for (size_t i = 0; i < ARRAY_LEN(compressions); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		_cleanup_strbuf_ struct strbuf b = {0};
		struct host_image image;

		from.compression = compressions[i];
		assert_int_equal(image_write(&from, &b), 0);
		image = image_of(&b, a);
		assert_int_equal(image.status, IMAGE_READ);
		assert_string_equal(image.compression, compressions[i]);
		assert_int_equal(image.files.n, 1);
		assert_string_equal(image.files.at[0].path, file.path);
		assert_string_equal(image.files.at[0].text, file.text);
		assert_int_equal(image.modules.n, 2);
		assert_string_equal(image.modules.at[1], "vfio_pci");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_compression_is_read),
		cmocka_unit_test(early_archives_are_passed),
		cmocka_unit_test(every_cut_is_bad),
		cmocka_unit_test(damage_has_a_phrase),
		cmocka_unit_test(early_archives_alone_are_cut),
		cmocka_unit_test(strange_contents_are_bad),
		cmocka_unit_test(nested_compression_is_bad),
		cmocka_unit_test(empty_ones_are_bad),
		cmocka_unit_test(archives_stand_at_multiples_of_four),
		cmocka_unit_test(files_are_kept_by_name),
		cmocka_unit_test(programs_are_named),
		cmocka_unit_test(modules_are_named),
		cmocka_unit_test(links_lead_to_their_text),
		cmocka_unit_test(later_archives_win),
		cmocka_unit_test(too_much_is_bad),
		cmocka_unit_test(bombs_are_bad),
		cmocka_unit_test(large_dictionaries_are_bad),
		cmocka_unit_test(tools_outputs_are_read),
		cmocka_unit_test(what_is_no_file_is_unreadable),
		cmocka_unit_test(written_images_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
