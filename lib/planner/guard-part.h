/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the guard*.c files share and nobody else sees. Pure. */
#pragma once

#include "guard.h"

#define GUARD_EVIDENCE_MAX 8 /* lines of one verdict; "and others" stands for the rest */

/* Devices that are in a group, sorted by group, then address. */
struct guard_group {
	const struct host_device **at;
	size_t n;
};

/* The members of a group; n is 0 when there are none. */
struct guard_group guard_group_of(const struct guard *g, int group);

/*
 * Adds one finding: a new verdict, or a further line of evidence to the one with its code. The more
 * severe severity stays. evidence may be NULL. Returns 0 or -ENOMEM.
 */
int guard_finding(struct arena *a, struct plan_device *device, const struct verdict *finding,
		  const char *evidence);

/* The same with a formatted message and no evidence. */
int guard_refuse(struct arena *a, struct plan_device *device, enum code code, const char *fmt, ...)
	_printf_(4, 5);

/* The verdict with that code, NULL when there is none. */
struct verdict *guard_verdict(struct plan_device *device, enum code code);

/* Adds a formatted line of evidence to the verdict with that code. Returns 0 or -ENOMEM. */
int guard_evidence(struct arena *a, struct plan_device *device, enum code code, const char *fmt,
		   ...) _printf_(4, 5);

/* Whether own is the first of the device's functions in the group, which speaks for all of them. */
bool guard_speaks(const struct plan_device *device, struct guard_group group,
		  const struct host_device *own);

/* One line about a function: "0000:01:00.0 10de:1b81 (VGA, driver nouveau)". NULL: no memory. */
const char *guard_describe(struct arena *a, const struct host_device *device);

/* --- selectors ------------------------------------------------------------------------------ */

enum selector_bit {
	SELECT_ID = 1 << 0,
	SELECT_ADDRESS = 1 << 1,
	SELECT_CLASS = 1 << 2,
	SELECT_SLOT = 1 << 3,
	SELECT_SERIAL = 1 << 4,
	SELECT_MAC = 1 << 5,
	SELECT_BOUND_TO = 1 << 6,
	SELECT_LABEL = 1 << 7,
};

/* Bits of the selectors that are given. */
unsigned guard_given(const struct selector *selector);

/* Bits of the given selectors that the function does not fit. */
unsigned guard_missed(const struct guard *g, const struct spec_device *wish,
		      const struct host_device *device);

/* Their names, "id, mac". NULL: out of memory. */
const char *guard_selector_names(struct arena *a, unsigned bits);

/* What the ledger knows of that name at that address, NULL without. */
const struct ledger_device *guard_remembered(const struct guard *g, const char *name,
					     struct pci_addr addr);

/* A fingerprint is lines of a kind and a text: "mac 52:54:00:00:00:01". */
#define GUARD_SERIAL "serial "
#define GUARD_MAC    "mac "

/* Whether a fingerprint has that line; NULL has none. */
bool guard_fingerprint_has(const char *lines, const char *kind, const char *text);

/*
 * Whether a remembered function and this one share a number that no other of its ids shows: its own
 * serial number, its disk's, a MAC address. Returns 1 with that in words, 0, or -ENOMEM.
 */
int guard_proof(const struct guard *g, const struct spec_device *wish,
		const struct ledger_device *was, const struct host_device *now, const char **ret);

/* Fingerprints for people: "10de:1b81 at 0000:01:00.0 (path ..., serial ...)". NULL: no memory. */
const char *guard_then(struct arena *a, const struct ledger_device *was);
const char *guard_now(const struct guard *g, const struct host_device *now);

/*
 * Judges the functions that a wish fits by what was chosen under it: device's identity, and
 * device-moved, identity-mismatch or ambiguous-device with both fingerprints. 0 or -ENOMEM.
 */
int guard_identity(const struct guard *g, const struct spec_device *wish,
		   const struct host_device *const *at, size_t n, struct plan_device *device);

/* Explains a wish that nothing fits by what comes near. Returns 0 or -ENOMEM. */
int guard_near(const struct guard *g, const struct spec_device *wish, struct plan_device *device);

/* --- the blast radius ----------------------------------------------------------------------- */

/* A finding against wish about a function of device itself, or about one that stays behind. */
struct guard_case {
	const struct guard *g;
	const struct spec_device *wish;
	struct plan_device *device;
	int error; /* sticks */
};

/* The code of a use of the device: a link that is up on the way out is part of that way. */
enum code guard_use_code(const struct host_device *device, enum use_kind kind);

/* Judges the group of own, for the first of the device's functions in it. */
void guard_case_group(struct guard_case *c, const struct plan *plan, const struct host_device *own);

/* Adds a warning with a formatted line of evidence. */
void guard_case_warn(struct guard_case *c, enum code code, const char *message, const char *fmt,
		     ...) _printf_(4, 5);

/* Warns where the function has the only keyboard that would be left to the host. */
void guard_case_keyboard(struct guard_case *c, const struct plan *plan,
			 const struct host_device *device, const char *what);

/* Adds a finding of that code, accepted where the wish consents. through: not on the function
 * itself but on a member of its group. */
void guard_case_add(struct guard_case *c, enum code code, bool through, const char *fmt, ...)
	_printf_(4, 5);
