/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel command line: cutting, comparing, editing (facts 1.1 to 1.8), and refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "kcmdline.h"

static const char *shown(struct arena *a, const char *line)
{
	struct kcmdline k;
	const char *text = "";

	assert_int_equal(kcmdline_parse(a, line, &k), 0);
	array_foreach(it, &k.params) {
		text = it->value ? arena_printf(a, "%s[%s|%s]", text, it->name, it->value)
				 : arena_printf(a, "%s[%s]", text, it->name);
		text = it->for_init ? arena_printf(a, "%s!", text) : text;
	}
	return text;
}

static void cuts_as_the_kernel_does(void **state _unused_)
{
	static const struct {
		const char *line, *parsed;
	} table[] = {
		{"", ""},
		{" \t\n", ""},
		{"quiet", "[quiet]"},
		{" root=UUID=ab-cd  ro\tquiet\n", "[root|UUID=ab-cd][ro][quiet]"},
		/* 1.1: only double quotes, no escapes */
		{"a='b c'", "[a|'b][c']"},
		{"a=b\\ c", "[a|b\\][c]"},
		{"a=b\" \"c d", "[a|b\" \"c][d]"},
		/* 1.2 */
		{"\"a b=c d\"", "[a b|c d]"},
		{"a\"=\"b", "[a\"|b]"},
		{"a=b=c", "[a|b=c]"},
		{"=a", "[=a]"},
		{"=a=b", "[=a|b]"},
		{"a=", "[a|]"},
		/* 1.3 */
		{"\"name=a b\"", "[name|a b]"},
		{"name=\"a b\"", "[name|a b]"},
		{"name=\"a b\"c", "[name|a b\"c]"},
		{"\"quiet\"", "[quiet]"},
		{"\"\"", "[]"},
		{"a=\"\"", "[a|]"},
		{"\"a=\"b\" c\"", "[a|b\" c]"},
		/* 1.4 */
		{"a -- b=c", "[a][--]![b|c]!"},
		{"a \"--\" b", "[a][--]![b]!"},
		{"a --=x --- b", "[a][--|x][---][b]"},
		/* 1.6 */
		{"a=\"b c", "[a|b c]"},
		{"a \"", "[a][]"},
		{"a=\"", "[a|]"},
		{"\"a=\"", "[a|]"},
		/* the kernel's isspace() is Latin-1 */
		{"a\xa0"
		 "b",
		 "[a][b]"},
	};
	_cleanup_arena_ struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		assert_string_equal(shown(a, table[i].line), table[i].parsed);
}

static void names_take_dash_for_underscore(void **state _unused_)
{
	assert_true(kparam_name_equal("vfio-pci.ids", "vfio_pci.ids"));
	assert_true(kparam_name_equal("a-b_c", "a_b-c"));
	assert_false(kparam_name_equal("Quiet", "quiet"));
	assert_false(kparam_name_equal("quiet", "quietx"));
	assert_false(kparam_name_equal("quietx", "quiet"));
}

