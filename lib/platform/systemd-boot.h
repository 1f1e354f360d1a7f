/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a builder's row must know of systemd-boot. Pure. */
#pragma once

#include "host.h"

#define NO_KERNEL_INSTALL                                                                          \
	"kernel-install, which writes systemd-boot's entries and the copies that they boot, is "   \
	"not "                                                                                     \
	"installed"

/* Whether entries of installed kernels are there, and kernel-install, which writes them anew. */
bool systemd_boot_installs(const struct host *host);

/* Whether such entries are there, and nothing that could write them anew. */
bool systemd_boot_stuck(const struct host *host);
