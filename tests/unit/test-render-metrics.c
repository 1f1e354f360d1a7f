/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text format of Prometheus. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "golden.h"
#include "made-plan.h"
#include "render.h"

static void a_plan_becomes_metrics(void **state _unused_)
{
	const struct render_metrics m = {
		.exit_code = 4, .last_success = 1732637000, .apply_ms = 61025, .heals = 3};
	_cleanup_plan_ struct plan *plan = made_plan();
	_cleanup_strbuf_ struct strbuf out = {0};

	render_metrics(plan, &m, &out);
	assert_int_equal(out.error, 0);
	assert_golden("render/metrics.prom", strbuf_text(&out));
}

static void nothing_wished_is_zeros(void **state _unused_)
{
	const struct render_metrics m = {0};
	_cleanup_plan_ struct plan *plan = plan_new();
	_cleanup_strbuf_ struct strbuf out = {0};

	assert_non_null(plan);
	render_metrics(plan, &m, &out);
	assert_golden("render/metrics-none.prom", strbuf_text(&out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plan_becomes_metrics),
		cmocka_unit_test(nothing_wished_is_zeros),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
