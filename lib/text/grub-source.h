/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file's effects on one variable, for reading and for editing. This folder's own. Pure. */
#pragma once

#include "grub-defaults.h"
#include "shell.h"

/* An assignment that surely happens, to the variable that is asked for. */
struct grub_assignment {
	unsigned line;
	size_t at;		  /* where the value begins in the source */
	struct shell_units units; /* of the value */
	const char *value;
	const char *why; /* not NULL: the value cannot be told */
	bool appends;
};

/* What is known after the files so far. */
struct grub_state {
	struct arena *arena;
	struct shell_env env;
	const char *var;
	const char *last_path; /* of the last assignment, sure or not */
	unsigned last_line;
	bool last_appends;
	ARRAY_OF(struct grub_assignment) assignments; /* sure ones, of the last file */
	/* The last file's effect after which var may not be what the last assignment made it. */
	const char *spoiled;
	bool lost_memory;
};

/* Starts with nothing known but that var is asked for. */
void grub_state_start(struct grub_state *g, struct arena *a, const char *var);

/* Follows one more file. 0, -EBADMSG with ret_error, -ENOMEM. */
int grub_state_follow(struct grub_state *g, const struct grub_source *source,
		      struct grub_error *ret_error);
