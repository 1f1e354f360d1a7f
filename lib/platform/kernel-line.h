/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines for /etc/kernel/cmdline: mended, or begun with the running kernel's. Pure. */
#pragma once

#include "host.h"
#include "kcmdline.h"

struct kernel_line {
	const char *line; /* the lines that are no comments, joined */
	unsigned lines;	  /* that were joined */
	unsigned comments;
	bool whole; /* was one line, and nothing stood before it */
};

/* What the file's text comes to. 0 or -ENOMEM. */
int kernel_line_mend(struct arena *a, const char *text, struct kernel_line *ret);

/*
 * The part of the file's text that its readers take: proxmox-boot-tool the first line, and none
 * without root= (4.8); kernel-install all of it. 0 or -ENOMEM.
 */
int kernel_line_in_force(struct arena *a, const struct host *host, const char *text,
			 const char **ret);

/* The running line without what a loader put before it (1.18, 1.19). 0 or -ENOMEM. */
int kernel_line_running(struct arena *a, const struct host *host, const char **ret);

bool kernel_line_has_root(const struct kcmdline *line);

/*
 * The tokens that say where the root file system is and how it is mounted; NULL when there is no
 * root= among them. 0 or -ENOMEM.
 */
int kernel_line_root(struct arena *a, const struct kcmdline *line, const char **ret);

/* A token of a boot that is not to be repeated, "single"; NULL without one. */
const char *kernel_line_once(const struct kcmdline *line);
