/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PLAN to REPORT through the operations table; the journal and the ledger are kept as it goes. */
#pragma once

#include "ledger.h"
#include "ops.h"
#include "plan.h"
#include "report.h"

/*
 * Carries the plan out in order. Before each step its intent is journalled and synced, after it
 * the result. Files a failed builder or loader left ahead of the images are put back. The
 * ledger is saved before the first change and after each. Steps of class live are skipped below
 * a root (note 2). Returns 0 even when steps failed (the report says so); -ENOMEM, or the errno
 * of a ledger that could not be saved (nothing was changed then).
 */
int plan_apply(const struct plan *plan, const struct ledger *ledger, const struct ops *ops,
	       const struct progress *progress, struct report **ret);

/* Loads the ledger; an absent one is empty. A damaged one is empty with damaged set. */
int ledger_load(const struct ops *ops, struct ledger **ret);
int ledger_save(const struct ops *ops, const struct ledger *ledger);

/* Text form, for load, save and tests. Pure. */
int ledger_parse(const char *text, size_t size, struct ledger **ret);
int ledger_render(const struct ledger *ledger, struct strbuf *out);
