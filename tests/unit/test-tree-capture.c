/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a capture may hold, and where each error is said to be. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "strbuf.h"
#include "tree.h"

#define HEAD "# passthroughd capture 1\n"
#define END  "# end\n"

static void errors_have_a_place(void **state _unused_)
{
	static const struct {
		const char *text;
		unsigned line, column;
		const char *says;
	} rows[] = {
		{"", 1, 1, "not a capture"},
		{"\n", 1, 1, "not a capture"},
		{"# passthroughd capture 2\n" END, 1, 1, "not a capture"},
		{HEAD, 1, 25, "cut short"},
		{HEAD "[/etc]\nhostname = pv", 3, 14, "cut short"},
		{HEAD "[/etc]\nhostname = pve\n", 3, 15, "cut short"},
		{HEAD "[/etc]\na <<\n\tx\n", 4, 3, "cut short"},
		{HEAD END "[/etc]\n", 3, 1, "behind the end mark"},
		{HEAD END "\n", 3, 1, "behind the end mark"},
		{HEAD "hostname = pve\n" END, 2, 1, "before the first"},
		{HEAD "[etc]\n" END, 2, 1, "expected [/FOLDER]"},
		{HEAD "[]\n" END, 2, 1, "expected [/FOLDER]"},
		{HEAD "[/etc\n" END, 2, 1, "expected [/FOLDER]"},
		{HEAD "[/etc/../boot]\n" END, 2, 2, "\"..\" in a name"},
		{HEAD "[/etc/]\n" END, 2, 2, "an empty part"},
		{HEAD "[//etc]\n" END, 2, 2, "an empty part"},
		{HEAD "[/etc]\n../x = 1\n" END, 3, 1, "\"..\" in a name"},
		{HEAD "[/etc]\na/./x = 1\n" END, 3, 1, "\".\" in a name"},
		{HEAD "[/etc]\n/x = 1\n" END, 3, 1, "an empty part"},
		{HEAD "[/etc]\na\\x00b = 1\n" END, 3, 1, "a NUL byte"},
		{HEAD "[/etc]\na\tb = 1\n" END, 3, 1, "a tab in a name"},
		{HEAD "[/etc]\na = 1\na = 2\n" END, 4, 1, "\"a\" is named twice"},
		{HEAD "[/etc]\na = 1\n[/]\netc/a : 2\n" END, 5, 1, "\"a\" is named twice"},
		{HEAD "[/etc]\na = 1\na -> b\n" END, 4, 1, "\"a\" is named twice"},
		{HEAD "[/etc]\na/\na/\n" END, 4, 1, "\"a/\" is named twice"},
		{HEAD "[/etc]\na/b = 1\na = 2\n" END, 4, 1, "\"a\" is named twice"},
		{HEAD "[/etc]\na = 1\na/b = 2\n" END, 4, 1, "\"a\" is no folder"},
		{HEAD "[/etc]\na -> b\n[/etc/a]\n" END, 4, 2, "\"a\" is no folder"},
		{HEAD "[/etc]\na\n" END, 3, 1, "unknown line"},
		{HEAD "[/etc]\na ~ b\n" END, 3, 3, "unknown line"},
		{HEAD "[/etc]\n# note\n" END, 3, 1, "a comment begins with \";\""},
		{HEAD "[/etc]\n\tx\n" END, 3, 1, "belongs to no file"},
		{HEAD "[/etc]\na <<\n\tx\n\n\ty\n" END, 6, 1, "belongs to no file"},
		{HEAD "[/etc]\na << x\n\ty\n" END, 3, 6, "begins on the next line"},
		{HEAD "[/etc]\na ->\n" END, 3, 5, "the link's target is missing"},
		{HEAD "[/etc]\na -> x\\x00\n" END, 3, 6, "a NUL byte in the link's target"},
		{HEAD "[/etc]\na @ 0600 0 0\n" END, 3, 1, "stands above"},
		{HEAD "[/etc]\na -> b\na @ 0600 0 0\n" END, 4, 1, "stands above"},
		{HEAD "[/etc]\na = b\na @ 0680 0 0\n" END, 4, 5, "octal mode"},
		{HEAD "[/etc]\na = b\na @ 17777 0 0\n" END, 4, 5, "octal mode"},
		{HEAD "[/etc]\na = b\na @ 0600 0\n" END, 4, 5, "octal mode"},
		{HEAD "[/etc]\na = b\na @ 0600 0 4294967295\n" END, 4, 5, "octal mode"},
		{HEAD "[/etc]\na = b\na @ 0600 0 0 0\n" END, 4, 5, "octal mode"},
		{HEAD "[/etc]\na = b\na @ 0600 0 0\na @ 0600 0 0\n" END, 5, 1, "twice"},
		{HEAD "[/etc]\na ! EWHAT\n" END, 3, 5, "the name of an error"},
		{HEAD "[/etc]\na ! ENOMEM\n" END, 3, 5, "the name of an error"},
		{HEAD "[/etc]\na = x\na ! EACCES\n" END, 4, 1, "\"a\" is named twice"},
		{HEAD "[/etc]\nb = \\q\n" END, 3, 5, "unknown escape"},
		{HEAD "[/etc]\nb = \\x0\n" END, 3, 5, "unknown escape"},
		{HEAD "[/etc]\nb = \\\n" END, 3, 5, "unknown escape"},
		{HEAD "[/etc]\nb = \xc3\xa4\x01\n" END, 3, 6, "a control character"},
		{HEAD "[/etc]\nb = x\r\n" END, 3, 6, "a control character"},
		{HEAD "[/etc]\nb = \x7f\n" END, 3, 5, "a control character"},
		{HEAD "[/etc]\nb = \xff\n" END, 3, 5, "not UTF-8"},
		{HEAD "[/etc]\nb = \xc0\x80\n" END, 3, 5, "not UTF-8"},
		{HEAD "[/etc]\nb = \xed\xa0\x80\n" END, 3, 5, "not UTF-8"},
		{HEAD "[/etc]\nb = \xf5\x80\x80\x80\n" END, 3, 5, "not UTF-8"},
		{HEAD "[/etc]\nb = \xe2\x82\n" END, 3, 5, "not UTF-8"},
		{HEAD "[/etc]\n+ vfio\n" END, 3, 1, "only be listed in an image"},
		{HEAD "[/boot]\ni image lzo 3\n" END, 3, 9, "expected a compression"},
		{HEAD "[/boot]\ni image zstd\n" END, 3, 13, "size in bytes"},
		{HEAD "[/boot]\ni image zstd -3\n" END, 3, 14, "size in bytes"},
		{HEAD "[/boot]\ni image bad\n" END, 3, 12, "the reason is missing"},
		{HEAD "[/boot]\n[/boot/i!]\n" END, 3, 2, "no readable image"},
		{HEAD "[/boot]\ni image bad cut\n[/boot/i!]\n" END, 4, 2, "no readable image"},
		{HEAD "[/boot]\ni = x\n[/boot/i!]\n" END, 4, 2, "no readable image"},
		{HEAD "[/boot]\ni image xz 9\n[/boot/i!]\n+vfio\n" END, 5, 1, "module names"},
		{HEAD "[/boot]\ni image xz 9\n[/boot/i!]\na -> b\n" END, 5, 3, "in an image"},
		{HEAD "[/boot]\ni image xz 9\n[/boot/i!]\na = b\na = b\n" END, 6, 1, "twice"},
		{HEAD "[/boot]\ni image xz 9\n[/boot/i!]\na/b/../c = b\n" END, 5, 1, "\"..\""},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct diags diags = {.arena = a};
		struct tree *t = NULL;
		int r = tree_capture_new("host.txt", rows[i].text, strlen(rows[i].text), &diags,
					 &t);

		assert_int_equal(r, -EBADMSG);
		assert_null(t);
		assert_int_equal(diags.list.n, 1);
		if (diags.list.at[0].place.line != rows[i].line ||
		    diags.list.at[0].place.column != rows[i].column ||
		    !strstr(diags.list.at[0].message, rows[i].says))
			fail_msg("row %zu: %u:%u: %s", i, diags.list.at[0].place.line,
				 diags.list.at[0].place.column, diags.list.at[0].message);
		assert_string_equal(diags.list.at[0].place.file, "host.txt");
	}
}

