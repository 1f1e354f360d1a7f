/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Identities of captures and of specs are compared without being read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "macro.h"
#include "mask.h"

static void masks_are_stable(void **state _unused_)
{
	static const char *const alike[] = {"S4EWNX0R123456", "s4ewnx0r123456",
					    "  S4EWNX0R123456 \n", "\tS4EWNX0R123456"};
	static const char *const others[] = {"S4EWNX0R123457",		"",
					     "S4EWNX0R 123456",		"masked-",
					     "masked-0123456789abcdeg", "masked-0123456789abcdef0"};
	char first[MASK_TEXT_SIZE], mask[MASK_TEXT_SIZE], again[MASK_TEXT_SIZE];

	/* The value is an interface: captures are kept. */
	assert_string_equal(identity_mask("S4EWNX0R123456", first), "masked-8e0c88fe0171e5b6");
	assert_true(identity_masked(first));
	for (size_t i = 0; i < ARRAY_LEN(alike); i++)
		assert_string_equal(identity_mask(alike[i], mask), first);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		assert_false(identity_masked(others[i]));
		assert_string_not_equal(identity_mask(others[i], mask), first);
		assert_true(identity_masked(mask));
		assert_string_equal(identity_mask(mask, again), mask);
	}
}

static void identities_are_compared(void **state _unused_)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} rows[] = {
		{"52:54:00:12:34:56", "52:54:00:12:34:56", true},
		{"52:54:00:AB:34:56", "52:54:00:ab:34:56", true},
		{"52:54:00:12:34:56", "52:54:00:12:34:57", false},
		{"", "", false},
		{"x", "", false},
		{"masked-0123456789abcdef", "masked-0123456789abcdef", true},
		{"masked-0123456789abcdef", "masked-0123456789abcdee", false},
		{"masked-0123456789abcdef", "52:54:00:12:34:56", false},
	};
	char mask[MASK_TEXT_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(identity_equal(rows[i].a, rows[i].b), rows[i].equal);
		assert_int_equal(identity_equal(rows[i].b, rows[i].a), rows[i].equal);
	}
	identity_mask("52:54:00:AB:34:56", mask);
	assert_true(identity_equal(mask, "52:54:00:ab:34:56"));
	assert_true(identity_equal("52:54:00:AB:34:56", mask));
	assert_false(identity_equal("52:54:00:ab:34:57", mask));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(masks_are_stable),
		cmocka_unit_test(identities_are_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
