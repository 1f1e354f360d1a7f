/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What grub-mkconfig will make of a host's files, as they are or as they would be. Pure. */
#pragma once

#include "grub-defaults.h"
#include "host.h"

struct outcome {
	struct grub_value all;	  /* GRUB_CMDLINE_LINUX, where that is not grub_variable() */
	struct grub_value normal; /* grub_variable() */
	const char *line;	  /* that normal entries get */
	const char *broken;	  /* why grub-mkconfig would stop, or we cannot follow; NULL */
};

/* That ours go to: loader entries get GRUB_CMDLINE_LINUX and no other (2.15, 2.17). */
const char *grub_variable(const struct host *host);

/*
 * The outcome of sourcing all files of the host (2.1) with defaults for /etc/default/grub and
 * dropin for ours in grub.d; NULL: without it. 0 or -ENOMEM.
 */
int grub_outcome(struct arena *a, const struct host *host, const char *defaults, const char *dropin,
		 struct outcome *ret);
