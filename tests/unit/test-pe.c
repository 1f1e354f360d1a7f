/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PE files and the unified images that they are: whole, cut, and with every byte changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "early.h"
#include "image-write.h"
#include "image.h"
#include "pe-write.h"
#include "pe.h"

static int read_memory(void *ctx, uint64_t at, size_t n, void *to)
{
	const struct strbuf *b = ctx;

	assert_true(at <= b->len && n <= b->len - at);
	memcpy(to, b->text + at, n);
	return 0;
}

static struct pe_source source_of(struct strbuf *b)
{
	return (struct pe_source){read_memory, b, b->len};
}

#define LINE "root=UUID=abcd ro quiet"

static const struct pe_part parts[] = {
	{".text", "stub", 4},
	{".osrel", "ID=debian\n", 10},
	{".cmdline", "  " LINE " \n\0", sizeof(LINE) + 4},
	{".uname", "6.1.0-18-amd64", 14},
	{".initrd", "", 0},
	{".linux", "kernel", 6},
};

static void sections_are_found(void **state _unused_)
{
	static const struct {
		const char *name, *text;
	} rows[] = {
		{".text", "stub"},  {".osrel", "ID=debian"},
		{".cmdline", LINE}, {".uname", "6.1.0-18-amd64"},
		{".initrd", ""},    {".linux", "kernel"},
	};

	for (int signature = 0; signature < 2; signature++) {
		_cleanup_arena_ struct arena *a = arena_new();
		_cleanup_strbuf_ struct strbuf b = {0};
		const char *why = NULL, *text;
		struct pe pe;
		size_t n;

		pe_write(parts, ARRAY_LEN(parts), signature, &b);
		assert_int_equal(b.error, 0);
		assert_int_equal(pe_open(a, source_of(&b), &pe, &why), 0);
		assert_int_equal(pe.sections.n, ARRAY_LEN(parts));
		assert_int_equal(pe.has_signature, signature);
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			const struct pe_section *s = pe_section(&pe, rows[i].name, &n);

			assert_int_equal(n, 1);
			assert_int_equal(s->size, parts[i].size);
			assert_int_equal(s->virtual_size, parts[i].size);
			assert_true(s->raw_size >= s->size && s->raw_size % 512 == 0);
			assert_int_equal(pe_text(a, source_of(&b), s, 64, &text, &n), 0);
			assert_string_equal(text, rows[i].text);
			assert_int_equal(n, strlen(rows[i].text));
			if (s->size > 1)
				assert_int_equal(pe_text(a, source_of(&b), s, 1, &text, &n),
						 -EFBIG);
		}
		assert_null(pe_section(&pe, ".cmdlin", &n));
		assert_int_equal(n, 0);
	}
}

static void every_cut_is_refused(void **state _unused_)
{
	_cleanup_strbuf_ struct strbuf whole = {0};

	pe_write(parts, ARRAY_LEN(parts), false, &whole);
	for (size_t size = 0; size < whole.len; size++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct strbuf cut = {.text = malloc(size + 1), .len = size};
		const char *why = NULL;
		struct pe pe;

		assert_non_null(cut.text);
		memcpy(cut.text, whole.text, size);
		assert_int_equal(pe_open(a, source_of(&cut), &pe, &why), -EBADMSG);
		assert_non_null(why);
		free(cut.text);
	}
}

/* No reading beyond the end, whatever the headers say. */
static void every_changed_byte_is_borne(void **state _unused_)
{
	static const char values[] = {0, 1, 0x40, 0x7f, (char)0x80, (char)0xff};
	_cleanup_strbuf_ struct strbuf b = {0};
	size_t headers;

	pe_write(parts, ARRAY_LEN(parts), true, &b);
	headers = 64 + 24 + 240 + 40 * ARRAY_LEN(parts);
	for (size_t at = 0; at < headers; at++) {
		char was = b.text[at];

		for (size_t i = 0; i < sizeof(values); i++) {
			_cleanup_arena_ struct arena *a = arena_new();
			const char *why = NULL, *text;
			struct pe pe;
			size_t n;

			b.text[at] = values[i];
			if (pe_open(a, source_of(&b), &pe, &why) < 0)
				continue;
			array_foreach(it, &pe.sections) {
				assert_true(it->offset <= b.len &&
					    it->raw_size <= b.len - it->offset);
				assert_true(it->size <= it->raw_size);
				if (pe_text(a, source_of(&b), it, 4096, &text, &n) == 0)
					assert_int_equal(strlen(text), n);
			}
		}
		b.text[at] = was;
	}
}

