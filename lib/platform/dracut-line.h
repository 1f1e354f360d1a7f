/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel flags in kernel_cmdline= of dracut's configuration (3.15). Pure. */
#pragma once

#include "loader.h"

#define DRACUT_VARIABLE "kernel_cmdline"

/* As files and edit of struct boot_loader say. */
int dracut_line_files(struct arena *a, const struct host *host, struct loader_files *ret);
int dracut_line_edit(struct arena *a, const struct host *host, const struct ledger *ledger,
		     const struct words *wanted, const struct words *surplus,
		     struct loader_edits *ret, const char **ret_conflict);
