/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guards: may this device leave the host? Everything is judged before anything is written
 * (design section 7). Pure.
 */
#pragma once

#include "host.h"
#include "plan.h"
#include "spec.h"

/*
 * Finds the functions a wish selects: matches, count, the slot's other functions. On error
 * (none, too many) addrs stays empty and one verdict says why, with the candidates as evidence.
 * Malformed or empty selectors select nothing. Returns 0 or -ENOMEM.
 */
int guard_select(struct arena *a, const struct spec_device *wish, const struct host *host,
		 struct plan_device *device);

/*
 * Two names for one function: ambiguous-device for both (note 11). devices is the whole plan's.
 */
int guard_overlap(struct arena *a, struct plan *plan);

/*
 * Judges the selected functions' whole blast radius and adds a verdict per finding: bridge-device,
 * boot-disk, management-nic, boot-display, in-use, shared-group (members of the group that are
 * not themselves selected by some device of this plan; bridges of class 06 in the group do not
 * count, 7.16), no-reset, reserved-region, virtual-functions-active, iommu-absent, iommu-off,
 * virtualization-off, no-interrupt-remapping. accept: turns acceptable codes into warnings
 * (accepted = true). A device already on its target driver is not "in use" by that.
 */
int guard_judge(struct arena *a, const struct spec *spec, const struct spec_device *wish,
		const struct host *host, const struct plan *plan, struct plan_device *device);

/*
 * Verdicts about any host device for `devices` and `explain`, wished or not: what would be said if
 * it were taken alone.
 */
int guard_survey(struct arena *a, const struct host *host, const struct host_device *device,
		 struct plan_device *ret);

/* The host's support for passthrough as verdicts (guide's first rows; facts 7.22 to 7.32). */
int guard_support(struct arena *a, const struct spec *spec, const struct host *host,
		  struct plan_device *ret_verdicts);

/* Whether an error verdict stands: the device is blocked. */
bool plan_device_refused(const struct plan_device *device);
