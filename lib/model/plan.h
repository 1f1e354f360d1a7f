/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PLAN: what differs between SPEC and HOST, why, and the steps that mend it, in order. The
 * planner builds it; render prints it; the executor carries it out. Immutable. Pure.
 */
#pragma once

#include "array.h"
#include "code.h"
#include "diag.h"
#include "ledger.h"
#include "pci.h"
#include "spec.h"

enum item_kind {
	ITEM_KERNEL_FLAG,
	ITEM_MODULE,
	ITEM_MODULE_OPTION,
	ITEM_BLACKLIST,
	ITEM_DEVICE,
	ITEM_VM,
	_ITEM_KIND_MAX,
	_ITEM_KIND_INVALID = -EINVAL,
};
const char *item_kind_name(enum item_kind kind); /* "kernel-flag", ... */

enum layer_state {
	LAYER_NONE, /* the layer says nothing about such an item here */
	LAYER_RIGHT,
	LAYER_WRONG,
	LAYER_UNKNOWN,
	_LAYER_STATE_MAX,
	_LAYER_STATE_INVALID = -EINVAL,
};
const char *layer_state_name(enum layer_state state);

enum item_state {
	STATE_WANTED,
	STATE_CONFIGURED,
	STATE_ARMED,
	STATE_ACTIVE,
	STATE_BLOCKED,
	_ITEM_STATE_MAX,
	_ITEM_STATE_INVALID = -EINVAL,
};
const char *item_state_name(enum item_state state);

struct plan_item {
	const char *id; /* "kernel-flag:iommu=pt" */
	enum item_kind kind;
	enum item_state state;
	enum layer_state files, boot, live;
	const char *reason; /* why it is not active, or NULL */
	bool surplus;	    /* ours and no longer wished: to be taken back; not shown as an item */
};

struct verdict {
	enum code code;
	enum severity severity; /* ERROR blocks the device */
	const char *message;
	struct words evidence;
	bool accepted; /* consent was given: shown as a warning */
};

/* Whether a device is the one that was chosen, by the fingerprint in the ledger (7.19). */
enum identity {
	IDENTITY_NEW, /* nothing is remembered of it */
	IDENTITY_SAME,
	IDENTITY_MOVED,	   /* another address, and proven */
	IDENTITY_REPLACED, /* another device in its place */
	IDENTITY_TWIN,	   /* one of several equal ones, and nothing proves which */
	_IDENTITY_MAX,
	_IDENTITY_INVALID = -EINVAL,
};
const char *identity_name(enum identity identity); /* "same", "ambiguous-twin" */

struct plan_device {
	const char *name;
	ARRAY_OF(struct pci_addr) addrs; /* all functions that go along */
	enum bind_method method;	 /* _METHOD_INVALID while blocked: JSON null */
	const char *method_why;		 /* one phrase */
	enum item_state state;
	enum identity identity;
	const char *identity_why; /* by what: "by serial 52-54-..."; NULL: nothing to say */
	ARRAY_OF(struct verdict) verdicts;
};

enum step_kind {
	STEP_WRITE_FILE,      /* target path */
	STEP_REMOVE_FILE,     /* target path */
	STEP_BUILD_INITRAMFS, /* target kernel version */
	STEP_REFRESH_LOADER,  /* target tool */
	STEP_LOAD_MODULE,     /* target module */
	STEP_SET_PARAMETER,   /* target module.param */
	STEP_BIND,	      /* target address */
	STEP_RETURN,	      /* target address: back to its own driver */
	STEP_SET_GUEST,	      /* target guest, or a mapping of the cluster's */
	STEP_FLAG_REBOOT,     /* target /run/reboot-required */
	_STEP_KIND_MAX,
	_STEP_KIND_INVALID = -EINVAL,
};
const char *step_kind_name(enum step_kind kind); /* "write-file", ... */

enum step_class {
	CLASS_LIVE,
	CLASS_FILES,
	CLASS_INITRAMFS,
	CLASS_BOOT_LOADER,
	CLASS_REBOOT,
	_STEP_CLASS_MAX,
	_STEP_CLASS_INVALID = -EINVAL,
};
const char *step_class_name(enum step_class class);

/* The class of a kind; the table of design section 4. */
enum step_class step_kind_class(enum step_kind kind);

struct step_copy { /* a file that a command copies over another */
	const char *from, *to;
	bool grows; /* to is of another image than from will be: it may take more room */
	/* Where the file system of to is not mounted: its bytes, those free there, and a number
	 * that tells it from others. */
	bool measured;
	uint64_t size, free, fs;
};

