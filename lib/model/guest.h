/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guests: virtual machines as their hypervisor keeps them, read from its files and never written
 * there (facts chapter 9). Part of HOST. Pure.
 */
#pragma once

#include "array.h"
#include "pci.h"
#include "spec.h"
#include "tristate.h"

/* The key of a guest's machine type among what the ledger knows. */
#define GUEST_KEY_MACHINE "machine"

/* A function of the host's that a guest is given, or all functions of a slot (9.2). */
struct guest_function {
	struct pci_addr addr; /* of a slot: function 0 */
	bool whole_slot;
};

/* An entry of a guest's configuration that gives it functions of the host. */
struct guest_device {
	const char *key;  /* Proxmox VE: "hostpci0"; libvirt: the function's address */
	const char *text; /* Proxmox VE: the value as it stands; libvirt: see domain-xml.h */
	/* What it means on this host: of a mapping what the cluster has for this node, empty when
	 * it has nothing; of alternatives (newer mappings) all. */
	ARRAY_OF(struct guest_function) functions;
	const char *mapping; /* NULL: addresses stand in the entry itself */
	bool mediated;	     /* a share of the device (mdev), none of ours */
};

/* What a guest has at one time. */
struct guest_config {
	const char *machine; /* as it stands; NULL: the hypervisor's default */
	bool q35, uefi;
	const char *display; /* Proxmox VE: vga; NULL: the default */
	const char *cpu;     /* Proxmox VE: as it stands; NULL: the default */
	ARRAY_OF(struct guest_device) devices;
};

struct host_guest {
	enum hypervisor hypervisor;
	const char *name;   /* "101"; libvirt: the domain's name */
	const char *title;  /* what people call it; NULL */
	const char *node;   /* of a cluster, that has it; NULL: this one */
	const char *source; /* the file that it was read from */
	const char *bad;    /* why that could not be read, one phrase; NULL: it could */
	const char *digest; /* of the configuration, as its tool compares it (9.9); NULL: none */
	const char *lock;   /* what is going on with it: "backup" (9.9); NULL: nothing */
	bool template_;	    /* never started */
	bool autostart;	    /* with the host */
	enum tristate running;
	struct guest_config next; /* what the next start gives it: what is pending counts */
	struct guest_config now;  /* what it runs with; only where it runs */
	/* Proxmox VE: keys that are changed at the next start (9.8), those that go included. */
	struct words pending;
	struct words snapshots; /* names of those that a rollback to would bring other devices */
};

/* One node's part of a mapping of the cluster's (9.11). */
struct guest_map {
	const char *node, *text; /* text: all of the map line */
	ARRAY_OF(struct guest_function) functions;
	bool has_id;
	struct pci_id id; /* subsystem included where the line has it */
	int group;	  /* -1: not given */
};

struct guest_mapping {
	const char *name;
	ARRAY_OF(struct guest_map) maps; /* as they stand */
};

/* What of virtual machines is on a host. */
struct host_guests {
	bool present[_HYPERVISOR_MAX];	     /* that hypervisor is installed */
	const char *tool[_HYPERVISOR_MAX];   /* its command, NULL: not there */
	const char *unseen[_HYPERVISOR_MAX]; /* why its guests cannot be seen now; NULL: they can */
	const char *node;		     /* Proxmox VE: this node's name; NULL */
	enum tristate quorate;		     /* Proxmox VE: changes can be written (9.9) */
	ARRAY_OF(struct host_guest) list;    /* by hypervisor and name */
	ARRAY_OF(struct guest_mapping) mappings;
	const char *mappings_digest; /* as pvesh compares it; NULL */
};

/* The guest of that name, on this node if it is there; NULL without. */
const struct host_guest *guest_named(const struct host_guests *guests, enum hypervisor hypervisor,
				     const char *name);

/* Whether the entry gives the function away. */
bool guest_device_has(const struct guest_device *device, struct pci_addr addr);

/* The entry that gives the guest the function at its next start; shares do not. NULL: none. */
const struct guest_device *guest_gives(const struct host_guest *guest, struct pci_addr addr);

/* The entry with that key, NULL without. */
const struct guest_device *guest_device_at(const struct guest_config *config, const char *key);

/* What stands there under the key, also GUEST_KEY_MACHINE; "" when nothing does. */
const char *guest_text_at(const struct guest_config *config, const char *key);

const struct guest_mapping *guest_mapping_named(const struct host_guests *guests, const char *name);
