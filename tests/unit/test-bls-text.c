/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loader entries as GRUB's blscfg reads them, and its environment block (2.14, 2.17). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "entry-options.h"
#include "grubenv.h"

#define HEAD "# GRUB Environment Block\n"

static void the_first_options_line_counts(void **state _unused_)
{
	static const struct {
		const char *text, *value, *set; /* set: with "x y" instead; NULL: no such line */
	} rows[] = {
		{"title a\noptions root=/dev/sda1 ro\nlinux /v\n", "root=/dev/sda1 ro",
		 "title a\noptions x y\nlinux /v\n"},
		{"options a\noptions b\n", "a", "options x y\noptions b\n"},
		{"  options\t a  $tuned_params \r\n", "a  $tuned_params", "  options\t x y \r\n"},
		{"options a", "a", "options x y"},
		{"options \noptions b\n", "b", "options \noptions x y\n"},
		{"# options a\noptionsb c\noptions\n", NULL, NULL},
		{"", NULL, NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		const char *value, *set;

		assert_int_equal(entry_options(a, rows[i].text, &value), 0);
		if (!rows[i].value) {
			assert_null(value);
			assert_int_equal(entry_options_set(a, rows[i].text, "x y", &set), -ENOENT);
			continue;
		}
		assert_string_equal(value, rows[i].value);
		assert_int_equal(entry_options_set(a, rows[i].text, "x y", &set), 0);
		assert_string_equal(set, rows[i].set);
	}
}

static void a_variable_is_found_in_its_block(void **state _unused_)
{
	static const struct {
		const char *block, *value;
	} rows[] = {
		{HEAD "kernelopts=root=/dev/sda1 ro \n#####", "root=/dev/sda1 ro "},
		{HEAD "a=1\nkernelopts=\n##", ""},
		{HEAD "# kernelopts=no\nkernelopts=a\\\\b\\\nc\n#", "a\\b\nc"},
		{HEAD "x=a\\\nkernelopts=no\n#", NULL},
		{HEAD "kernelopts2=no\nxkernelopts=no\n", NULL},
		{"kernelopts=a\n####", NULL},
		{"", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		const char *value;

		assert_int_equal(grubenv_get(a, rows[i].block, "kernelopts", &value), 0);
		if (rows[i].value)
			assert_string_equal(value, rows[i].value);
		else
			assert_null(value);
	}
}

/* Its size is that of the blocks that GRUB writes to at boot. */
static void a_block_keeps_its_size(void **state _unused_)
{
	static const struct {
		const char *block, *value, *set;
		int r;
	} rows[] = {
		{HEAD "# WARNING: x\nkernelopts=a\nboot_success=1\n######", "a b c",
		 HEAD "# WARNING: x\nkernelopts=a b c\nboot_success=1\n##", 0},
		{HEAD "kernelopts=a b c\n##", "a", HEAD "kernelopts=a\n######", 0},
		{HEAD "a=1\n##############", "x", HEAD "a=1\nkernelopts=x\n#", 0},
		{HEAD "kernelopts=a\n####", "a b c", HEAD "kernelopts=a b c\n", 0},
		{HEAD "kernelopts=a\n###", "a b c", NULL, -ENOSPC},
		{HEAD "kernelopts=a\nkernelopts=b\n#", "\\", HEAD "kernelopts=\\\\\n#############",
		 0},
		{"kernelopts=a\n###", "b", NULL, -EBADMSG},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		const char *set = "untouched";

		assert_int_equal(grubenv_set(a, rows[i].block, "kernelopts", rows[i].value, &set),
				 rows[i].r);
		assert_string_equal(set, rows[i].set ? rows[i].set : "untouched");
		if (rows[i].set)
			assert_int_equal(strlen(set), strlen(rows[i].block));
	}
}

static void variables_are_expanded(void **state _unused_)
{
	static const char block[] = HEAD "kernelopts=root=/dev/sda1 ro\ntuned_params=\n###";
	static const char *const rows[][2] = {
		{"$kernelopts quiet", "root=/dev/sda1 ro quiet"},
		{"a${kernelopts}b $tuned_params", "aroot=/dev/sda1 rob "},
		{"$kernelopts2 ${kernelopts $ $1 $", "$kernelopts2 ${kernelopts $ $1 $"},
		{"", ""},
	};
	_cleanup_arena_ struct arena *a = arena_new();
	const char *text;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(grubenv_expand(a, block, rows[i][0], &text), 0);
		assert_string_equal(text, rows[i][1]);
		assert_int_equal(grubenv_expand(a, NULL, rows[i][0], &text), 0);
		assert_string_equal(text, rows[i][0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_options_line_counts),
		cmocka_unit_test(a_variable_is_found_in_its_block),
		cmocka_unit_test(a_block_keeps_its_size),
		cmocka_unit_test(variables_are_expanded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