static void every_prefix_is_refused(void **state _unused_)
{
	static const char whole[] = HEAD "[/etc]\na = 1\nb <<\n\tx\nc -> a\nd/\n[/boot]\n"
					 "i image xz 3\n[/boot/i!]\n+ vfio\nconf/modules = x\n" END;
	_cleanup_arena_ struct arena *a = arena_new();

	for (size_t n = 0; n < sizeof(whole); n++) {
		struct diags diags = {.arena = a};
		_cleanup_tree_ struct tree *t = NULL;
		int r = tree_capture_new("cut", whole, n, &diags, &t);

		/* Nothing is lost with the very last newline. */
		assert_int_equal(r, n >= sizeof(whole) - 2 ? 0 : -EBADMSG);
	}
}

static void errors_are_collected(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf text = {0};
	_cleanup_arena_ struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	struct tree *t = NULL;

	strbuf_add(&text, HEAD "[/etc]\na ~ b\nc = d\nc = e\n" END);
	assert_int_equal(tree_capture_new("x", text.text, text.len, &diags, &t), -EBADMSG);
	assert_int_equal(diags.list.n, 2);
	for (int i = 0; i < 1000; i++)
		strbuf_add(&text, "x\n");
	assert_int_equal(tree_capture_new("x", text.text, text.len, &diags, &t), -EBADMSG);
	assert_true(diags.list.n < 30);
}

