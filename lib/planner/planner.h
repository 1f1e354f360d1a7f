/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPEC, HOST, LEDGER to PLAN: the heart. Pure; one rule a file, guards, order. */
#pragma once

#include "host.h"
#include "ledger.h"
#include "plan.h"
#include "spec.h"

/*
 * Makes the plan. ledger may be an empty one, never NULL. Always yields a plan unless memory ran
 * out: what cannot be done is a blocked item with its reason. Returns 0 or -ENOMEM.
 */
int plan_make(const struct spec *spec, const struct host *host, const struct ledger *ledger,
	      struct plan **ret);
