/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tree that passes everything on to another one and notes what was asked for and found, as the
 * nodes of a capture. Internal to capture*.c.
 */
#pragma once

#include "strbuf.h"
#include "tree-capture.h"

struct record {
	struct tree tree; /* to be observed */
	struct tree *inner;
	struct tree_capture *noted;
	struct arena *scratch;
	bool lost; /* memory ran out: sticks */
};

/* Begins; -ENOMEM. record_done() frees all but the inner tree. */
int record_init(struct record *r, struct tree *inner);
void record_done(struct record *r);

/* The absolute path of a node, "/" of the root. False: longer than the buffer. */
bool node_path(const struct tree_capture *c, uint32_t node, char *ret, size_t size);

/* Remembers that memory ran out when ok is false; yields ok. */
bool record_kept(struct record *r, bool ok);

/* A new node; NODE_NONE when memory ran out. What is read from a file, and what that failed with.
 */
uint32_t record_add(struct record *r, uint32_t parent, const char *name, enum node_kind kind);
void record_text(struct record *r, uint32_t at, const char *text, size_t size);
void record_error(struct record *r, uint32_t at, int error);

/* Whether the names noted give the same error again by themselves. */
bool record_by_itself(int error);

/* Whether a name that was listed tells observe nothing. */
bool record_dull(const char *folder, const char *name);

/*
 * The node of a name in a folder, or the one that a path leads to with its links noted on the way
 * (the last one followed or not); looked for and noted when it is not there. NODE_NONE: no such.
 */
uint32_t record_child(struct record *r, uint32_t parent, const char *name);
uint32_t record_resolve(struct record *r, const char *path, bool follow_last);
/* The same, of files alone. */
uint32_t record_resolve_file(struct record *r, const char *path);

/* Length of "/proc/PID" in front of a path, 0 when it is about no process. */
size_t record_process(const char *path);

/* Of all that processes have open, notes only what holds a function, with the process's name. */
void record_open(struct record *r, const char *path, const char *target);
