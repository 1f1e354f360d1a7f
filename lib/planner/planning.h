/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plan while it is being made: what the rules share. Private to lib/planner. A rule reads SPEC
 * and HOST, adds items and says what our files should hold; owned.c, artefact.c and rule-live.c
 * turn that into steps; state.c sums up. Pure.
 */
#pragma once

#include "chain.h"
#include "guard.h"
#include "host.h"
#include "hypervisor.h"
#include "initramfs.h"
#include "kcmdline.h"
#include "ledger.h"
#include "loader.h"
#include "modprobe.h"
#include "plan.h"
#include "spec.h"

/* A wished word: blacklist entry, module to load, kernel flag. */
struct word_wish {
	size_t item; /* index in plan->items: pointers move */
	const char *text;
	bool ours; /* no other hand has configured it: it belongs into our file */
};

struct option_wish {
	size_t item;
	const char *module, *param, *value;
	bool ours;
};

struct device_wish {
	size_t item, device; /* indexes in plan->items, plan->devices */
	const struct spec_device *spec;
	enum bind_method method;
	bool foreign;		 /* another hand's ids= serves it (note 14): nothing of ours */
	bool refused;		 /* a guard said no */
	struct early_wish early; /* its own part of planning.early */
	struct words drivers;	 /* host modules that would take it; by ids they come after ours */
	/* Of each of its functions in order: such a driver that an installed kernel has built in,
	 * NULL. */
	struct words builtin;
};

/* A guest that something is wished for, or whose entries are to be taken back. */
struct vm_wish {
	const struct spec_vm *spec; /* NULL: nothing is wished for it any more */
	const struct hypervisor_row *row;
	struct guest_task task;
	ARRAY_OF(size_t) items; /* of each part, its item */
};

/* An initramfs that an installed kernel boots with: its own, or a copy that an entry names. */
struct kernel_view {
	const struct host_kernel *kernel; /* of a copy: the kernel with the copy as its image */
	bool copy;
	struct modprobe modprobe; /* inside the image; empty unless IMAGE_READ */
	bool stale;		  /* to be rebuilt */
	const char *why;	  /* begins with an item id */
};

/* One image does not hold what one item needs. */
struct image_lack {
	size_t view, item;
};

struct planning {
	struct arena *a; /* the plan's */
	const struct spec *spec;
	const struct host *host;
	const struct ledger *ledger;
	struct plan *plan;

	struct guard guard;
	const struct initramfs_builder *builder; /* NULL: none below the root */
	ARRAY_OF(struct kernel_view) kernels;	 /* with an image, readable or not; copies behind */
	struct modprobe foreign;		 /* modprobe.d without our file */
	struct modprobe own;			 /* our file as it is on disk */
	struct kcmdline running;		 /* /proc/cmdline */
	struct boot_chain chain;		 /* what started it */
	/* Left over: another started this host, and nothing is there that could rewrite its
	 * entries. They do not count. */
	bool left[_LOADER_MAX];
	/* Why the unified images that boot this host cannot be made anew; NULL: they can, or none
	 * boot it. */
	const char *sealed;

	ARRAY_OF(struct device_wish) devices;
	ARRAY_OF(struct word_wish) modules, blacklist, flags;
	ARRAY_OF(struct option_wish) options;
	ARRAY_OF(struct vm_wish) vms;
	struct words flags_ours; /* tokens of kernel lines that we put there */
	struct early_wish early; /* of all devices that are not refused */
	ARRAY_OF(struct image_lack) lacks;

	enum code gate;		   /* why no image can be built, or _CODE_INVALID */
	const char *gate_why;	   /* for people */
	bool refresh[_LOADER_MAX]; /* that loader's entries are all to be written anew */
	const char *refresh_why;   /* where no flag asks for it */
	const char *basis;	   /* of promises, once one is looked at */
};

/* Items that an initramfs has a part in. */
#define IMAGE_KINDS                                                                                \
	(KIND(ITEM_MODULE) | KIND(ITEM_MODULE_OPTION) | KIND(ITEM_BLACKLIST) | KIND(ITEM_DEVICE))

/* The file at path is to become text ("": is to go); nothing is done where it is right already. */
struct file_wish {
	const char *path, *text, *why;
	unsigned mode;
	bool owned;
	bool restore; /* shared: text is what was there before us, and is written even when empty */
	const struct words *tokens; /* NULL: none */
};
int plan_file(struct planning *p, const struct file_wish *wish); /* owned.c */