struct step {
	enum step_kind kind;
	const char *target;
	const char *why; /* begins with an item id */
	/* write-file: new bytes and what the file is; before is its present text for the diff. */
	const char *content;
	size_t size;
	const char *before; /* NULL: does not exist */
	size_t before_size;
	unsigned mode;	     /* for a new file */
	bool owned;	     /* whole file ours; else shared */
	bool restore;	     /* take-back of a shared file: mode, owner, bytes from the ledger */
	struct words tokens; /* shared: tokens of ours after this write */
	/* build-initramfs, refresh-boot-loader: the command, run below the root. */
	struct words argv;
	struct words env;     /* "NAME=value" beside the scrubbed standard environment */
	const char *produces; /* file that must be new afterwards (facts chapter 12), NULL */
	struct words undo;    /* the command that takes it back; none: the same again does */
	bool deploys;	      /* tokens are flags of ours that the next deployment has after it */
	const char *keeps;    /* first word of a line that produces has to have still; NULL */
	struct words supersedes; /* files whose place it takes by another name: gone after it */
	bool beside; /* images: its command may run beside those of the next steps that say so */
	struct words check; /* exits with 0 when the files that the command reads are sound */
	ARRAY_OF(struct step_copy) copies; /* which a failed run may leave half done */
	const char *staged; /* where the builder writes what then takes its place in one rename;
			       NULL: it writes there itself */
	/* bind, return */
	struct pci_addr addr;
	struct pci_id id;   /* checked again before the first write */
	const char *device; /* spec's name */
	const char *driver; /* bind: target driver; return: driver to expect, "" any */
	/* set-parameter */
	const char *module, *param, *value, *value_before;
	/* set-guest: argv; what that reads from standard input, NULL: nothing; what of the guest is
	 * ours once it is through, noted before it is run. */
	const char *input;
	ARRAY_OF(struct ledger_guest) guests;
	/* flag-reboot: one reason a line */
	const char *reasons;
};

struct plan_adopt {
	const char *path;
	struct words tokens;
};

struct plan {
	struct arena *arena;
	const char *id; /* 64 hex digits */
	ARRAY_OF(struct plan_item) items;
	ARRAY_OF(struct plan_device) devices;
	ARRAY_OF(struct step) steps; /* in the order in which they are carried out */
	bool reboot_required;
	struct words reboot_why; /* each begins with an item id */
	struct diags diags;	 /* warnings and notes of planning */
	bool observe_only;	 /* mode: observe */
	/* Ledger bookkeeping that is no step (note 13): files that are right and ours, ... */
	struct words adopt;
	/* ... shared files that were made of ours by somebody else, with the tokens that are, ...
	 */
	ARRAY_OF(struct plan_adopt) inherited;
	/* ... and every function that is ours after this plan; the ledger forgets all others. */
	ARRAY_OF(struct ledger_device) claims;
	/* What of guests is ours after this plan; the ledger forgets all else. */
	ARRAY_OF(struct ledger_guest) guests;
	/* What the next reboot is to bring, and what one did not; the ledger forgets all others. */
	ARRAY_OF(struct ledger_promise) promises;
};

/* What the ledger will know of a function after this plan, NULL: nothing. */
const struct ledger_device *plan_claim(const struct plan *plan, struct pci_addr addr);

/* The device of that name in the spec, NULL without one. */
const struct plan_device *plan_device_named(const struct plan *plan, const char *name);

/* Something is wished; what is only to be taken back does not count. */
bool plan_wishes(const struct plan *plan);

/* Something is still to be written, built, refreshed, loaded or bound (note 2: not class reboot).
 */
bool plan_pending(const struct plan *plan);

/* An item or device is blocked. */
bool plan_blocked(const struct plan *plan);

/* Nothing pending, nothing blocked, no reboot outstanding. */
bool plan_converged(const struct plan *plan);

/*
 * Below a root nothing is done live: what is left of it is a reboot's work, and becomes reasons for
 * one. For a plan made after an apply there, before anybody has seen it. 0 or -ENOMEM.
 */
int plan_defer_live(struct plan *plan);

/* Exit code of design section 4 for a plan that is only shown: 0, 2, 4 or 3. */
int plan_exit_code(const struct plan *plan);

struct plan *plan_new(void);
struct plan *plan_free(struct plan *plan);
DEFINE_CLEANUP(struct plan *, plan_free);
#define _cleanup_plan_ _cleanup_(plan_freep)
