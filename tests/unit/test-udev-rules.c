/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The udev rules: golden texts, and what may never be written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "golden.h"
#include "udev.h"

static struct early_device *add(struct arena *a, struct early_wish *wish, const char *addr,
				const char *id, const char *driver)
{
	struct early_device *device = array_add(a, &wish->overrides);

	assert_non_null(device);
	assert_int_equal(pci_addr_parse(addr, &device->addr), 0);
	assert_int_equal(pci_id_parse(id, &device->id), 0);
	device->driver = driver;
	return device;
}

static void no_overrides_no_rules(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct early_wish wish = {};
	const char *text = NULL;

	assert_int_equal(array_push(a, &wish.modules, "vfio_pci"), 0);
	assert_int_equal(udev_rules_render(a, &wish, &text), 0);
	assert_string_equal(text, "");
}

/* One card of two functions, the second without a subsystem; another domain, another driver. */
static void rules_are_as_written(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct early_wish wish = {};
	const char *text = NULL;

	add(a, &wish, "01:00.0", "10de:1b81:1462:3301", "vfio-pci");
	add(a, &wish, "0000:01:00.1", "10DE:10F0", "vfio-pci");
	add(a, &wish, "10000:e1:00.0", "8086:0a54:8086:0000", "nvme_vfio_pci");
	assert_int_equal(udev_rules_render(a, &wish, &text), 0);
	assert_golden("udev.rules", text);
}

/* Of two equal cards the one with this serial number. */
static void serial_is_a_condition(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct early_wish wish = {};
	const char *text = NULL;

	add(a, &wish, "02:00.0", "8086:10d3:8086:0000", "vfio-pci")->serial =
		"00-11-22-33-44-55-66-77";
	assert_int_equal(udev_rules_render(a, &wish, &text), 0);
	assert_golden("udev-serial.rules", text);
}

/* What a built-in driver has is taken from it in the initramfs, and there alone. */
static void built_in_drivers_let_go(void **state _unused_)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct early_wish wish = {};
	struct early_device *device;
	const char *text = NULL;

	device = add(a, &wish, "04:00.0", "1b36:000d", "vfio-pci");
	device->rebind = true;
	device->serial = "00-11-22-33-44-55-66-77";
	assert_int_equal(udev_rules_render(a, &wish, &text), 0);
	assert_golden("udev-builtin.rules", text);
}

static void serials_that_are_none_are_refused(void **state _unused_)
{
	static const char *const serials[] = {"", "-q", "00 11", "00\"", "$(x)", "00\n11", "%k"};

	for (size_t i = 0; i < ARRAY_LEN(serials); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct early_wish wish = {};
		const char *text = "untouched";

		add(a, &wish, "01:00.0", "10de:1b81", "vfio-pci")->serial = serials[i];
		assert_int_equal(udev_rules_render(a, &wish, &text), -EINVAL);
		assert_string_equal(text, "untouched");
	}
}

static void names_that_are_none_are_refused(void **state _unused_)
{
	static const char *const names[] = {"",	    "vfio pci", "vfio-pci\"", "$(x)",
					    "a\nb", "-q",	"a/b"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct early_wish wish = {};
		const char *text = "untouched";

		add(a, &wish, "01:00.0", "10de:1b81", names[i]);
		assert_int_equal(udev_rules_render(a, &wish, &text), -EINVAL);
		assert_string_equal(text, "untouched");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_overrides_no_rules),
		cmocka_unit_test(rules_are_as_written),
		cmocka_unit_test(serial_is_a_condition),
		cmocka_unit_test(built_in_drivers_let_go),
		cmocka_unit_test(serials_that_are_none_are_refused),
		cmocka_unit_test(names_that_are_none_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
