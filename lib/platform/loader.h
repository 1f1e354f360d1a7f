/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Boot loaders, a const table: where kernel flags are kept, how our part is written, what
 * refreshes the entries, which of the observed entries prove it. Pure.
 */
#pragma once

#include "host.h"
#include "plan.h"

struct loader_files {	   /* the "files" layer of one loader: what the next refresh will use */
	const char *line;  /* the flags that normal entries will get */
	bool known;	   /* false: could not be read safely; why says what */
	const char *why;   /* known: NULL, or what could not be followed while line was read */
	const char *where; /* file a person should look at */
};

struct loader_edit { /* one file to write or remove */
	const char *path;
	bool owned;
	const char *text; /* NULL: remove */
	size_t size;
	unsigned mode;
	struct words tokens; /* shared files: ours, after this edit */
	bool restore; /* shared files: text is what was there before us, mode and owner too */
};

struct loader_edits {
	ARRAY_OF(struct loader_edit) list;
	/* Files that are right, with the tokens in them that come from ours. */
	ARRAY_OF(struct plan_adopt) inherited;
	struct words warnings; /* e.g. several lines of /etc/kernel/cmdline joined */
};

struct boot_loader {
	enum loader loader;
	const char *name;
	/* Whether this host keeps flags here: more than one may say yes, then all are kept right.
	 */
	bool (*present)(const struct host *host);
	int (*files)(struct arena *a, const struct host *host, struct loader_files *ret);
	/*
	 * Edits that make wanted in force and take surplus (our former tokens) back; only files
	 * that change are listed. What another hand contradicts or undoes, or what cannot be edited
	 * safely, is left out, and ret_conflict is one phrase that names it, else NULL. 0, -ENOMEM,
	 * or -EINVAL for a flag that kflag_refused() refuses.
	 */
	int (*edit)(struct arena *a, const struct host *host, const struct ledger *ledger,
		    const struct words *wanted, const struct words *surplus,
		    struct loader_edits *ret, const char **ret_conflict);
	/*
	 * Fills in target, argv, check and produces of the one step that refreshes all entries, or
	 * of the step that refreshes those of one installed kernel; a row has one of the two.
	 * Returns 1, 0 when none is needed or none there, -ENOMEM.
	 */
	int (*refresh)(struct arena *a, const struct host *host, struct step *step);
	int (*refresh_kernel)(struct arena *a, const struct host *host,
			      const struct host_kernel *kernel, struct step *step);
	/* Of rows with refresh_kernel: entries are there, and nothing could make them anew. */
	bool (*stuck)(const struct host *host);
};

/* All loaders known, in the order in which they are refreshed. */
extern const struct boot_loader *const boot_loaders[];
extern const size_t boot_loaders_n;

/*
 * Whether that row's entries are made by a command: loader entries that GRUB reads are edited
 * themselves, by the row that has them.
 */
bool loader_refreshed(const struct host *host, const struct boot_loader *loader);

/*
 * The command that makes that row's entries anew, NULL when none here does: proxmox-boot-tool makes
 * those of others as well (4.15). 0 or -ENOMEM.
 */
int loader_command(struct arena *a, const struct host *host, const struct boot_loader *loader,
		   const char **ret);

/*
 * Whether that row is left over: used, another, started this host, and nothing is there that could
 * make its entries anew. 1, 0, -ENOMEM.
 */
int loader_left(struct arena *a, const struct host *host, enum loader used,
		const struct boot_loader *loader);

/* The row of a loader, NULL for LOADER_NONE. */
const struct boot_loader *boot_loader(enum loader loader);
