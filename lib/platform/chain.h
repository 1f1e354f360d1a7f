/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which loader started the running kernel, by what it left behind and not by what is installed
 * (facts 2.28 to 2.33). Pure.
 */
#pragma once

#include "host.h"

struct boot_chain {
	enum loader used;     /* LOADER_NONE: not known, or none that we configure */
	const char *stranger; /* such a one, by its own name: "rEFInd 0.14.2"; NULL */
	bool unified;	      /* kernel, image and line are one signed file (2.30, 3.16) */
	const char *by;	      /* what says so, one phrase; NULL: nothing does */
};

/* 0 or -ENOMEM. */
int boot_chain_find(struct arena *a, const struct host *host, struct boot_chain *ret);

/*
 * Whether the entry boots anything: on hosts of proxmox-boot-tool /boot/grub/grub.cfg does not
 * (4.15). Where it leaves the menu to loader entries, what else it has is somebody's own.
 */
bool entry_boots(const struct host *host, const struct host_entry *entry);

/* Where the entry stands, for people. NULL: out of memory. */
const char *entry_place(struct arena *a, const struct host_entry *entry);
