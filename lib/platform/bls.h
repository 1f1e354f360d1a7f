/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What /etc/kernel/cmdline must know of GRUB's loader entries. Pure. */
#pragma once

#include "host.h"

/*
 * The line of the newest kernel's entry as one of a kernel to come: with kernelopts (2.17), without
 * what other variables stand for, which others keep (2.27). NULL: there is none, or it has no
 * root=. 0 or -ENOMEM.
 */
int bls_line(struct arena *a, const struct host *host, const char **ret);
