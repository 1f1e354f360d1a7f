/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Module lists (5.11, 5.18) and modules by alias. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "module-list.h"

static const char *joined(struct arena *a, const struct words *w)
{
	const char *text = "";

	array_foreach(it, w)
		text = arena_printf(a, "%s<%s>", text, *it);
	return text;
}

static void reads_lists(void **state _unused_)
{
	static const struct {
		const char *text, *whole, *first;
	} table[] = {
		{"", "", ""},
		{"vfio-pci\n", "<vfio_pci>", "<vfio_pci>"},
		{"# x\n\n  vfio\t\r\n;y\nkvm", "<vfio><kvm>", "<vfio><;y><kvm>"},
		/* 5.18 against 5.11 */
		{"vfio-pci ids=10de:1b81\n", "<vfio_pci ids=10de:1b81>", "<vfio_pci>"},
		{"loop # comment\n", "<loop # comment>", "<loop>"},
		{"a\na\n", "<a><a>", "<a><a>"},
		{"\n\n \n", "", ""},
	};
	_cleanup_arena_ struct arena *a = arena_new();
	struct words w;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		assert_int_equal(module_list_parse(a, table[i].text, &w), 0);
		assert_string_equal(joined(a, &w), table[i].whole);
		assert_int_equal(module_list_parse_args(a, table[i].text, &w), 0);
		assert_string_equal(joined(a, &w), table[i].first);
	}
}

static const char aliases[] = "# Aliases extracted from modules themselves.\n"
			      "alias pci:v000010DEd*sv*sd*bc03sc00i00* nouveau\n"
			      "alias pci:v000010DEd*sv*sd*bc03sc00i00* nvidia\n"
			      "alias pci:v00008086d00001533sv*sd*bc*sc*i* igb\n"
			      "alias pci:v*d*sv*sd*bc0Csc03i30* xhci-pci\n"
			      "alias pci:v*d*sv*sd*bc0Csc03i[0-3]0* usb_any\n"
			      "alias pci:v000010DEd*sv*sd*bc03sc*i* nouveau\n"
			      "alias platform:gpio-keys gpio_keys\n"
			      "alias broken\n"
			      "alias  \n"
			      "aliaspci:* no\n";

static void finds_modules_by_alias(void **state _unused_)
{
	static const char builtin[] = "ahci.alias=pci:v*d*sv*sd*bc01sc06i01*\n"
				      "xhci_pci.license=GPL\n"
				      "xhci_pci.alias=pci:v*d*sv*sd*bc0Csc03i30*\n";
	static const struct {
		const char *modalias, *found;
	} table[] = {
		{"pci:v000010DEd00001B81sv00001458sd0000371Abc03sc00i00", "<nouveau><nvidia>"},
		{"pci:v00008086d00001533sv00008086sd00000000bc02sc00i00", "<igb>"},
		{"pci:v00001912d00000014sv0sd0bc0Csc03i30", "<xhci_pci><usb_any>"},
		{"pci:v00001912d00000014sv0sd0bc01sc06i01", "<ahci>"},
		{"platform:gpio_keys", "<gpio_keys>"},
		{"pci:v00001234d00000014sv0sd0bcFFsc06i01", ""},
		{"", ""},
	};
	_cleanup_arena_ struct arena *a = arena_new();
	struct words w;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		assert_int_equal(module_alias_lookup(a, aliases, builtin, table[i].modalias, &w),
				 0);
		assert_string_equal(joined(a, &w), table[i].found);
	}
	assert_int_equal(module_alias_lookup(a, "", "", "pci:x", &w), 0);
	assert_int_equal(w.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_lists),
		cmocka_unit_test(finds_modules_by_alias),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
