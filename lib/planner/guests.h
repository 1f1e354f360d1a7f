/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of planning for guests. Private to lib/planner. Each returns 0 or -ENOMEM. */
#pragma once

#include "planning.h"

/* guest-judge.c: blocks what a guest may not be given; names guests that start without theirs. */
int guests_judge(struct planning *p, const struct vm_wish *wish);
int guests_tell(struct planning *p);
/* That guest's entry is ours, and goes with this plan. */
bool guest_loses(const struct planning *p, const struct host_guest *guest, const char *key);

/* guest-diff.c: what of the guest's configuration changes by these steps, as text of the first. */
int guests_diff(struct planning *p, const struct vm_wish *wish, struct guest_steps *steps);