static const struct wish_row {
	const char *line, *wish;
	bool satisfied;
	const char *conflict;
} wishes[] = {
	{"quiet splash", "quiet", true, NULL},
	{"splash", "quiet", false, NULL},
	{"", "quiet", false, NULL},
	{"quiet=1", "quiet", false, "quiet=1"},
	{"-- quiet", "quiet", false, NULL},
	{"pcie_aspm=off", "pcie_aspm=off", true, NULL},
	{"pcie-aspm=off", "pcie_aspm=off", true, NULL},
	{"pcie_aspm=off pcie_aspm=force", "pcie_aspm=off", false, "pcie_aspm=force"},
	{"pcie_aspm=force pcie_aspm=off", "pcie_aspm=off", true, NULL},
	{"a=x-y", "a=x_y", false, "a=x-y"},
	{"\"a=b c\"", "a=\"b c\"", true, NULL},
	{"a=b", "", false, NULL},
	{"a b", "a b", false, NULL},
	/* accumulating (1.8) */
	{"intel_iommu=on", "intel_iommu=on", true, NULL},
	{"intel_iommu=on,sm_on", "intel_iommu=on", true, NULL},
	{"intel_iommu=sm_on intel_iommu=on", "intel_iommu=on", true, NULL},
	{"intel_iommu=sm_on intel_iommu=on", "intel_iommu=on,sm_on", true, NULL},
	{"intel_iommu=on", "intel_iommu=on,sm_on", false, NULL},
	{"intel_iommu=on intel_iommu=off", "intel_iommu=on", false, "intel_iommu=off"},
	{"intel_iommu=off intel_iommu=on", "intel_iommu=on", true, NULL},
	{"intel_iommu=on,off", "intel_iommu=on", false, "intel_iommu=on,off"},
	{"intel_iommu=off", "intel_iommu=on", false, "intel_iommu=off"},
	{"intel_iommu=igfx_off", "intel_iommu=on", false, NULL},
	{"intel_iommu=on -- intel_iommu=off", "intel_iommu=on", true, NULL},
	{"intel_iommu=on,,sm_on", "intel_iommu=sm_on", true, NULL},
	{"intel_iommu", "intel_iommu=on", false, NULL},
	{"iommu=pt", "iommu=pt", true, NULL},
	{"iommu=force,pt", "iommu=pt", true, NULL},
	{"iommu=pt iommu=force", "iommu=pt", true, NULL},
	{"iommu=pt iommu=nopt", "iommu=pt", false, "iommu=nopt"},
	{"iommu=nopt iommu=pt", "iommu=pt", true, NULL},
	/* 7.27 */
	{"iommu.passthrough=1", "iommu=pt", true, NULL},
	{"iommu.passthrough=y", "iommu=pt", true, NULL},
	{"iommu=pt", "iommu.passthrough=1", true, NULL},
	{"iommu=pt iommu.passthrough=0", "iommu=pt", false, "iommu.passthrough=0"},
	{"iommu.passthrough=off iommu=pt", "iommu=pt", true, NULL},
	{"iommu.passthrough=maybe", "iommu=pt", false, NULL},
	{"iommu=usedac,pt", "iommu=pt", false, NULL},
	/* nothing sets these back */
	{"iommu=off iommu=pt", "iommu=pt", false, "iommu=off"},
	{"iommu=off", "iommu=off", true, NULL},
	{"amd_iommu=off amd_iommu=on", "amd_iommu=on", false, "amd_iommu=off"},
	{"pci=noaer pci=realloc", "pci=noaer", true, NULL},
	/* each for itself */
	{"console=tty0 console=ttyS0,115200", "console=tty0", true, NULL},
	{"console=tty0", "console=ttyS0", false, NULL},
	{"rd.driver.pre=a rd.driver.pre=b", "rd.driver.pre=a", true, NULL},
};

static void wishes_by_the_kernels_rules(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(wishes); i++) {
		const struct wish_row *row = &wishes[i];
		const struct kparam *conflict;
		struct kcmdline k;

		assert_int_equal(kcmdline_parse(a, row->line, &k), 0);
		if (kcmdline_satisfies(&k, row->wish) != row->satisfied)
			fail_msg("\"%s\" for \"%s\"", row->line, row->wish);
		conflict = kcmdline_conflict(&k, row->wish);
		if (!conflict != !row->conflict)
			fail_msg("conflict of \"%s\" with \"%s\"", row->line, row->wish);
		if (conflict)
			assert_string_equal(conflict->raw, row->conflict);
	}
}

static void edits_leave_other_bytes(void **state _unused_)
{
	static const struct {
		const char *line, *token, *added;
	} table[] = {
		{"", "quiet", "quiet"},
		{"  ", "quiet", "quiet  "},
		{"\n", "quiet", "quiet\n"},
		{"a", "quiet", "a quiet"},
		{"a  b\n", "quiet", "a  b quiet\n"},
		{"a -- b", "quiet", "a quiet -- b"},
		{"-- b", "quiet", "quiet -- b"},
		{"\n -- b", "quiet", "quiet \n -- b"},
		{"a=\"b c", "quiet", "quiet a=\"b c"},
		{"x a=\"b c", "quiet", "x quiet a=\"b c"},
		{"a\tb \"c d\"", "x=\"e f\"", "a\tb \"c d\" x=\"e f\""},
		{"intel_iommu=off", "intel_iommu=on", "intel_iommu=off intel_iommu=on"},
	};
	_cleanup_arena_ struct arena *a = arena_new();
	const char *added, *again;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		assert_int_equal(kcmdline_add(a, table[i].line, table[i].token, &added), 0);
		assert_string_equal(added, table[i].added);
		assert_int_equal(kcmdline_add(a, added, table[i].token, &again), 0);
		assert_string_equal(again, added);
		assert_int_equal(kcmdline_remove(a, added, table[i].token, &again), 0);
		assert_string_equal(again, table[i].line);
	}
}

