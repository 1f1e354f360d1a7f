/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PLAN to REPORT through the operations table; the journal and the ledger are kept as it goes. */
#pragma once

#include "ledger.h"
#include "ops.h"
#include "plan.h"
#include "report.h"

/*
 * Carries the plan out in order. Everything is looked at first: a file that is not as the plan saw
 * it, a full or read-only file system refuse the whole apply (report->refused) before a byte is
 * written; so does a damaged ledger, unless nothing is wished: it is then set aside. Then the
 * ledger is saved, and again after each change; before each step its intent is journalled and
 * synced. Files that a failed builder left ahead of the images are put back (report->rolled_back).
 * Steps of class live are skipped below a root (note 2). A plan with nothing to do writes nothing.
 *
 * Returns 0 also when steps failed or all was refused: the report says so. -ENOMEM, or the errno
 * with which the first save of ledger or journal failed; nothing else was changed then.
 */
int plan_apply(const struct plan *plan, const struct ledger *ledger, const struct ops *ops,
	       const struct progress *progress, struct report **ret);

/*
 * Keeps in the ledger what plan, made after an apply, promises of the next boot; writes only what
 * is new. 0 or negative errno.
 */
int keep_promises(const struct ops *ops, const struct plan *plan);

/*
 * Whether the last apply was cut before its end: 1 with the journal's last line, 0, or negative
 * errno. Nothing need be done about it but to plan and apply again.
 */
int apply_unfinished(const struct ops *ops, struct arena *a, const char **ret);

/* Loads the ledger; an absent one is empty. A damaged one is empty with damaged set. */
int ledger_load(const struct ops *ops, struct ledger **ret);
int ledger_save(const struct ops *ops, const struct ledger *ledger);

/*
 * The ledger's text form. Bytes of former files survive exactly. Reading is strict: -EBADMSG for
 * whatever is not the whole of a ledger. 0 or -ENOMEM. Pure.
 */
int ledger_parse(const char *text, size_t size, struct ledger **ret);
int ledger_render(const struct ledger *ledger, struct strbuf *out);
