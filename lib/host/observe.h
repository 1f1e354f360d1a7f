/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HOST from a tree: reads everything the planner judges by, changes nothing. */
#pragma once

#include "host.h"
#include "strbuf.h"
#include "tree.h"

struct observe_options {
	bool aliases; /* read modules.alias and builtin modinfo: needed when a device is wished */
	bool names;   /* look up pci.ids: for devices and explain */
	bool images;  /* open the initramfs images: not needed for devices */
	bool holders; /* look for processes that hold devices open (live root, capture of one) */
	bool takers;  /* look in the kernel's log for when drivers took their devices */
	bool flags;   /* look in the kernel's log for flags that it does not know */
	/* Functions that one of these may fit (selector_may_fit) get their PCIe serial numbers
	 * looked at, which wakes what sleeps; serials: all functions. */
	const struct selector *chosen;
	size_t chosen_n;
	bool serials;
	bool labels; /* the firmware's names of slots, for which firmware is run */
	/* Modules (underscores) whose running parameters are wanted beside those of the VFIO and
	 * KVM modules; all of a host's would take longer than everything else. NULL: none. */
	const struct words *modules;
};

/* Looks at the whole host. Missing parts are ordinary and stay empty. 0 or -ENOMEM, -EMFILE. */
int host_observe(struct tree *tree, const struct observe_options *options, struct host **ret);

/*
 * The places in which a change may alter what is observed, a line each: "spec DIR", "any DIR",
 * "file PATH"; they need not be there. host NULL: those of the spec alone. 0 or -ENOMEM. Pure.
 */
int host_watches(const struct host *host, struct strbuf *out);
