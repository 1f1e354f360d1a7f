/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An operations table over a scratch folder that plays a whole machine: files are real files below
 * it, sysfs behaves like the kernel's (facts 7.6 to 7.11), builders really build (a cpio archive,
 * a grub.cfg) from the files that are there. Observing the folder again sees what was done. Any
 * change can be made the last one, or fail.
 */
#pragma once

#include "ops.h"

enum fake_builder {
	FAKE_BUILDS,
	FAKE_FAILS,	/* exit code 1, nothing built */
	FAKE_IDLES,	/* exit code 0, nothing built (5.3) */
	FAKE_SPOILS,	/* a cut image in place, exit code 1 */
	FAKE_IS_KILLED, /* by a signal, nothing built */
	FAKE_IS_MISSING,
};

enum fake_trouble {
	FAKE_NO_TROUBLE,
	FAKE_CUT_BEFORE, /* the power goes before the change ... */
	FAKE_CUT_AFTER,	 /* ... or after it: nothing is answered any more */
	FAKE_CUT_WITHIN, /* a replaced file's temporary one stays; others as CUT_BEFORE */
	FAKE_ERROR,	 /* this one change fails with error */
	FAKE_ERROR_ON,	 /* this one and all that follow, but for what frees room */
};

/* What the tool of guests was told last. */
#define FAKE_GUEST "/guest"

struct fake {
	struct ops ops; /* the table to use */
	char dir[128];

	/* To be set as a test likes. */
	enum fake_builder initramfs, loader, guests;
	const char *says;	  /* by what fails; NULL: something */
	const char *only_version; /* initramfs misbehaves for this kernel only; NULL: for all */
	unsigned good_runs;	  /* runs of each builder that go well first */
	enum fake_trouble trouble;
	unsigned at;	       /* which change, from 1; 0: none */
	int error;	       /* of FAKE_ERROR: -ENOSPC, -EIO, ... */
	const char *hangs;     /* address whose unbinding never returns (7.11); NULL */
	const char *holder;    /* who has it open, as ops->holders says it; NULL: nobody */
	const char *refuses;   /* address that vfio-pci does not take (7.12); NULL */
	uint64_t room;	       /* bytes free, UINT64_MAX by default */
	const char *read_only; /* folder mounted read-only, NULL: none */

	/* To be looked at. */
	unsigned changes;     /* all calls that change something */
	unsigned attr_writes; /* to sysfs */
	unsigned runs;	      /* of builders */
	size_t beside;	      /* of those, side by side */
	struct words log;     /* "run update-grub", "load vfio_pci", "write PATH VALUE" */
	bool dead;	      /* the power is gone */

	/* Private. */
	struct arena *arena;
	struct root *root;
	struct ops real;
	const char *input; /* of the command that runs */
	const char
		*grub_cfg; /* as it was at first: what entries there are, whatever became of it */
};

/* A machine over dir, which holds a host's files. Its ops are live. 0 or negative errno. */
int fake_new(const char *dir, struct fake **ret);
struct fake *fake_free(struct fake *f);
DEFINE_CLEANUP(struct fake *, fake_free);
#define _cleanup_fake_ _cleanup_(fake_freep)

/* Counters and trouble as at the beginning; the power is back. */
void fake_restart(struct fake *f);
