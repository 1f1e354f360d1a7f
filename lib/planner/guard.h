/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guards: may this device leave the host? Everything is judged before anything is written
 * (design section 7). Pure.
 */
#pragma once

#include "host.h"
#include "kcmdline.h"
#include "ledger.h"
#include "plan.h"
#include "spec.h"

struct guard_group; /* private: the host's devices by IOMMU group */

/* What is judged by. All pointers are borrowed; results live in arena. */
struct guard {
	struct arena *arena;
	const struct spec *spec; /* NULL: nothing is wished, as for `devices` */
	const struct host *host;
	const struct ledger *ledger; /* NULL: nothing is remembered */
	const struct guard_group *groups;
	struct plan_device support; /* verdicts of guard_support(), kept */
	bool resets_known;	    /* this host shows reset methods at all */
	struct kcmdline running;    /* the running kernel's line */
};

/* Prepares a guard; spec and ledger may be NULL. Nothing to free. Returns 0 or -ENOMEM. */
int guard_init(struct guard *ret, struct arena *a, const struct spec *spec, const struct host *host,
	       const struct ledger *ledger);

/*
 * All of it: appends a plan device for each one of the spec, in its order, selected and judged.
 * Also what only shows when all are seen together: two names for one function (ambiguous-device
 * for both, note 11), and a group whose other member was to go along but is refused itself.
 * Every device gets its name, addrs, verdicts and method _METHOD_INVALID; state is left to the
 * planner, STATE_BLOCKED where refused. Returns 0 or -ENOMEM.
 */
int guard_devices(const struct guard *g, struct plan *plan);

/*
 * Finds the functions a wish selects: those that all given selectors fit, and with them the
 * other functions of their slots that `functions` names. Bridges never go along; one asked for
 * directly is bridge-device. Virtual functions stand alone: none goes along, and none brings
 * others.
 *
 * `count` is how many must fit: with `functions: all` a card, however many of its functions fit,
 * is one; otherwise each fitting function is.
 *
 * MAC address, disk serial and `bound-to` cannot be seen any more once vfio-pci has the device;
 * then what the ledger remembers of it counts (guard_known). What was chosen by the same wish
 * before is compared with what fits now, and only the same device is taken (fact 7.19).
 *
 * On error addrs stays empty and one verdict says why, with candidates or near misses as evidence.
 * Malformed or empty selectors select nothing. Returns 0 or -ENOMEM.
 */
int guard_select(const struct guard *g, const struct spec_device *wish, struct plan_device *device);

/* All selectors of a wish and its count as one text, equal for equal choices: "id 10de:1b81,
 * address 0000:01:00.0". NULL: out of memory. */
const char *guard_wish_text(struct arena *a, const struct spec_device *wish);

/* What is accepted, as one text: "in-use, shared-group". NULL: out of memory. */
const char *guard_consent_text(struct arena *a, const struct spec_device *wish);

/* The ids of all members of its group but bridges, sorted, repeats kept. 0 or -ENOMEM. */
int guard_group_ids(const struct guard *g, const struct host_device *own, struct words *ret);

/* What of one such list the other does not have. ret may be one of them. 0 or -ENOMEM. */
int guard_ids_less(struct arena *a, const struct words *from, const struct words *less,
		   struct words *ret);

/*
 * What the ledger knows under that name of this very function: what it has at its address, or what
 * had the function's own serial number at another; NULL when there is nothing.
 */
const struct ledger_device *guard_known(const struct guard *g, const char *name,
					const struct host_device *now);

/*
 * The function's own serial number, also while it cannot be looked at: as the ledger knows it. NULL
 * in *ret without one. 0 or -ENOMEM.
 */
int guard_own_serial(const struct guard *g, const char *name, const struct host_device *now,
		     const char **ret);

/* Whether they are known to be two: by ids, or by a serial number that both show. */
bool guard_differs(const struct ledger_device *was, const struct host_device *now);

/*
 * What identifies this very function later: its serials and MAC addresses, a line each, and what
 * the ledger remembers of them under that name while they cannot be seen; "" without any. For the
 * serial of struct step and of struct ledger_device. Returns 0 or -ENOMEM.
 */
int guard_fingerprint(const struct guard *g, const char *name, const struct host_device *device,
		      const char **ret);

/*
 * Judges the selected functions' whole blast radius and adds one verdict a code, each finding a
 * line of evidence: bridge-device, boot-disk, management-nic, boot-display, in-use, shared-group
 * (members of the group that no device of this plan selects; bridges do not count, 7.16),
 * group-grew (members that were not there when the wish was first carried out), no-acs (a warning:
 * why the group is that large, or that it is split by force),
 * last-keyboard (a warning), no-reset, reserved-region, virtual-functions-active, and the host's
 * lack of support. wish->accept turns acceptable codes into warnings (accepted = true). plan: whose
 * devices' addrs count as selected. Returns 0 or -ENOMEM.
 *
 * A bound host driver is no use; a device on its target driver is not in use by whoever has it
 * open there, and its console is gone already. A function without a reset of its own passes where a
 * reset of its bus reaches only functions that go with it: vfio-pci's hot reset.
 */
int guard_judge(const struct guard *g, const struct spec_device *wish, const struct plan *plan,
		struct plan_device *device);

/*
 * Verdicts about any host device for `devices` and `explain`: what would be said of a wish for just
 * its address, with those other functions of its card that share its group.
 */
int guard_survey(const struct guard *g, const struct host_device *device, struct plan_device *ret);

/*
 * The host's support for passthrough as verdicts (the guide's first rows; facts 7.22 to 7.32):
 * virtualization-off, iommu-absent, iommu-off, no-interrupt-remapping, and the warning
 * not-needed (note 9), which guard_judge leaves out. An IOMMU that the next boot will turn on
 * is a note.
 */
int guard_support(const struct guard *g, struct plan_device *ret);

/* Whether the device takes the function along; its addrs are in order. */
bool guard_takes(const struct plan_device *device, struct pci_addr addr);

/* The device of the plan that takes it along, NULL without. */
const struct plan_device *guard_taker(const struct plan *plan, struct pci_addr addr);

/* What stands between a device and a use: "holds" nvme0n1p3, mounted on /. */
const char *guard_use_verb(enum use_kind kind);

/* Whether an error verdict stands: the device is blocked. */
bool plan_device_refused(const struct plan_device *device);