/* --- as images ------------------------------------------------------------------------------- */

static struct host_image unified_image(struct arena *a)
{
	static struct image_file files[] = {
		{".cmdline", LINE, sizeof(LINE) - 1},
		{".sections", ".osrel\n.cmdline\n.uname\n.initrd\n.linux\nsignature\n", 49},
		{".uname", "6.1.0-18-amd64", 14},
		{"etc/modprobe.d/a.conf", "blacklist radeon\n", 17},
	};
	struct host_image image = {.status = IMAGE_READ, .compression = "zstd"};

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		assert_int_equal(array_push(a, &image.files, files[i]), 0);
	assert_int_equal(array_push(a, &image.modules, "vfio_pci"), 0);
	return image;
}

static const char *text_in(const struct host_image *image, const char *path)
{
	const struct image_file *file = image_file(image, path);

	return file ? file->text : NULL;
}

static void an_image_is_opened_and_written_again(void **state _unused_)
{
	static const char *const compressions[] = {"none", "gzip", "zstd", "xz"};

	for (size_t i = 0; i < ARRAY_LEN(compressions); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		_cleanup_strbuf_ struct strbuf bytes = {0};
		struct host_image made = unified_image(a), seen;

		made.compression = compressions[i];
		assert_int_equal(image_write(&made, &bytes), 0);
		assert_int_equal(image_read_memory(bytes.text, bytes.len, a, &seen), 0);
		if (seen.status != IMAGE_READ)
			fail_msg("%s", seen.why);
		assert_string_equal(seen.compression, compressions[i]);
		assert_int_equal(seen.size, bytes.len);
		assert_string_equal(text_in(&seen, ".cmdline"), LINE);
		assert_string_equal(text_in(&seen, ".uname"), "6.1.0-18-amd64");
		assert_string_equal(text_in(&seen, ".sections"), text_in(&made, ".sections"));
		assert_string_equal(text_in(&seen, "etc/modprobe.d/a.conf"), "blacklist radeon\n");
		assert_int_equal(seen.modules.n, 1);
		assert_string_equal(seen.modules.at[0], "vfio_pci");
	}
}

static void what_is_unfit_says_so(void **state _unused_)
{
	static const struct {
		const char *what;
		struct pe_part parts[3];
		enum image_status status;
		const char *why;
	} rows[] = {
		{"no initramfs: an addon",
		 {{".cmdline", "a", 1}, {".uname", "6", 1}},
		 IMAGE_READ,
		 NULL},
		{"an initramfs of no known form",
		 {{".cmdline", "a", 1}, {".initrd", "what?", 5}},
		 IMAGE_BAD,
		 "its initramfs: neither an archive nor a known compression"},
		{"an empty one", {{".initrd", "", 0}}, IMAGE_BAD, "its initramfs: empty"},
		{"profiles",
		 {{".cmdline", "a", 1}, {".profile", "ID=x", 4}, {".cmdline", "b", 1}},
		 IMAGE_BAD,
		 "it holds several profiles, and which one boots is not known here"},
		{"two lines",
		 {{".cmdline", "a", 1}, {".cmdline", "b", 1}},
		 IMAGE_BAD,
		 "it has a section twice, and which one counts is not known here"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		_cleanup_strbuf_ struct strbuf bytes = {0};
		struct host_image seen;
		size_t n = 0;

		while (n < 3 && rows[i].parts[n].name)
			n++;
		pe_write(rows[i].parts, n, false, &bytes);
		assert_int_equal(image_read_memory(bytes.text, bytes.len, a, &seen), 0);
		if (seen.status != rows[i].status)
			fail_msg("%s: %s", rows[i].what, seen.why ? seen.why : "read");
		if (rows[i].why)
			assert_string_equal(seen.why, rows[i].why);
		else
			assert_string_equal(text_in(&seen, ".cmdline"), "a");
		assert_true(rows[i].why || !image_file(&seen, ".initrd"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_are_found),
		cmocka_unit_test(every_cut_is_refused),
		cmocka_unit_test(every_changed_byte_is_borne),
		cmocka_unit_test(an_image_is_opened_and_written_again),
		cmocka_unit_test(what_is_unfit_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
