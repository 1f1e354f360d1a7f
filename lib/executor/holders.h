/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who has a function's device nodes open. Effects: looks, and changes nothing. */
#pragma once

#include "pci.h"
#include "root.h"

/*
 * Appends one line a process, "qemu-system-x86 (1234): /dev/vfio/14", by process number. Follows
 * links alone: reading an attribute would wait for the very unbind that is asked about, while its
 * driver link is gone already. 0 or -ENOMEM; what cannot be looked at holds nothing.
 */
int holders_find(const struct root *root, struct pci_addr addr, struct arena *a, struct words *ret);
