/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flags in a variable of files that a loader's command sources: in a file of ours where it reads a
 * folder, else token by token in the file that it shares. Pure.
 */
#pragma once

#include "grub-outcome.h"
#include "loader.h"

struct shell_place {
	const char *shared; /* path of the file that is edited where no folder is read */
	const char *own;    /* path of ours in the folder */
	bool own_read;	    /* the folder is read here */
	const char *var;
	const char *takes_up; /* how ours begins: with the value so far */
	const char *ends;     /* what closes that; NULL: nothing */
	/* What comes of sourcing all files, with these texts for the two; NULL: absent. */
	int (*outcome)(struct arena *a, const struct host *host, const char *shared,
		       const char *own, struct outcome *ret);
};

/* The flags that our file at path adds to the variable; none when it is not there. 0, -ENOMEM. */
int shell_own_flags(struct arena *a, const struct host *host, const char *path, const char *var,
		    struct words *ret);

/* As edit of struct boot_loader. */
int shell_edit(struct arena *a, const struct host *host, const struct ledger *ledger,
	       const struct shell_place *place, const struct words *wanted,
	       const struct words *surplus, struct loader_edits *ret, const char **ret_conflict);
