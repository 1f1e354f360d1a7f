/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hypervisors, a const table: how an entry of a guest's configuration serves a wish, what it is to
 * become, and the commands of the hypervisor's own tool that make it so (design section 9). Which
 * guest, whose device and whether it may be given away is the planner's to say. Pure.
 */
#pragma once

#include "host.h"
#include "ledger.h"
#include "plan.h"

struct guest_advice {
	enum severity severity;
	enum code code;
	const char *text;
};

/* One slot of the host's that a guest is to have: a device of several slots is several parts. */
struct guest_part {
	/* What is asked. */
	const struct spec_vm_device *wish;
	const char *device;		 /* its name */
	ARRAY_OF(struct pci_addr) addrs; /* functions of one slot that go along, in order */
	bool whole_slot;		 /* they are all that the slot has */
	/*
	 * What is answered by match(). code: it cannot be, and why says so and what to do; else why
	 * is what is not right yet, one phrase, NULL where all is right. live: whether the guest
	 * runs with it; LAYER_NONE where it does not run.
	 */
	enum code code;
	const char *why;
	enum layer_state live;
	/*
	 * What of the guest, and of the cluster, is ours once this part is right: each with the
	 * text that is to stand there and the one before us. What another hand made and what is
	 * right as it is, is none of it.
	 */
	ARRAY_OF(struct ledger_guest) ours;
	ARRAY_OF(struct guest_advice) advice; /* right or not: what the guide has to say */
};

struct guest_task {
	const struct host *host;
	const struct ledger *ledger;
	const struct host_guest *guest;
	const char *machine; /* wished; NULL: none */
	bool others_before;  /* steps of this plan that come before change more than guests */
	ARRAY_OF(struct guest_part) parts;
	/* Of the ledger, for this guest: what nobody wishes any more. */
	ARRAY_OF(struct ledger_guest) surplus;
	/* Answered by match(): the machine type, as a part; of surplus what stays, and why. */
	enum code machine_code;
	const char *machine_why;
	ARRAY_OF(struct ledger_guest) machine_ours;
	struct words left;
};

struct guest_steps {
	ARRAY_OF(struct step) list;
};

struct hypervisor_row {
	enum hypervisor hypervisor;
	const char *title; /* "Proxmox VE" */
	/* Answers the parts and the machine of a task. 0 or -ENOMEM. */
	int (*match)(struct arena *a, struct guest_task *task);
	/*
	 * Appends the steps that bring what match() found missing, and that take back what is
	 * surplus and still as it was written: target (the guest's name, or the mapping's), argv,
	 * input, guests of each; kind and why are the caller's. Parts that cannot be are left out
	 * already. 0 or -ENOMEM.
	 */
	int (*steps)(struct arena *a, const struct guest_task *task, struct guest_steps *ret);
	/*
	 * The same for a mapping of the cluster's that is ours and that no guest here is to have
	 * any more. NULL: there are none such.
	 */
	int (*drop)(struct arena *a, const struct host *host, const struct ledger_guest *mapping,
		    struct guest_steps *ret);
};

extern const struct hypervisor_row *const hypervisor_rows[];
extern const size_t hypervisor_rows_n;

/* The row, NULL for HYPERVISOR_PRESENT_ONE. */
const struct hypervisor_row *hypervisor_row(enum hypervisor hypervisor);
