/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names by libpci, from a list of the test's own. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pci-names.h"

static const char list[] = "# a comment\n"
			   "10de  NVIDIA Corporation\n"
			   "\t1b81  GP104 [GeForce GTX 1070]\n"
			   "\t\t1458 3702  A card of somebody's\n"
			   "8086  Intel Corporation\n"
			   "C 03  Display controller\n";

static void write_list(char path[static 32], const char *text)
{
	int fd;

	strcpy(path, "/tmp/pthru-names-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* Skips where the library is not installed: then nothing has a name, which is ordinary. */
static struct names *open_list(const char *path)
{
	struct names *names = NULL;
	int err = names_open(path, &names);

	if (err == -ENOSYS)
		skip();
	assert_int_equal(err, 0);
	return names;
}

static void names_are_found(void **state _unused_)
{
	static const struct {
		struct pci_id id;
		const char *vendor, *device;
	} rows[] = {
		{{0x10de, 0x1b81, PCI_ANY, PCI_ANY},
		 "NVIDIA Corporation",
		 "GP104 [GeForce GTX 1070]"},
		{{0x10de, 0x1b81, 0x1458, 0x3702},
		 "NVIDIA Corporation",
		 "GP104 [GeForce GTX 1070]"},
		{{0x10de, 0xffff, PCI_ANY, PCI_ANY}, "NVIDIA Corporation", NULL},
		{{0x8086, 0x1b81, PCI_ANY, PCI_ANY}, "Intel Corporation", NULL},
		{{0xffff, 0x0000, PCI_ANY, PCI_ANY}, NULL, NULL},
	};
	_cleanup_arena_ struct arena *a = arena_new();
	char path[32];

	write_list(path, list);
	_cleanup_names_ struct names *names = open_list(path);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *vendor = "kept", *device = "kept";

		assert_int_equal(names_look_up(names, &rows[i].id, a, &vendor, &device), 0);
		if (rows[i].vendor)
			assert_string_equal(vendor, rows[i].vendor);
		else
			assert_null(vendor);
		if (rows[i].device)
			assert_string_equal(device, rows[i].device);
		else
			assert_null(device);
	}
	unlink(path);
}

/* A list that is broken makes libpci give up: said, and nothing ends. */
static void bad_lists_are_ordinary(void **state _unused_)
{
	static const struct {
		const char *text; /* NULL: no file */
		int result;
	} rows[] = {
		{"\tno vendor above\nnonsense\n", -EBADMSG},
		{"10de\n", -EBADMSG},
		{"", 0},
		{NULL, 0},
	};
	static const struct pci_id id = {0x10de, 0x1b81, PCI_ANY, PCI_ANY};
	_cleanup_arena_ struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char path[32];

		write_list(path, rows[i].text ? rows[i].text : "");
		if (!rows[i].text)
			unlink(path);
		_cleanup_names_ struct names *names = open_list(path);

		/* And the second time, when half a list is in memory. */
		for (unsigned k = 0; k < 2; k++) {
			const char *vendor = list, *device = list;
			const char *left = rows[i].result < 0 ? list : NULL;

			assert_int_equal(names_look_up(names, &id, a, &vendor, &device),
					 rows[i].result);
			assert_ptr_equal(vendor, left);
			assert_ptr_equal(device, left);
		}
		unlink(path);
	}
	assert_null(names_close(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_found),
		cmocka_unit_test(bad_lists_are_ordinary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
