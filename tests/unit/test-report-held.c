/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which devices only wait for somebody to let go: when trying again by itself makes sense. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../lib/surface.h"

struct held_row {
	enum code step;		   /* of a failed binding of "disk"; _CODE_INVALID: it went well */
	enum item_state state;	   /* of "gpu" in the plan of after */
	enum code codes[3];	   /* its verdicts, up to the first 0 */
	enum severity severity[3]; /* of each */
	bool observe_only;
	enum item_state back; /* of the item of "old", which is to go back; STATE_WANTED: free */
	enum code waits;      /* the code of what it says then */
	const char *held;
};

#define E SEVERITY_ERROR
#define W SEVERITY_WARNING

static const struct held_row rows[] = {
	{_CODE_INVALID, STATE_ACTIVE, {0}, {0}, false, STATE_WANTED, CODE_IN_USE, ""},
	{CODE_IN_USE, STATE_ACTIVE, {0}, {0}, false, STATE_WANTED, CODE_IN_USE, "disk"},
	{CODE_NO_EFFECT, STATE_ACTIVE, {0}, {0}, false, STATE_WANTED, CODE_IN_USE, ""},
	{_CODE_INVALID, STATE_BLOCKED, {CODE_IN_USE}, {E}, false, STATE_WANTED, CODE_IN_USE, "gpu"},
	{CODE_IN_USE,
	 STATE_BLOCKED,
	 {CODE_IN_USE},
	 {E},
	 false,
	 STATE_WANTED,
	 CODE_IN_USE,
	 "disk, gpu"},
	{_CODE_INVALID,
	 STATE_BLOCKED,
	 {CODE_NO_RESET, CODE_IN_USE},
	 {W, E},
	 false,
	 STATE_WANTED,
	 CODE_IN_USE,
	 "gpu"},
	/* another error keeps it away whoever lets go */
	{_CODE_INVALID,
	 STATE_BLOCKED,
	 {CODE_IN_USE, CODE_BOOT_DISK},
	 {E, E},
	 false,
	 STATE_WANTED,
	 CODE_IN_USE,
	 ""},
	{_CODE_INVALID, STATE_BLOCKED, {CODE_BOOT_DISK}, {E}, false, STATE_WANTED, CODE_IN_USE, ""},
	/* accepted, or not what blocks it */
	{_CODE_INVALID, STATE_ARMED, {CODE_IN_USE}, {W}, false, STATE_WANTED, CODE_IN_USE, ""},
	{_CODE_INVALID, STATE_BLOCKED, {CODE_IN_USE}, {W}, false, STATE_WANTED, CODE_IN_USE, ""},
	{_CODE_INVALID, STATE_BLOCKED, {0}, {0}, false, STATE_WANTED, CODE_IN_USE, ""},
	/* what is to go back */
	{_CODE_INVALID, STATE_ACTIVE, {0}, {0}, false, STATE_BLOCKED, CODE_IN_USE, "old"},
	{_CODE_INVALID,
	 STATE_BLOCKED,
	 {CODE_IN_USE},
	 {E},
	 false,
	 STATE_BLOCKED,
	 CODE_IN_USE,
	 "gpu, old"},
	{_CODE_INVALID, STATE_ACTIVE, {0}, {0}, false, STATE_BLOCKED, CODE_NO_BUILDER, ""},
	/* nothing would be changed anyhow */
	{_CODE_INVALID, STATE_BLOCKED, {CODE_IN_USE}, {E}, true, STATE_WANTED, CODE_IN_USE, ""},
};

static void fill(const struct held_row *row, struct plan *before, struct plan *after,
		 struct report *report)
{
	struct step *step = array_add(before->arena, &before->steps);
	struct report_step *done = array_add(report->arena, &report->steps);
	struct plan_device *device = array_add(after->arena, &after->devices);
	struct plan_item *item = array_add(after->arena, &after->items);

