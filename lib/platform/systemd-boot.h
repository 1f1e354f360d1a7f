/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a builder's row must know of systemd-boot. Pure. */
#pragma once

#include "host.h"

/* Whether entries of installed kernels are there, and kernel-install, which writes them anew. */
bool systemd_boot_installs(const struct host *host);

/* Whether sdbootutil keeps the entries and the images that they boot, apart from /boot (2.23). */
bool systemd_boot_foreign(const struct host *host);

/* Why entries that are there cannot be written anew; NULL: they can, or there are none. */
const char *systemd_boot_stuck(const struct host *host);
