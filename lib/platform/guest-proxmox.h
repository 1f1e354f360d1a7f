/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of the row of Proxmox VE. Private to lib/platform. Pure. */
#pragma once

#include "hypervisor.h"
#include "qm-property.h"

struct proxmox {
	struct arena *a;
	struct guest_task *task;
	struct words keys; /* that parts have, in the order of the parts */
	bool lost;	   /* memory ran out: sticks, asked once at the end */
};

/* Remembers that memory ran out when ok is false; yields ok. */
bool proxmox_kept(struct proxmox *p, bool ok);

/* The part cannot be: why, NULL when memory ran out. */
void proxmox_refuse(struct proxmox *p, struct guest_part *part, enum code code, const char *why);

/* guest-proxmox-find.c. The entry of a part on its way to what it is to be. */
struct proxmox_entry {
	const struct guest_device *there; /* NULL: a new one */
	const char *key;
	const struct ledger_guest *known;
	struct qm_properties text;
	bool changed;
};
/* Fills there, key and known; false: the part is refused, or memory ran out. */
bool proxmox_find(struct proxmox *p, struct guest_part *part, struct proxmox_entry *entry);
/* The entry gives what the part asks for, and nothing that no part asks for. */
bool proxmox_serves(const struct proxmox *p, const struct guest_device *entry,
		    const struct guest_part *part);
/* Another part has it too. */
bool proxmox_is_shared(const struct proxmox *p, const struct guest_device *entry,
		       const struct guest_part *part);
/* Shows the line as it stands. */
void proxmox_refuse_entry(struct proxmox *p, struct guest_part *part,
			  const struct guest_device *there, const char *why);
/* The part's functions as Proxmox VE lists them; NULL: out of memory. */
const char *proxmox_functions(struct arena *a, const struct guest_part *part);

/* Both entries give the same, whatever their options; the values of their text. */
bool proxmox_same_device(const struct qm_properties *a, const struct qm_properties *b);

/* guest-proxmox-entry.c: finds or makes the entry that serves the part. */
void proxmox_match_part(struct proxmox *p, struct guest_part *part);

/* guest-proxmox-machine.c */
void proxmox_match_machine(struct proxmox *p);
/* Whether the guest has q35 once this is done. */
bool proxmox_has_q35(const struct guest_task *task);

/* guest-proxmox-advice.c: of a part whose entry will be text. */
void proxmox_advise(struct proxmox *p, struct guest_part *part, const struct qm_properties *text);

/* guest-proxmox-undo.c: what becomes of an entry that nobody wishes any more. */
enum undo {
	UNDO_NOTHING, /* it is not there */
	UNDO_DELETE,
	UNDO_SET,   /* text: what it becomes */
	UNDO_LEAVE, /* text: why */
};
struct undone {
	enum undo undo;
	const char *text;
};
/* 0 or -ENOMEM. */
int proxmox_undo(struct arena *a, const struct guest_task *task, const struct ledger_guest *entry,
		 struct undone *ret);

/* guest-proxmox-mapping.c: this node's line of the mapping that a part is to be given by. */
struct mapping_line {
	enum code code;			     /* it cannot be, and why says so */
	const char *why;		     /* what is not right yet; NULL: all is */
	const char *text;		     /* as it is to be */
	const struct guest_mapping *mapping; /* NULL: there is none of that name */
	const struct guest_map *map;	     /* this node's, NULL without */
	bool ours;
};
int proxmox_mapping(struct arena *a, const struct guest_task *task, const struct guest_part *part,
		    struct mapping_line *ret);
void proxmox_match_mapping(struct proxmox *p, struct guest_part *part);
int proxmox_mapping_steps(struct arena *a, const struct guest_task *task, struct guest_steps *ret);
int proxmox_drop(struct arena *a, const struct host *host, const struct ledger_guest *mapping,
		 struct guest_steps *ret);