/* owned.c: blocks the kinds of item where somebody else keeps changing the shared file at path. */
int plan_shared_check(struct planning *p, const char *path, unsigned kinds);

/* owned.c: whether that is so of a file of ours that images are built from. */
bool plan_images_contested(const struct planning *p);

/* Blocks every item of these kinds that is not armed. 0 or -ENOMEM. */
int block_kinds(struct planning *p, unsigned kinds, enum code code, const char *why);

#define ITEM(p, i) (&(p)->plan->items.at[i])

/* --- items.c ---------------------------------------------------------------------------------- */

/* Adds an item "KIND:NAME"; its index, or -ENOMEM. */
ssize_t item_add(struct planning *p, enum item_kind kind, const char *fmt, ...) _printf_(3, 4);

/* Blocks an item: state, reason, and a diagnostic of that code (once per message). 0, -ENOMEM. */
int item_block(struct planning *p, size_t item, enum code code, const char *fmt, ...)
	_printf_(4, 5);

/* Why an item is not further along; the first reason given stays. 0 or -ENOMEM. */
int item_reason(struct planning *p, size_t item, const char *fmt, ...) _printf_(3, 4);

/* A warning or note of planning, once per message. 0 or -ENOMEM. */
int plan_note(struct planning *p, enum severity severity, enum code code, const char *fmt, ...)
	_printf_(4, 5);

bool item_blocked(const struct planning *p, size_t item);

/* Files and boot both right, or silent: nothing is to be built for it. */
bool item_armed(const struct plan_item *item);

/* One more place was looked at: the worst answer of all stays. */
void layer_add(enum layer_state *layer, enum layer_state seen);

/*
 * The first ESP of proxmox-boot-tool that was looked at and has no entry of the newest kernel,
 * which that tool never leaves out (4.13); NULL: none.
 */
const struct host_esp *esp_without(const struct planning *p, const char **ret_version);

/* Where there is such an ESP the item is not right in what boots, and a refresh is due. */
int esps_say(struct planning *p, size_t item);

/*
 * What the image of p->kernels.at[view] says of an item: right or not, when it could be read. why
 * (NULL: that it is not there) is the reason given where it is wrong. 0 or -ENOMEM.
 */
int image_says(struct planning *p, size_t view, size_t item, bool right, const char *why);

/* Whether the image holds nothing of ours by nature, and lacks the module: the real root's files
 * are all that counts for it. */
bool image_leaves(const struct planning *p, size_t view, const char *module);

/* "KIND:NAME: TEXT", for a step's why. NULL: out of memory. */
const char *item_why(struct planning *p, size_t item, const char *text);

/* Something of ours that nobody wishes any more; shown in steps only. 0 or -ENOMEM. */
int surplus_add(struct planning *p, enum item_kind kind, const char *name);

/* Why a file or artefact that serves these kinds of items is touched: the first item among them
 * that is not armed, else the first surplus one, else the first; NULL when there is none. */
const char *why_of_kinds(struct planning *p, unsigned kinds);
#define KIND(kind) (1u << (kind))

/* Appends a step; NULL: out of memory. */
struct step *step_add(struct planning *p, enum step_kind kind, const char *target, const char *why);

/* --- view.c ----------------------------------------------------------------------------------- */

/* Parses what all rules look at. 0 or -ENOMEM. */
/* loaders.c: finds the loaders that are left over. 0 or -ENOMEM. */
int loaders_open(struct planning *p);

/* loaders.c: whether the loader is on this host and is kept right. */
bool loader_kept(const struct planning *p, const struct boot_loader *loader);

int planning_open(struct planning *p);

/* Whether every (any) installed kernel has the module in that form. */
bool kernels_all_have(const struct planning *p, const char *module, enum module_presence form);
bool kernels_any_have(const struct planning *p, const char *module, enum module_presence form);

/* Presence in the running kernel; ABSENT when that kernel is not known. */
enum module_presence running_kernel_has(const struct planning *p, const char *module);

/* Whether this boot was started with the word that switches all binding off. */
bool switched_off(const struct planning *p);

/* Equal values of a module parameter: Y, y, 1 and N, n, 0 alike, numbers by value. */
bool param_value_equal(const char *a, const char *b);

