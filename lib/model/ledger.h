/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LEDGER: what we changed on this host and what was there before (design section 5). The executor
 * keeps it in /var/lib/passthroughd; the planner only reads it. Pure.
 */
#pragma once

#include "array.h"
#include "pci.h"
#include "spec.h"

struct ledger_file {
	const char *path;
	bool owned;	    /* a whole file of ours; otherwise shared, edited token by token */
	bool existed;	    /* before our first write */
	const char *before; /* its bytes then */
	size_t before_size;
	bool mixed;		 /* shared files: somebody else changed it between two writes of
				    ours, so that its bytes before us are not all that is theirs */
	unsigned mode, uid, gid; /* as it was; meaningless when it did not exist */
	const char *after;	 /* digest of what we wrote last, "" before the first write ended */
	const char *intent;	 /* digest of a write that was begun and maybe not ended, "" */
	struct words tokens;	 /* shared files: the tokens that are ours */
	struct words intended;	 /* and those that are once what was begun got through */
};

struct ledger_device {
	const char *name; /* spec's name */
	struct pci_addr addr;
	struct pci_id id;
	const char *serial;   /* "" when none */
	const char *path;     /* host_device_path() when it was chosen, "": not known */
	const char *wish;     /* the selectors that it was chosen by, as text; "": not known */
	const char *consent;  /* what was accepted then, as text */
	bool group_known;     /* group holds: */
	struct words group;   /* ids of all members of its group but bridges, itself too; sorted,
				 repeats kept */
	const char *driver;   /* target it was bound to by us */
	const char *previous; /* driver before, "" when none */
	bool bound;	      /* we bound it live; only then may we unbind it */
	bool builtin;	      /* previous is built into the kernel, and no module's */
	const char *host_drivers; /* the module of previous, which may have another name */
};

struct ledger_param { /* a running parameter that we changed */
	const char *module, *param, *before;
};

/* An entry of a guest's configuration, or its machine, or a mapping of the cluster's, by us. */
struct ledger_guest {
	enum hypervisor hypervisor;
	const char *guest;  /* "" of a mapping */
	const char *device; /* spec's name, "" of the machine */
	const char *key;    /* of guest_device; GUEST_KEY_MACHINE; a mapping's name */
	const char *text;   /* what we had written there, as its tool was given it */
	const char *before; /* what stood there before us, "" when nothing */
};

/* What an item was to be after a reboot, as nothing but that was left to do for it. */
struct ledger_promise {
	const char *item;    /* its id */
	const char *boot_id; /* of the boot in which it was made, "" when unknown */
	const char *basis;   /* digest of what the next boot was to be made of, and of the spec */
};

struct ledger {
	struct arena *arena;
	bool damaged;	     /* the file was there and unreadable: nothing is guessed */
	const char *boot_id; /* when changes that need a reboot were last applied */
	const char *spec_digest;
	ARRAY_OF(struct ledger_file) files;
	ARRAY_OF(struct ledger_device) devices;
	ARRAY_OF(struct ledger_param) params;
	ARRAY_OF(struct ledger_promise) promises;
	ARRAY_OF(struct ledger_guest) guests;
	/*
	 * Targets of build and refresh steps whose inputs were changed and which have not been
	 * carried out since: set before the first write of an apply, cleared one by one after each
	 * success. What a cut left here is done by the next plan even if all files look right.
	 */
	struct words unbuilt;
	/* Flags that we gave to the tool which makes deployments (2.26), or were about to. */
	struct words deployed;
	struct words folders; /* that we made for files of ours; go when they are empty again */
	/* In no file: targets of steps (paths, functions, parameters) that are left alone for now,
	 * as somebody else keeps changing them. */
	struct words contested;
	bool settled; /* it says more than its file: a begun write was seen to be done */
};

/* Whether digest is of bytes that we wrote there, or had begun to write when the power went. */
bool ledger_file_ours(const struct ledger_file *file, const char *digest);

/* What became of a write that was begun, told by the digest of what is there now. 0 or -ENOMEM. */
int ledger_file_settle(struct arena *a, struct ledger_file *file, const char *digest);

const struct ledger_file *ledger_file(const struct ledger *ledger, const char *path);
const struct ledger_promise *ledger_promise(const struct ledger *ledger, const char *item);
/* Whether both are of the same key of the same guest. */
bool ledger_guest_same(const struct ledger_guest *a, const struct ledger_guest *b);

/* guest "": a mapping. */
const struct ledger_guest *ledger_guest(const struct ledger *ledger, enum hypervisor hypervisor,
					const char *guest, const char *key);
const struct ledger_device *ledger_device(const struct ledger *ledger, struct pci_addr addr);

struct ledger *ledger_new(void);
struct ledger *ledger_free(struct ledger *ledger);
DEFINE_CLEANUP(struct ledger *, ledger_free);
#define _cleanup_ledger_ _cleanup_(ledger_freep)
