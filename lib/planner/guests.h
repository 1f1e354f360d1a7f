/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of planning for guests. Private to lib/planner. Each int is 0 or -ENOMEM. */
#pragma once

#include "planning.h"

/* guest-judge.c: blocks what a guest may not be given; names guests that start without theirs. */
int guests_judge(struct planning *p, const struct vm_wish *wish);
int guests_tell(struct planning *p);
/* That guest's entry is ours, and goes with this plan. */
bool guest_loses(const struct planning *p, const struct host_guest *guest, const char *key);

/* guest-match.c: leaves out the parts that are blocked. */
int guest_keep_possible(struct planning *p, struct vm_wish *wish);

/* Has the row answer, and takes its answers: items, advice, what is surplus. */
int guest_match(struct planning *p, struct vm_wish *wish);

/* Whether the guest is to have the device; whether a part is for it. */
bool guest_wishes(const struct spec_vm *vm, const char *device);
bool guest_has_part(const struct guest_task *task, const char *device);

/* Whether the ledger's entry is the guest's; is for nothing wished; is among the n of the list. */
bool guest_owns(const struct vm_wish *wish, const struct ledger_guest *entry);
bool guest_is_surplus(const struct vm_wish *wish, const struct ledger_guest *entry);
bool guest_holds(const struct ledger_guest *list, size_t n, const struct ledger_guest *entry);

/* guest-steps.c: ret_kept: nothing is done now, and what is ours there stays so. */
int guest_steps(struct planning *p, struct vm_wish *wish, bool *ret_kept);

/* Steps that a row has given. why NULL: out of memory. */
int guest_add_steps(struct planning *p, const struct guest_steps *steps, const char *why);

/* guest-diff.c: what of the guest's configuration changes by these steps, as text of the first. */
int guests_diff(struct planning *p, const struct vm_wish *wish, struct guest_steps *steps);
