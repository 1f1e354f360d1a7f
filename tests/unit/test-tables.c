/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every enum that has words has one for each value, and the way back leads home. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "code.h"
#include "host.h"
#include "plan.h"
#include "report.h"
#include "spec.h"

#define CHECK_NAMES(prefix, type, max)                                                             \
	do {                                                                                       \
		for (int i = 0; i < (int)(max); i++)                                               \
			assert_non_null(prefix##_name((type)i));                                   \
		assert_null(prefix##_name((type)(max)));                                           \
		assert_null(prefix##_name((type)-EINVAL));                                         \
	} while (0)

#define CHECK_BACK(prefix, type, max)                                                              \
	do {                                                                                       \
		CHECK_NAMES(prefix, type, max);                                                    \
		for (int i = 0; i < (int)(max); i++)                                               \
			assert_int_equal(prefix##_from_name(prefix##_name((type)i)), i);           \
		assert_int_equal(prefix##_from_name("no such word"), -EINVAL);                     \
	} while (0)

static void names_are_complete(void **state _unused_)
{
	CHECK_NAMES(severity, enum severity, _SEVERITY_MAX);
	CHECK_NAMES(image_status, enum image_status, _IMAGE_STATUS_MAX);
	CHECK_NAMES(loader, enum loader, _LOADER_MAX);
	CHECK_NAMES(use_kind, enum use_kind, _USE_KIND_MAX);
	CHECK_NAMES(item_kind, enum item_kind, _ITEM_KIND_MAX);
	CHECK_NAMES(layer_state, enum layer_state, _LAYER_STATE_MAX);
	CHECK_NAMES(item_state, enum item_state, _ITEM_STATE_MAX);
	CHECK_NAMES(step_kind, enum step_kind, _STEP_KIND_MAX);
	CHECK_NAMES(step_class, enum step_class, _STEP_CLASS_MAX);
	CHECK_NAMES(step_result, enum step_result, _STEP_RESULT_MAX);
	CHECK_BACK(code, enum code, _CODE_MAX);
	CHECK_BACK(bind_method, enum bind_method, _METHOD_MAX);
	CHECK_BACK(iommu_mode, enum iommu_mode, _IOMMU_MODE_MAX);
	CHECK_BACK(spec_mode, enum spec_mode, _SPEC_MODE_MAX);
	CHECK_BACK(cpu_vendor, enum cpu_vendor, _CPU_VENDOR_MAX);
	CHECK_BACK(hypervisor, enum hypervisor, _HYPERVISOR_MAX);
}

static void every_code_has_help(void **state _unused_)
{
	for (int i = 0; i < _CODE_MAX; i++)
		assert_non_null(code_help((enum code)i));
}

static void every_step_kind_has_a_class(void **state _unused_)
{
	for (int i = 0; i < _STEP_KIND_MAX; i++)
		assert_non_null(step_class_name(step_kind_class((enum step_kind)i)));
}

/* Contract note 21: these five and no others. */
static void accept_knows_five_codes(void **state _unused_)
{
	static const enum code may[] = {CODE_SHARED_GROUP, CODE_BOOT_DISPLAY, CODE_MANAGEMENT_NIC,
					CODE_IN_USE, CODE_NO_RESET};
	int n = 0;

	for (int i = 0; i < _CODE_MAX; i++)
		n += code_acceptable((enum code)i);
	assert_int_equal(n, ARRAY_LEN(may));
	for (size_t i = 0; i < ARRAY_LEN(may); i++)
		assert_true(code_acceptable(may[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_complete),
		cmocka_unit_test(every_code_has_help),
		cmocka_unit_test(every_step_kind_has_a_class),
		cmocka_unit_test(accept_knows_five_codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
