/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the loaders' rows share: flags on lines, tokens that are ours, edits. Pure. */
#pragma once

#include "kcmdline.h"
#include "ledger.h"
#include "loader.h"

/* Whether flag is in force on the line. 1, 0, -ENOMEM. */
int flag_in_force(struct arena *a, const char *line, const char *flag);

/* The token on the line that contradicts flag, NULL without one. 0 or -ENOMEM. */
int flag_conflict(struct arena *a, const char *line, const char *flag, const char **ret);

/* Whether all flags may be written (kflag_refused). */
bool flags_safe(const struct words *flags);

/*
 * Those of surplus that the ledger calls ours in the shared file at path, the last added first.
 * 0 or -ENOMEM.
 */
int flags_ours(struct arena *a, const struct ledger *ledger, const char *path,
	       const struct words *surplus, struct words *ret);

/*
 * What is ours in the shared file at path after an edit: the ledger's tokens without those removed,
 * and those added. 0 or -ENOMEM.
 */
int flags_after(struct arena *a, const struct ledger *ledger, const char *path,
		const struct words *removed, const struct words *added, struct words *ret);

/*
 * Turns the edit of a shared file into taking it back whole: when it stands as we left it and the
 * ledger knows what was there before. To be asked when nothing is wanted of it any more.
 */
void edit_restore(const struct host *host, const struct ledger *ledger, struct loader_edit *edit);

/*
 * Adds the edit that makes the file at path hold text (NULL: absent), unless it does already.
 * 0 or -ENOMEM.
 */
int edits_add(struct arena *a, const struct host *host, struct loader_edits *edits,
	      struct loader_edit edit);

/* The text of the file at path, NULL when it is absent or cannot be read. */
const char *file_text(const struct host *host, const char *path);

/*
 * Why the file's text cannot be used, one phrase that names it; NULL when it can. An absent file's
 * can. 0 or -ENOMEM.
 */
int file_unusable(struct arena *a, const struct host_file *file, const char **ret);
