/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of vendors and devices from pci.ids. libpci does the reading and is loaded when asked. */
#pragma once

#include "arena.h"
#include "pci.h"

struct names;

/*
 * Opens the list at ids (borrowed), or the one that libpci was built with for NULL. It is read at
 * the first look-up. 0, -ENOSYS when the library is not installed, -ENOMEM.
 */
int names_open(const char *ids, struct names **ret);

/*
 * Names of the vendor and of the device in the arena; NULL where the list has none. 0,
 * -EBADMSG when the list cannot be read to its end: nothing has a name then; -ENOMEM.
 */
int names_look_up(struct names *names, const struct pci_id *id, struct arena *a,
		  const char **ret_vendor, const char **ret_device);

struct names *names_close(struct names *names);
DEFINE_CLEANUP(struct names *, names_close);
#define _cleanup_names_ _cleanup_(names_closep)
