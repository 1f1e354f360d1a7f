/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a capture leaves out of the files that were read: identities become digests (note 7), and
 * of long texts only the lines stay that observe judges by. Internal to capture*.c.
 */
#pragma once

#include "host.h"
#include "mask.h"
#include "strbuf.h"
#include "tree-capture.h"

struct masks {
	struct arena *arena;
	struct words plain;	 /* identities that were found, to be hidden wherever they stand */
	struct words modaliases; /* of the host's functions, each once */
	const struct host *host;
};

/* Changes the texts of all files noted. 0 or -ENOMEM. */
int masks_apply(struct masks *m, struct tree_capture *c, const struct host *host);

/* A node's name without identities, in the arena. NULL: out of memory. */
const char *masked_name(const struct masks *m, const struct node *node, struct arena *a);

/* Remembers an identity and gives its mask; *err becomes -ENOMEM when that fails. */
const char *mask_of(struct masks *m, const char *text, char ret[static MASK_TEXT_SIZE], int *err);

/*
 * Addresses: those that uses were found by become ones for documentation, the same everywhere, and
 * a route of its own leads to each, so that the uses are found again; of others nothing stays.
 */
int address_line(struct masks *m, const char *line, struct strbuf *out);
int sessions(struct masks *m, const char *text, size_t size, struct strbuf *out);
int routes4(struct masks *m, const char *text, size_t size, struct strbuf *out);
int routes6(struct masks *m, const char *text, size_t size, struct strbuf *out);
int mount_line(struct masks *m, const char *line, struct strbuf *out);
int server_address(struct masks *m, const char *text, size_t size, struct strbuf *out);

/* Calls each with every line, without its end. */
int mask_each_line(struct masks *m, const char *text, struct strbuf *out,
		   int (*each)(struct masks *m, const char *line, struct strbuf *out));

/* What a file's text becomes by its name. 1; 0: it stays; -ENOMEM. */
int mask_text(struct masks *m, const char *folder, const char *name, struct slice text,
	      struct strbuf *out);
