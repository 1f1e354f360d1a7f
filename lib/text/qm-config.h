/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest of Proxmox VE: the text of VMID.conf (9.8), and the cluster's mappings of PCI devices,
 * mapping/pci.cfg (9.11), as Proxmox VE reads both. Pure.
 */
#pragma once

#include "array.h"
#include "guest.h"

#define QM_HOSTPCI_MAX 16 /* (9.1) */

enum qm_section_kind {
	QM_LIVE,
	QM_PENDING,
	QM_SNAPSHOT,
	QM_SPECIAL, /* cloudinit and what else has a name with a colon: nothing of the guest's */
};

struct qm_line {
	const char *key, *value;
};

struct qm_section {
	enum qm_section_kind kind;
	const char *name; /* of a snapshot; "" */
	ARRAY_OF(struct qm_line) lines;
	struct words deleted; /* pending: keys that go */
};

struct qm_config {
	ARRAY_OF(struct qm_section) sections; /* the first is the live one */
	unsigned strange;		      /* the first line that is nothing, 0: none is */
};

/* 0 or -ENOMEM. */
int qm_config_parse(struct arena *a, const char *text, struct qm_config *ret);

/* The one in front, and the one of what is pending, NULL without. */
const struct qm_section *qm_config_live(const struct qm_config *config);
const struct qm_section *qm_config_pending(const struct qm_config *config);

/* The last one of that name counts; NULL without. */
const char *qm_section_value(const struct qm_section *section, const char *key);

/* What the next start has: pending before live, and nothing that is to go. */
const char *qm_config_next(const struct qm_config *config, const char *key);

/* Whether the key is hostpciN; its number, -1 otherwise. */
int qm_hostpci_index(const char *key);

/* Fills mappings and maps; what it cannot read of a line is left at nothing. 0 or -ENOMEM. */
struct qm_mappings {
	ARRAY_OF(struct guest_mapping) list;
};
int qm_mappings_parse(struct arena *a, const char *text, struct qm_mappings *ret);
