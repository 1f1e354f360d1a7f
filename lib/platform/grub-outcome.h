/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What grub-mkconfig will make of a host's files, as they are or as they would be. Pure. */
#pragma once

#include "grub-defaults.h"
#include "host.h"

struct outcome {
	struct grub_value all, normal; /* GRUB_CMDLINE_LINUX, GRUB_CMDLINE_LINUX_DEFAULT */
	const char *line;	       /* that normal entries get */
	const char *broken;	       /* why grub-mkconfig would stop, or we cannot follow; NULL */
};

/*
 * The outcome of sourcing all files of the host (2.1) with defaults for /etc/default/grub and
 * dropin for ours in grub.d; NULL: without it. 0 or -ENOMEM.
 */
int grub_outcome(struct arena *a, const struct host *host, const char *defaults, const char *dropin,
		 struct outcome *ret);
