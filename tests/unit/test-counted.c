/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boot counting in the names of entries and unified images (3.11). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "counted.h"
#include "hosts.h"

#define DIR "/efi/loader/entries/"

static void the_count_is_no_part_of_the_name(void **state _unused_)
{
	static const struct {
		const char *path, *suffix, *version, *stem;
		bool named;
	} rows[] = {
		{"t-6.1.conf", ".conf", "6.1", "t-6.1", true},
		{"t-6.1+3.conf", ".conf", "6.1", "t-6.1", true},
		{"t-6.1+2-1.conf", ".conf", "6.1", "t-6.1", true},
		{"t-6.1+0-3.efi", ".efi", "6.1", "t-6.1", true},
		/* Kernels of one's own making may end so. */
		{"t-6.1+.conf", ".conf", "6.1+", "t-6.1+", true},
		{"t-6.1++3.conf", ".conf", "6.1+", "t-6.1+", true},
		{"t-6.1+3.conf", ".conf", "6.1+3", "t-6.1+3", true},
		{"t-6.1+3+2-1.conf", ".conf", "6.1+3", "t-6.1+3", true},
		{"t-6.12.1+deb13-amd64.efi", ".efi", "6.12.1+deb13-amd64", "t-6.12.1+deb13-amd64",
		 true},
		{"t-6.12.1+deb13-amd64+3.efi", ".efi", "6.12.1+deb13-amd64", "t-6.12.1+deb13-amd64",
		 true},
		/* Not counts. */
		{"t-6.1+3-.conf", ".conf", "6.1", "t-6.1+3-", false},
		{"t-6.1+-3.conf", ".conf", "6.1", "t-6.1+-3", false},
		{"t-6.1+3x.conf", ".conf", "6.1", "t-6.1+3x", false},
		{"a+3/t-6.1.conf", ".conf", "6.2", "a+3/t-6.1", false},
		{"x6.1.conf", ".conf", "6.1", "x6.1", false},
		{"conf", ".conf", "6.1", "conf", false},
		{"", ".conf", "6.1", "", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct host_entry entry = {.source = rows[i].path, .kernel = rows[i].version};
		size_t n = counted_stem(rows[i].path, rows[i].suffix, rows[i].version);

		assert_int_equal(n, strlen(rows[i].stem));
		assert_int_equal(strncmp(rows[i].path, rows[i].stem, n), 0);
		assert_int_equal(counted_named(&entry, rows[i].suffix), rows[i].named);
	}
}

static void add(struct host *host, enum loader loader, const char *source, const char *kernel)
{
	struct host_entry entry = {.loader = loader, .source = source, .kernel = kernel};

	assert_int_equal(array_push(host->arena, &host->boot.entries, entry), 0);
}

static void one_name_is_left_of_a_kernel(void **state _unused_)
{
	static const struct {
		const char *tries, *produces, *supersedes;
	} rows[] = {
		{NULL, DIR "t-6.1.conf", DIR "t-6.1+2-1.conf " DIR "t-6.1+3.conf"},
		{"3", DIR "t-6.1+3.conf", DIR "t-6.1+2-1.conf " DIR "t-6.1.conf"},
		{"7", DIR "t-6.1+7.conf",
		 DIR "t-6.1+2-1.conf " DIR "t-6.1+3.conf " DIR "t-6.1.conf"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_host_ struct host *host = host_new();
		struct step step = {};

		add(host, LOADER_SYSTEMD_BOOT, DIR "t-6.1+2-1.conf", "6.1");
		add(host, LOADER_SYSTEMD_BOOT, DIR "t-6.1+3.conf", "6.1");
		add(host, LOADER_SYSTEMD_BOOT, DIR "t-6.1.conf", "6.1");
		/* None of these is a former one of that name. */
		add(host, LOADER_SYSTEMD_BOOT, DIR "u-6.1+1.conf", "6.1");
		add(host, LOADER_SYSTEMD_BOOT, DIR "t-6.1-rescue.conf", "6.1");
		add(host, LOADER_SYSTEMD_BOOT, DIR "t-6.1.2+1.conf", "6.1.2");
		add(host, LOADER_SYSTEMD_BOOT, DIR "t-6.1+4.conf", NULL);
		add(host, LOADER_UNIFIED, DIR "t-6.1+1.conf", "6.1");
		host->boot.tries = rows[i].tries;
		assert_int_equal(
			counted_next(host->arena, host, &host->boot.entries.at[i], ".conf", &step),
			0);
		assert_string_equal(step.produces, rows[i].produces);
		assert_words(&step.supersedes, rows[i].supersedes);
	}
}

static void a_count_is_a_number(void **state _unused_)
{
	static const struct {
		const char *tries;
		bool fine;
	} rows[] = {{NULL, true},  {"3", true},	  {"007", true}, {"", false},
		    {"3x", false}, {"-3", false}, {"3 4", false}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_host_ struct host *host = host_new();

		host->boot.tries = rows[i].tries;
		assert_int_equal(counted_trouble(host) == NULL, rows[i].fine);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_count_is_no_part_of_the_name),
		cmocka_unit_test(one_name_is_left_of_a_kernel),
		cmocka_unit_test(a_count_is_a_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
