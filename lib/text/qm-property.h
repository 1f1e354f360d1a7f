/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values of Proxmox VE that are lists of properties: "0000:01:00,pcie=1,x-vga=1". One may stand
 * first or anywhere without its name. They are kept in their order, unknown ones too, so that one
 * is changed without a word about the others. Pure.
 */
#pragma once

#include <stdbool.h>

#include "guest.h"

struct qm_property {
	const char *key; /* NULL: it stands without its name */
	const char *value;
};

struct qm_properties {
	const char *nameless; /* name of the one that may stand without it: "host" */
	ARRAY_OF(struct qm_property) list;
};

/* 0, -EBADMSG for what Proxmox VE would not take either (a name twice, no value), -ENOMEM. */
int qm_properties_parse(struct arena *a, const char *nameless, const char *text,
			struct qm_properties *ret);

/* The value, NULL when it is not there. */
const char *qm_property(const struct qm_properties *p, const char *key);

/* Puts a value in the place of the one that is there, or behind all; NULL takes it out. 0 or
 * -ENOMEM. */
int qm_property_set(struct arena *a, struct qm_properties *p, const char *key, const char *value);

/* NULL: out of memory. */
const char *qm_properties_print(struct arena *a, const struct qm_properties *p);

/* As Proxmox VE reads booleans; UNKNOWN for another word, and for NULL. */
enum tristate qm_boolean(const char *text);

/* A list of ids as in host= and path= (9.2): what it names, whole slots where there is no function.
 * False: it is no such list. */
struct qm_ids {
	struct guest_function at[64];
	size_t n;
};
bool qm_ids_parse(const char *text, struct qm_ids *ret);

/* The same by meaning: lists of ids by what they name, booleans by their value; NULL is like NULL
 * alone. */
bool qm_value_same(const char *a, const char *b);

/* The same properties, in whatever order. */
bool qm_properties_same(const struct qm_properties *a, const struct qm_properties *b);

/*
 * What stood there before us, with what others changed since: before, and each property that is not
 * as we wrote it is as it is now. 0 or -ENOMEM.
 */
int qm_properties_merge(struct arena *a, const struct qm_properties *before,
			const struct qm_properties *ours, const struct qm_properties *now,
			struct qm_properties *ret);
