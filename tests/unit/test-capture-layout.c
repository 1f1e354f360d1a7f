/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A capture laid out is the host's files: bytes, modes, links, and images that can be opened. */
#include "capture.h"
#include "image.h"
#include "scratch.h"
#include "tree.h"

#define HEAD "# passthroughd capture 1\n"
#define END  "# end\n"

static int lay_out(struct scratch *s, const char *text)
{
	struct diags diags = {.arena = s->arena};

	return capture_lay_out("host", text, strlen(text), s->dir, &diags);
}

static void files_are_made(void **state)
{
	static const char text[] = HEAD "[/etc]\n"
					"hostname = pve\n"
					"bare : x\\x00y\n"
					"mtab -> ../proc/mounts\n"
					"out -> /../../etc/hostname\n"
					"default/grub <<\n"
					"\tA=1\n"
					"\t\n"
					"default/grub @ 0640 0 0\n"
					"empty/\n"
					"sealed/\n"
					"sealed @ 0711 0 0\n"
					"locked ! EACCES\n" END;
	struct scratch *s = *state;
	const char *bytes, *target;
	size_t size;

	assert_int_equal(lay_out(s, text), 0);
	scratch_holds(s, "/etc/hostname", "pve\n");
	scratch_holds(s, "/etc/out", "pve\n");
	scratch_holds(s, "/etc/default/grub", "A=1\n\n");
	assert_int_equal(root_read(s->root, "/etc/bare", 9, s->arena, &bytes, &size), 0);
	assert_int_equal(size, 3);
	assert_memory_equal(bytes, "x\0y", 3);
	assert_int_equal(root_readlink(s->root, "/etc/mtab", s->arena, &target), 0);
	assert_string_equal(target, "../proc/mounts");
	assert_int_equal(scratch_mode(s, "/etc/hostname"), 0644);
	assert_int_equal(scratch_mode(s, "/etc/default/grub"), 0640);
	assert_int_equal(scratch_mode(s, "/etc/locked"), 0);
	assert_int_equal(scratch_mode(s, "/etc/empty"), 0755);
	assert_int_equal(scratch_mode(s, "/etc/sealed"), 0711);
	assert_int_equal(scratch_count(s, "/etc/empty"), 0);
}

static void images_are_made(void **state)
{
	static const char text[] = HEAD "[/boot]\n"
					"none image none 10\n"
					"gzip image gzip 10\n"
					"zstd image zstd 10\n"
					"xz image xz 10\n"
					"lz4 image lz4 10\n"
					"bzip2 image bzip2 10\n"
					"lzma image lzma 10\n"
					"cut image bad cut short\n"
					"[/boot/none!]\n+ a b\nconf/modules = x\n"
					"[/boot/gzip!]\n+ a b\nconf/modules = x\n"
					"[/boot/zstd!]\n+ a b\nconf/modules = x\n"
					"[/boot/xz!]\n+ a b\nconf/modules = x\n"
					"[/boot/lz4!]\n+ a b\nconf/modules = x\n"
					"[/boot/bzip2!]\n+ a b\nconf/modules = x\n"
					"[/boot/lzma!]\n+ a b\nconf/modules = x\n" END;
	struct scratch *s = *state;
	struct words names;

	assert_int_equal(lay_out(s, text), 0);
	assert_int_equal(root_list(s->root, "/boot", s->arena, &names), 0);
	assert_int_equal(names.n, 8);
	array_foreach(name, &names) {
		_cleanup_close_ int fd =
			root_openat(s->root, arena_printf(s->arena, "/boot/%s", *name), O_RDONLY);
		struct host_image image;

		assert_int_equal(image_read_fd(fd, s->arena, &image), 0);
		if (strcmp(*name, "cut") == 0) {
			assert_int_equal(image.status, IMAGE_BAD);
			continue;
		}
		assert_int_equal(image.status, IMAGE_READ);
		assert_string_equal(image.compression, *name);
		assert_int_equal(image.modules.n, 2);
		assert_int_equal(image.files.n, 1);
		assert_string_equal(image.files.at[0].text, "x\n");
	}
}

static void the_log_is_where_roots_have_it(void **state)
{
	struct scratch *s = *state;

	assert_int_equal(lay_out(s, HEAD "[/proc]\nkmsg = DMAR-IR: Enabled\n" END), 0);
	scratch_holds(s, "/var/log/dmesg", "DMAR-IR: Enabled\n");
}

static void a_log_of_its_own_stays(void **state)
{
	struct scratch *s = *state;

	assert_int_equal(lay_out(s, HEAD "[/proc]\nkmsg = live\n[/var/log]\ndmesg = saved\n" END),
			 0);
	scratch_holds(s, "/var/log/dmesg", "saved\n");
}

static void only_empty_folders_are_filled(void **state)
{
	struct scratch *s = *state;
	struct diags diags = {.arena = s->arena};
	const char *text = HEAD "[/etc]\na = 1\n" END;
	const char *below = scratch_at(s, "/below");

	assert_int_equal(lay_out(s, HEAD "[/etc]\na = 1\na = 2\n" END), -EBADMSG);
	assert_int_equal(scratch_count(s, "/"), 0);
	assert_int_equal(lay_out(s, text), 0);
	assert_int_equal(lay_out(s, text), -ENOTEMPTY);
	assert_int_equal(capture_lay_out("host", text, strlen(text), below, &diags), 0);
	scratch_holds(s, "/below/etc/a", "1\n");
	assert_int_equal(
		capture_lay_out("host", text, strlen(text), scratch_at(s, "/no/such"), &diags),
		-ENOENT);
	assert_int_equal(
		capture_lay_out("host", text, strlen(text), scratch_at(s, "/etc/a"), &diags),
		-ENOTDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(files_are_made),
		scratch_test(images_are_made),
		scratch_test(the_log_is_where_roots_have_it),
		scratch_test(a_log_of_its_own_stays),
		scratch_test(only_empty_folders_are_filled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
