/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a builder's row must know of systemd-boot. Pure. */
#pragma once

#include "host.h"

/* Whether entries of installed kernels are there, and kernel-install, which writes them anew. */
bool systemd_boot_installs(const struct host *host);

/* Whether sdbootutil keeps the entries and the images that they boot, apart from /boot (2.23). */
bool systemd_boot_foreign(const struct host *host);

/*
 * Whether kernel-install would leave the initramfs out of what it writes for the kernel: what boots
 * has one, that in /boot is gone, and no plugin makes another (3.12). unified: in unified images,
 * else beside entries.
 */
bool kernel_install_drops(const struct host *host, const struct host_kernel *kernel, bool unified);

/* Why entries that are there cannot be written anew; NULL: they can, or there are none. */
const char *systemd_boot_stuck(const struct host *host);