	assert_true(step && done && device && item);
	diags_add(&after->diags, SEVERITY_ERROR, row->waits, (struct place){0}, NULL, "open");
	*item = (struct plan_item){.reason = "open",
				   .id = "device:old",
				   .kind = ITEM_DEVICE,
				   .state = row->back,
				   .surplus = true};
	before->observe_only = row->observe_only;
	*step = (struct step){.kind = STEP_BIND, .target = "0000:02:00.0", .device = "disk"};
	*done = (struct report_step){.kind = STEP_BIND,
				     .result = row->step == _CODE_INVALID ? RESULT_DONE
									  : RESULT_FAILED,
				     .code = row->step};
	*device = (struct plan_device){.name = "gpu", .state = row->state};
	for (size_t i = 0; i < ARRAY_LEN(row->codes) && row->codes[i]; i++) {
		struct verdict *verdict = array_add(after->arena, &device->verdicts);

		assert_non_null(verdict);
		*verdict = (struct verdict){.code = row->codes[i], .severity = row->severity[i]};
	}
}

static void only_use_is_waited_for(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct pthru_plan before = {.plan = plan_new()}, after = {.plan = plan_new()};
		struct pthru_report r = {
			.before = &before, .after = &after, .report = report_new()};
		char *held = NULL;

		fill(&rows[i], before.plan, after.plan, r.report);
		assert_int_equal(pthru_report_held(&r, &held), 0);
		print_message("row %zu\n", i);
		assert_string_equal(held, rows[i].held);
		free(held);
		report_free(r.report);
		plan_free(before.plan);
		plan_free(after.plan);
	}
}

struct guest_row {
	enum code blocked, step; /* of the item; of a failed change; _CODE_INVALID: none */
	const char *held;
};

/* Locks end and quorum comes back; what is refused stays so until something changes. */
static const struct guest_row guest_rows[] = {
	{_CODE_INVALID, _CODE_INVALID, ""},	    {CODE_GUEST_LOCKED, _CODE_INVALID, "101/gpu"},
	{CODE_NO_QUORUM, _CODE_INVALID, "101/gpu"}, {CODE_GUEST_CONFLICT, _CODE_INVALID, ""},
	{CODE_NO_SUCH_GUEST, _CODE_INVALID, ""},    {_CODE_INVALID, CODE_GUEST_CHANGED, "101"},
	{_CODE_INVALID, CODE_GUEST_REFUSED, ""},
};

static void guests_that_only_wait_are_looked_at_again(void **state _unused_)
{
	for (size_t i = 0; i < ARRAY_LEN(guest_rows); i++) {
		const struct guest_row *row = &guest_rows[i];
		struct pthru_plan before = {.plan = plan_new()}, after = {.plan = plan_new()};
		struct pthru_report r = {
			.before = &before, .after = &after, .report = report_new()};
		struct plan_item item = {.id = "vm:101/gpu",
					 .kind = ITEM_VM,
					 .reason = "why",
					 .state = row->blocked == _CODE_INVALID ? STATE_CONFIGURED
										: STATE_BLOCKED};
		struct step step = {.kind = STEP_SET_GUEST, .target = "101"};
		struct report_step done = {.kind = STEP_SET_GUEST,
					   .target = "101",
					   .result = row->step == _CODE_INVALID ? RESULT_DONE
										: RESULT_FAILED,
					   .code = row->step};
		char *held = NULL;

		assert_int_equal(array_push(after.plan->arena, &after.plan->items, item), 0);
		assert_int_equal(array_push(before.plan->arena, &before.plan->steps, step), 0);
		assert_int_equal(array_push(r.report->arena, &r.report->steps, done), 0);
		diags_add(&after.plan->diags, SEVERITY_ERROR,
			  row->blocked == _CODE_INVALID ? CODE_SYNTAX : row->blocked,
			  (struct place){0}, NULL, "why");
		assert_int_equal(pthru_report_held(&r, &held), 0);
		print_message("row %zu\n", i);
		assert_string_equal(held, row->held);
		free(held);
		report_free(r.report);
		plan_free(before.plan);
		plan_free(after.plan);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_use_is_waited_for),
		cmocka_unit_test(guests_that_only_wait_are_looked_at_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
