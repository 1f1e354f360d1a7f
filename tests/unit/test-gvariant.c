/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dictionaries of GVariant, as GLib 2.84 itself serialised them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gvariant.h"
#include "hosts.h"

/* {"kargs": ["a", "b=c"], "locked": false} */
static const char small[] = "kargs\000\000\000a\000b=c\000\002\006\000as\006\000\000\000\000lo"
			    "cked\000\000\000\000b\007\024$";

/* A deployment that libostree staged: target, merge-deployment, kargs; more than 255 bytes. */
static const char staged[] =
	"target\000\000name\000\000\000\000aaaaaaaaaa"
	"aaaaaaaaaaaaaaaaaaaaaaaaaa"
	"aaaaaaaaaaaaaaaaaaaaaaaaaa"
	"aa.1\000\000s\005\000\000osname\000\000fedora\000\000"
	"s\007\000\000\000\000\000\000bootcsum\000\000\000\000\000\000\000\000ab"
	"ababababababababababababab"
	"ababababababababababababab"
	"ababababab\000\000s\011Nb\274\000a{sv}\007\000\000"
	"merge-deployment\000\000\000\000\000\000\000\000na"
	"me\000\000\000\000bbbbbbbbbbbbbbbbbbbb"
	"bbbbbbbbbbbbbbbbbbbbbbbbbb"
	"bbbbbbbbbbbbbbbbbb.0\000\000s\005\000\000"
	"osname\000\000fedora\000\000s\007\000\000\000\000\000\000bo"
	"otcsum\000\000\000\000\000\000\000\000abababababab"
	"ababababababababababababab"
	"ababababababababababababab"
	"\000\000s\011Nb\274\000a{sv}\021\000\000kargs\000\000\000ro"
	"ot=a\000rw\000quiet\000intel_iommu="
	"on\000\007\012\020\037\000as\006\316\000\256\001\337\001";

static int kargs_of(struct arena *a, const char *bytes, size_t size, struct words *ret)
{
	struct gvariant value;
	int r = gvariant_find(bytes, size, "kargs", &value);

	return r < 0 ? r : gvariant_strings(a, &value, ret);
}

static void strings_are_found(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct words words = {0};
	struct gvariant value;

	assert_int_equal(kargs_of(a, small, sizeof(small) - 1, &words), 0);
	assert_words(&words, "a b=c");
	assert_int_equal(kargs_of(a, staged, sizeof(staged) - 1, &words), 0);
	assert_words(&words, "root=a rw quiet intel_iommu=on");
	assert_int_equal(gvariant_find(small, sizeof(small) - 1, "locked", &value), 0);
	assert_false(gvariant_true(&value));
	assert_int_equal(gvariant_strings(a, &value, &words), -EBADMSG);
	assert_int_equal(gvariant_find(staged, sizeof(staged) - 1, "target", &value), 0);
	assert_string_equal(value.type, "");
	assert_int_equal(gvariant_find(staged, sizeof(staged) - 1, "locked", &value), -ENOENT);
	assert_int_equal(gvariant_find("", 0, "kargs", &value), -ENOENT);
}

static void true_is_true(void **state _unused_)
{
	char bytes[sizeof(small) - 1];
	struct gvariant value;

	memcpy(bytes, small, sizeof(bytes));
	assert_int_equal(gvariant_find(bytes, sizeof(bytes), "locked", &value), 0);
	bytes[(const char *)value.data - bytes] = 1;
	assert_true(gvariant_true(&value));
}

/* Each byte of it as each value, and each beginning of it: refused or read, nothing else. */
static void nothing_of_it_is_trusted(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct words words = {0};

	for (size_t n = 1; n < sizeof(small) - 1; n++) {
		char *cut = malloc(n);
		int r;

		assert_non_null(cut);
		memcpy(cut, small, n);
		r = kargs_of(a, cut, n, &words);
		assert_true(r == -EBADMSG || r == -ENOENT);
		free(cut);
	}
	for (size_t at = 0; at < sizeof(small) - 1; at++)
		for (unsigned value = 0; value < 256; value++) {
			char bytes[sizeof(small) - 1];
			int r;

			memcpy(bytes, small, sizeof(bytes));
			bytes[at] = (char)value;
			r = kargs_of(a, bytes, sizeof(bytes), &words);
			assert_true(r == 0 || r == -EBADMSG || r == -ENOENT);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_are_found),
		cmocka_unit_test(true_is_true),
		cmocka_unit_test(nothing_of_it_is_trusted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