static void forms_are_read(void **state _unused_)
{
	static const char text[] = HEAD "; a comment\n"
					"\n"
					"[/]\n"
					"a\\x20b = x\n"
					"tail :  two  \n"
					"tab = a\tb\n"
					"newline =\n"
					"\\xc3\\xa4 = \xc3\xa4\\xff\n"
					"\\x5bodd] = y\n"
					"none <<\n"
					"bare <|\n"
					"lines <|\n"
					"\tone\n"
					"\t\n"
					"[/empty]\n"
					"[/]\n"
					"locked ! EACCES\n"
					"locked @ 0400 1 2\n"
					"sealed/\n"
					"sealed ! EPERM\n" END;
	static const struct {
		const char *path, *text;
		size_t size;
	} rows[] = {
		{"/a b", "x\n", 2},	{"/tail", " two  ", 6}, {"/tab", "a\tb\n", 4},
		{"/newline", "\n", 1},	{"/none", "", 0},	{"/bare", "", 0},
		{"/lines", "one\n", 4}, {"/[odd]", "y\n", 2},	{"/\xc3\xa4", "\xc3\xa4\xff\n", 4},
	};
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_tree_ struct tree *t = NULL;
	struct diags diags = {.arena = a};
	struct words names = {0};
	struct tree_stat st;
	const char *got;
	size_t size;

	assert_int_equal(tree_capture_new("x", text, sizeof(text) - 1, &diags, &t), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(t->ops->read(t, rows[i].path, 64, a, &got, &size), 0);
		assert_int_equal(size, rows[i].size);
		assert_memory_equal(got, rows[i].text, size + 1);
	}
	assert_int_equal(t->ops->list(t, "/empty", a, &names), 0);
	assert_int_equal(names.n, 0);
	assert_int_equal(t->ops->read(t, "/locked", 64, a, &got, &size), -EACCES);
	assert_int_equal(t->ops->stat(t, "/locked", &st), 0);
	assert_int_equal(st.mode, S_IFREG | 0400);
	assert_int_equal(st.uid, 1);
	assert_int_equal(st.gid, 2);
	assert_int_equal(t->ops->list(t, "/sealed", a, &names), -EPERM);
}

