/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the opaque types of passthrough.h hold; seen by lib/passthrough*.c alone. */
#pragma once

#include "config.h"
#include "diag.h"
#include "ledger.h"
#include "ops.h"
#include "passthrough.h"
#include "plan.h"
#include "render.h"
#include "report.h"
#include "root.h"
#include "tree.h"

struct pthru_ctx {
	struct root *root;    /* opened when first needed; NULL with a capture */
	struct tree *capture; /* NULL: observe the root */
	char *spec_path;      /* NULL: the default folders */
	int run_fd;	      /* the run-time folder behind the control socket's address; -1 */
	enum pthru_form form;
	unsigned width;
	bool open; /* documents are for everybody */
	void *userdata;
	void (*step)(void *userdata, size_t index, size_t count, const char *what, bool done);
	void (*tick)(void *userdata, unsigned seconds);
	void (*wait)(void *userdata, const char *holder);
	void (*look)(void *userdata);
	unsigned patience; /* seconds */
	char *contested;   /* targets of steps, a blank between; NULL: none */
	bool locked;	   /* it is we who apply */
};

struct pthru_diags {
	struct arena *arena;
	struct diags d;
};

struct pthru_spec {
	struct arena *arena;
	ARRAY_OF(struct config_input) inputs; /* raw, in merge order */
	ARRAY_OF(struct config_file) hidden;  /* by others of their names, missed says by which */
	bool from_folders;		      /* the default folders: what the daemon obeys */
	struct spec *everywhere;	      /* as if every match: held; NULL without inputs */
};

struct pthru_host {
	struct tree *tree;
	struct host *host;
};

struct pthru_plan {
	struct tree *tree; /* NULL with a capture, which the context owns */
	struct spec *spec; /* of the files that match this host */
	struct host *host;
	struct ledger *ledger;
	struct plan *plan;
};

struct pthru_report {
	struct pthru_plan *before, *after;
	struct report *report;	   /* never NULL; without steps when nothing was done */
	struct pthru_diags *diags; /* failed steps, and what is still pending after them */
	bool live;		   /* live steps can be carried out here (note 2) */
	int others;		   /* keeps others from building meanwhile; -1 */
	const char *busy;	   /* who does build; NULL: nobody */
	bool unproven;		   /* a second plan still has files, images or entries to mend */
};

struct surface_file { /* of the caller's */
	const char *bytes;
	size_t size;
	mode_t mode;
	uid_t uid;
};

/*
 * Reads a file at the caller's own path, or a pipe unless it must be regular (-EINVAL then).
 * -EFBIG beyond max bytes, or errno.
 */
int surface_read(const char *path, bool regular, size_t max, struct arena *a,
		 struct surface_file *ret);

/* Adds an error that has no place. */
void surface_error(struct pthru_diags *diags, enum code code, const char *fmt, ...) _printf_(3, 4);

/* Adds what errno means for `what`, with the code that fits it. */
void surface_errno(struct pthru_diags *diags, int error, const char *what);

/* Adds copies of all of them. */
void surface_join(struct pthru_diags *diags, const struct diags *more);

/* The root, opened now if it was not. 0 or errno with a diagnostic (diags may be NULL). */
int surface_root(struct pthru_ctx *ctx, struct pthru_diags *diags);

/* A tree to observe: the capture (borrowed, *ret_owned NULL) or a new one over the root. */
int surface_tree(struct pthru_ctx *ctx, struct pthru_diags *diags, struct tree **ret_owned,
		 struct tree **ret);

/* The spec as it holds on the host: files whose match: fails are left out. */
int surface_narrow(const struct pthru_spec *spec, const struct host *host,
		   struct pthru_diags *diags, struct spec **ret);

/* Notes an apply that was cut, where nobody is about to make it good. 0 or -ENOMEM. */
int surface_tell_cut(struct pthru_ctx *ctx, struct diags *diags);

/* Waits until no other apply runs. 0 and what holds our turn, or errno with a diagnostic. */
int surface_take_turn(struct pthru_ctx *ctx, struct pthru_diags *diags, int *ret_fd);

/*
 * Waits until nobody else builds, and keeps it so while *ret_fd (-1: nothing to hold) is open.
 * *ret_waited: somebody did. -EBUSY and who when patience ends, or when waiting would never end.
 */
int surface_keep_others_out(struct pthru_ctx *ctx, struct arena *a, int *ret_fd, bool *ret_waited,
			    const char **ret_who);

/* Keeps the spec as the last accepted one. 0, or errno with a diagnostic. */
int surface_keep_spec(struct pthru_ctx *ctx, const struct spec *spec, struct pthru_diags *diags);
