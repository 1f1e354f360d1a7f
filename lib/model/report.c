/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report.h"

#include "names.h"

static const char *const results[_STEP_RESULT_MAX] = {
	[RESULT_DONE] = "done",
	[RESULT_SKIPPED] = "skipped",
	[RESULT_FAILED] = "failed",
};
DEFINE_NAMES(step_result, enum step_result, results);

struct report *report_new(void)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct report *report = a ? arena_new_of(a, struct report) : NULL;

	if (!report)
		return NULL;
	report->diags.arena = a;
	report->arena = TAKE(a);
	return report;
}

struct report *report_free(struct report *report)
{
	if (report)
		arena_free(report->arena);
	return NULL;
}
