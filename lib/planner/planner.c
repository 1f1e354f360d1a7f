/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan_make: rules say what is wished and how far it is, gates block what cannot be done whole,
 * then steps follow in the order in which every prefix of them leaves a host that boots: files,
 * images, entries, the running kernel, the reboot's flag.
 */
#include "planner.h"

#include "planning.h"

/* Devices first: what they need decides on modules and images. */
static int (*const stages[])(struct planning *) = {
	planning_open,	  rule_devices, rule_modules,	   rule_options, rule_blacklist,
	rule_flags,	  rule_vms,	plan_owned_checks, plan_gate,	 collect_early,
	plan_owned_files, plan_lost,	plan_loaders,	   plan_images,	 plan_refresh,
	plan_live,	  plan_states,	plan_guests,	   plan_flag,	 plan_identify,
};

int plan_make(const struct spec *spec, const struct host *host, const struct ledger *ledger,
	      struct plan **ret)
{
	_cleanup_plan_ struct plan *plan = plan_new();
	struct planning p = {.spec = spec, .host = host, .ledger = ledger, .plan = plan};

	if (!plan)
		return -ENOMEM;
	p.a = plan->arena;
	plan->observe_only = spec->mode == MODE_OBSERVE;
	for (size_t i = 0; i < ARRAY_LEN(stages); i++) {
		int err = stages[i](&p);

		if (err < 0)
			return err;
	}
	if (plan->diags.lost)
		return -ENOMEM;
	*ret = TAKE(plan);
	return 0;
}
