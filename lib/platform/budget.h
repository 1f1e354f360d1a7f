/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long a kernel command line may become. Pure. */
#pragma once

#include "host.h"

/*
 * COMMAND_LINE_SIZE with its NUL: x86 and arm64 (fact 1.12). HOST does not know the architecture;
 * passthrough of PCI devices is at home on these two.
 */
#define CMDLINE_SIZE 2048

/*
 * By how many bytes the longest of the host's kernel lines would be too long, if each got those of
 * flags that it lacks and lost those of leaving that it has; 0: all fit, or become shorter. The
 * lines are those of normal entries and the running one, with what the loader puts before them
 * (1.16 to 1.19). What does not fit is dropped in silence by GRUB (1.14) and cut by the kernel's
 * EFI stub (1.13). Returns -ENOMEM.
 */
int cmdline_excess(const struct host *host, const struct words *flags, const struct words *leaving);
