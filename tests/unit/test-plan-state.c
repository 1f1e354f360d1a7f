/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state as lines that need no reader of JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../lib/surface.h"
#include "made-plan.h"

static void lines(void **state _unused_)
{
	static const struct {
		struct plan *(*make)(void); /* NULL: no plan */
		const char *text;
	} table[] = {
		{NULL, "reboot no\n"},
		{made_plan, "reboot yes\n"
			    "device disk blocked - 0000:03:00.0\n"
			    "device gpu wanted override 0000:01:00.0 0000:01:00.1\n"
			    "item device:disk blocked boot-disk\n"
			    "item device:gpu wanted -\n"
			    "item module:vfio_pci wanted -\n"
			    "item blacklist:nouveau configured -\n"
			    "item kernel-flag:intel_iommu=on armed -\n"
			    "item kernel-flag:iommu=pt wanted -\n"
			    "item module-option:kvm.ignore_msrs active -\n"},
		{made_converged, "reboot no\n"
				 "device gpu active override 0000:01:00.0 0000:01:00.1\n"
				 "item device:gpu active -\n"
				 "item kernel-flag:iommu=pt active -\n"},
		{made_armed, "reboot yes\n"
			     "item kernel-flag:iommu=pt armed -\n"},
		{made_blocked, "reboot no\n"
			       "device gpu blocked -\n"
			       "item device:gpu blocked no-such-device\n"
			       "item kernel-flag:iommu=pt blocked -\n"},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct pthru_plan p = {.plan = table[i].make ? table[i].make() : NULL};
		char *text = NULL;

		assert_int_equal(pthru_plan_state(table[i].make ? &p : NULL, &text), 0);
		assert_string_equal(text, table[i].text);
		free(text);
		plan_free(p.plan);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(lines)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