static void images_are_read(void **state _unused_)
{
	static const char text[] = HEAD "[/boot]\n"
					"good image zstd 34567890\n"
					"cut image bad cut short\n"
					"shut image unreadable Permission denied\n"
					"file = x\n"
					"link -> good\n"
					"[/boot/good!]\n"
					"+ nouveau vfio_pci\n"
					"+ e1000e\n"
					"etc/modprobe.d/b.conf <<\n"
					"\tblacklist radeon\n"
					"conf/modules :\n" END;
	static const struct {
		const char *path;
		enum image_status status;
		const char *why;
	} rows[] = {
		{"/boot/cut", IMAGE_BAD, "cut short"},
		{"/boot/shut", IMAGE_UNREADABLE, "Permission denied"},
		{"/boot/file", IMAGE_BAD, "not an initramfs image"},
		{"/boot/none", IMAGE_ABSENT, NULL},
		{"/none/none", IMAGE_ABSENT, NULL},
	};
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_tree_ struct tree *t = NULL;
	struct diags diags = {.arena = a};
	struct host_image image;
	const char *got;
	size_t size;

	assert_int_equal(tree_capture_new("x", text, sizeof(text) - 1, &diags, &t), 0);
	assert_int_equal(t->ops->image(t, "/boot/link", a, &image), 0);
	assert_int_equal(image.status, IMAGE_READ);
	assert_string_equal(image.path, "/boot/link");
	assert_string_equal(image.compression, "zstd");
	assert_int_equal(image.size, 34567890);
	assert_int_equal(image.modules.n, 3);
	assert_string_equal(image.modules.at[2], "e1000e");
	assert_int_equal(image.files.n, 2);
	assert_string_equal(image.files.at[0].path, "etc/modprobe.d/b.conf");
	assert_string_equal(image.files.at[0].text, "blacklist radeon\n");
	assert_int_equal(image.files.at[1].size, 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(t->ops->image(t, rows[i].path, a, &image), 0);
		assert_int_equal(image.status, rows[i].status);
		assert_int_equal(!image.why, !rows[i].why);
		if (image.why)
			assert_string_equal(image.why, rows[i].why);
		assert_int_equal(image.modules.n + image.files.n, 0);
	}
	assert_int_equal(t->ops->read(t, "/boot/good", 1000, a, &got, &size), -EFBIG);
	assert_int_equal(t->ops->read(t, "/boot/good", SIZE_MAX, a, &got, &size), -EINVAL);
	assert_int_equal(t->ops->read(t, "/boot/good/x", 9, a, &got, &size), -ENOTDIR);
}

static void many_devices_are_found(void **state _unused_)
{
	static const char *const attributes[] = {"vendor", "device", "class", "irq", "enable"};
	_cleanup_strbuf_ struct strbuf text = {0};
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_tree_ struct tree *t = NULL;
	struct diags diags = {.arena = a};
	struct words names;
	char path[96];

	strbuf_add(&text, HEAD);
	for (int i = 9999; i >= 0; i--) {
		strbuf_addf(&text, "[/sys/bus/pci/devices/%04x:00:00.0]\n", (unsigned)i);
		for (size_t k = 0; k < ARRAY_LEN(attributes); k++)
			strbuf_addf(&text, "%s = 0x%04x%zu\n", attributes[k], (unsigned)i, k);
	}
	strbuf_add(&text, END);
	assert_int_equal(tree_capture_new("x", text.text, text.len, &diags, &t), 0);
	assert_int_equal(t->ops->list(t, "/sys/bus/pci/devices", a, &names), 0);
	assert_int_equal(names.n, 10000);
	for (size_t i = 0; i < names.n; i += 7) {
		const char *got;
		size_t size;

		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/class", names.at[i]);
		assert_int_equal(t->ops->read(t, path, 64, a, &got, &size), 0);
		assert_int_equal(size, 8);
		assert_memory_equal(got + 2, names.at[i], 4);
		assert_int_equal(got[6], '2');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_have_a_place),	cmocka_unit_test(every_prefix_is_refused),
		cmocka_unit_test(errors_are_collected), cmocka_unit_test(forms_are_read),
		cmocka_unit_test(images_are_read),	cmocka_unit_test(many_devices_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