/* --- one rule a file; each returns 0 or -ENOMEM --------------------------------------------- */
int rule_devices(struct planning *p);
int rule_modules(struct planning *p);
int rule_options(struct planning *p);
int rule_blacklist(struct planning *p);
int rule_flags(struct planning *p);

/*
 * rule-flag.c: whether an entry of an installed kernel that the loader made lacks the flag, of that
 * version alone (NULL: of any; without any entry all is lacking). 1, 0, -ENOMEM.
 */
int entries_lack(struct planning *p, const char *flag, enum loader loader, const char *version);

/*
 * rule-unified.c: blocks the flag where what another hand adds to the line of unified images, or
 * puts in its place, says otherwise (3.16). 0 or -ENOMEM.
 */
int judge_unified(struct planning *p, size_t item, const char *flag);

/* rule-flag.c: whether the entry boots an installed kernel and is kept right. */
bool entry_counts(const struct planning *p, const struct host_entry *entry);

/* rule-vm.c: items of guests' devices, as far as they are without a look at the guests. */
int rule_vms(struct planning *p);

/* rule-vm.c: blocks all items of the guest; why NULL: out of memory. 0 or -ENOMEM. */
int block_guest(struct planning *p, const struct spec_vm *vm, enum code code, const char *why);

/* Whether the item is one of the guest's. */
bool item_of_guest(const struct plan_item *item, const char *guest);

/*
 * rule-module.c: blocks a device that is bound at the real root alone while somebody's list has a
 * driver of its own loaded. 0 or -ENOMEM.
 */
int judge_loaded_beside(struct planning *p, const struct device_wish *wish);

/* Whether an item stands for that option. */
bool option_wished(const struct planning *p, const char *module, const char *param);

/* Whether an ids= list names the function's model (fact 7.3). */
bool ids_list_has(const char *list, const struct pci_id *id);

/* rule-method.c: one more verdict that refuses; the host's own modules for it; its method. */
int device_refuse(struct planning *p, struct device_wish *wish, enum code code,
		  const char *message);
int device_drivers(struct planning *p, struct device_wish *wish);
int device_method(struct planning *p, struct device_wish *wish);

/* What early binding needs, of the devices that are still to be bound. 0 or -ENOMEM. */
int collect_early(struct planning *p);

/* --- steps ------------------------------------------------------------------------------------ */
int plan_gate(struct planning *p);	   /* images.c: what needs an image and cannot get one */
int plan_owned_checks(struct planning *p); /* owned.c: files in our places that are not ours */
int plan_owned_files(struct planning *p);  /* owned.c */
int plan_lost(struct planning *p);	   /* lost.c: a ledger that is gone */
int plan_loaders(struct planning *p);	   /* loaders.c: edits */

int plan_images(struct planning *p);   /* images.c */
int plan_refresh(struct planning *p);  /* loaders.c */
int plan_live(struct planning *p);     /* rule-live.c */
int plan_states(struct planning *p);   /* state.c: states, reboot, claims */
int plan_guests(struct planning *p);   /* guests.c: once it is known which devices are blocked */
int plan_flag(struct planning *p);     /* state.c: the reboot's flag, last */
int plan_identify(struct planning *p); /* identity.c: plan->id */

/* promise.c: an armed item that only a reboot is left for is promised, or blocked when a reboot did
 * not bring it although nothing has changed since. 0 or -ENOMEM. */
int plan_promise(struct planning *p, struct plan_item *item);

/* promise-seen.c: why a boot did not bring the item, one phrase; NULL: out of memory. */
const char *promise_seen(struct planning *p, const struct plan_item *item);

/* A flag of ours that came up and that the kernel does not know (1.10) is blocked; it stays on the
 * line, so that this is seen at the next boot too. 0 or -ENOMEM. */
int plan_known_flag(struct planning *p, struct plan_item *item);

/* What a digest of an image is made of. */
void identify_image(const struct host_image *image, struct strbuf *out);

/* Whether it is to go back to the host, and waits for who has it open. */
bool device_held(const struct planning *p, const struct ledger_device *known);

/* Text of our modprobe.d and modules-load.d files; "" when nothing belongs there. */
int modprobe_text(struct planning *p, const char **ret);
int modules_load_text(struct planning *p, const char **ret);
