/* SPDX-License-Identifier: GPL-2.0-or-later */
/* REPORT: what apply did, step by step. Built by the executor. Pure. */
#pragma once

#include "plan.h"

enum step_result {
	RESULT_DONE,
	RESULT_SKIPPED, /* live work below a root (note 2), or after a failure it depended on */
	RESULT_FAILED,
	_STEP_RESULT_MAX,
	_STEP_RESULT_INVALID = -EINVAL,
};
const char *step_result_name(enum step_result result);

struct report_step {
	enum step_kind kind;
	const char *target;
	enum step_result result;
	int error;	     /* negative errno of a failure, 0 */
	enum code code;	     /* of a failure, _CODE_INVALID otherwise */
	const char *message; /* what happened and the remedy; NULL when done */
	const char *output;  /* last lines of a builder, NULL */
	uint64_t usec;
};

struct report {
	struct arena *arena;
	ARRAY_OF(struct report_step) steps;
	bool refused;	  /* nothing was written at all, diags say why: exit code 4, not 1 */
	bool failed;	  /* some step failed */
	bool rolled_back; /* files written before the failure were put back */
	struct diags diags;
};

struct report *report_new(void);
struct report *report_free(struct report *report);
DEFINE_CLEANUP(struct report *, report_free);
#define _cleanup_report_ _cleanup_(report_freep)