static void removes_what_is_equal(void **state _unused_)
{
	static const struct {
		const char *line, *token, *left;
	} table[] = {
		{"a b c", "b", "a c"},
		{"b", "b", ""},
		{"b b b", "b", ""},
		{"b a b", "b", "a"},
		{"a  b  c", "b", "a   c"},
		{"a \"n=b c\" d", "n=\"b c\"", "a d"},
		{"a=1 a=2 a", "a=2", "a=1 a"},
		{"a -- b", "b", "a -- b"},
		{"a-b", "a_b", "a-b"},
		{"b\tc", "b", "c"},
	};
	_cleanup_arena_ struct arena *a = arena_new();
	const char *left;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		assert_int_equal(kcmdline_remove(a, table[i].line, table[i].token, &left), 0);
		assert_string_equal(left, table[i].left);
	}
}

static void refuses_what_is_no_token(void **state _unused_)
{
	static const char *const bad[] = {"", " ", "a b", "--", "\"--\"", "a=\"b"};
	_cleanup_arena_ struct arena *a = arena_new();
	const char *left = "untouched";

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(kcmdline_add(a, "x", bad[i], &left), -EINVAL);
		assert_int_equal(kcmdline_remove(a, "x", bad[i], &left), -EINVAL);
		assert_string_equal(left, "untouched");
	}
}

static void flags_that_may_not_be_written(void **state _unused_)
{
	static const char *const bad[] = {
		/* bytes outside the set of 2.7 */
		"a b",
		"a\"b\"",
		"a=$x",
		"a=`x`",
		"a;b",
		"a\nb",
		"a'b",
		"a\\b",
		"a|b",
		"a&b",
		"a<b",
		"a>b",
		"a{b",
		"a}b",
		"a#b",
		"a(b",
		"a*b",
		"a\tb",
		"a\xc3\xa4",
		"\x7f",
		/* contract note 26 */
		"root=/dev/sda1",
		"root",
		"rootflags=subvol=x",
		"init=/bin/sh",
		"rdinit=/x",
		"initrd=/x",
		"BOOT_IMAGE=/x",
		"BOOT-IMAGE=/x",
		"single",
		"emergency",
		"rescue",
		"systemd.unit=rescue.target",
		"rd.systemd.unit=x",
		"1",
		"3",
		"12",
		"--",
		"",
		"s",
		"rd.break",
		"break=premount",
		"---",
		"=x",
	};
	static const char *const good[] = {
		"quiet",
		"intel_iommu=on,sm_on",
		"iommu=pt",
		"vfio-pci.ids=10de:1b81,10de:10f0",
		"pcie_aspm=off",
		"video=efifb:off",
		"console=ttyS0,115200n8",
		"root_delay=5",
		"rootwait",
		"initcall_blacklist=sysfb_init",
		"a=b=c",
		"net.ifnames=0",
		"x=1%+@/:",
		"pcie_acs_override=downstream,multifunction",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (!kflag_refused(bad[i]))
			fail_msg("\"%s\" is allowed", bad[i]);
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (kflag_refused(good[i]))
			fail_msg("\"%s\" %s", good[i], kflag_refused(good[i]));
}

static void values_and_names_that_may_not_be_written(void **state _unused_)
{
	static const char *const bad_values[] = {"", "a b", "a\"", "$x", "a#b", "a\\", "a\nb", "'"};
	static const char *const good_values[] = {"1", "10de:1b81", "a=b", "Y", "-1", "0x10"};
	static const char *const bad_names[] = {
		"",   "a b", "a.b", "a/b",
		"-a", "a\n", "a*",  "a1234567890123456789012345678901234567890123456789012345"};
	static const char *const good_names[] = {"vfio-pci", "kvm_intel", "8021q", "ids"};

	for (size_t i = 0; i < ARRAY_LEN(bad_values); i++)
		assert_non_null(option_value_refused(bad_values[i]));
	for (size_t i = 0; i < ARRAY_LEN(good_values); i++)
		assert_null(option_value_refused(good_values[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad_names); i++)
		assert_non_null(module_name_refused(bad_names[i]));
	for (size_t i = 0; i < ARRAY_LEN(good_names); i++)
		assert_null(module_name_refused(good_names[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_as_the_kernel_does),
		cmocka_unit_test(names_take_dash_for_underscore),
		cmocka_unit_test(wishes_by_the_kernels_rules),
		cmocka_unit_test(edits_leave_other_bytes),
		cmocka_unit_test(removes_what_is_equal),
		cmocka_unit_test(refuses_what_is_no_token),
		cmocka_unit_test(flags_that_may_not_be_written),
		cmocka_unit_test(values_and_names_that_may_not_be_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
