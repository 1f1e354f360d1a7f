/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel flags in /etc/kernel/cmdline, for the rows of those who read it. Pure. */
#pragma once

#include "loader.h"

/* As files and edit of struct boot_loader say. */
int kernel_cmdline_files(struct arena *a, const struct host *host, struct loader_files *ret);
int kernel_cmdline_edit(struct arena *a, const struct host *host, const struct ledger *ledger,
			const struct words *wanted, const struct words *surplus,
			struct loader_edits *ret, const char **ret_conflict);
