/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the fake machine share. */
#pragma once

#include "fake-ops.h"

/* fake-kernel.c */
int fake_kernel_write(struct fake *f, const char *path, const char *value);
int fake_kernel_load(struct fake *f, const char *name);

/* fake-build.c: exit status of the command. */
int fake_build(struct fake *f, const struct words *argv, struct arena *a, struct ops_result *ret);

/* fake-uboot.c */
int fake_u_boot_update(struct fake *f, const struct words *argv, bool spoil);

/* Whole file; NULL when absent. */
const char *fake_read(struct fake *f, const char *path);
int fake_write(struct fake *f, const char *path, const void *bytes, size_t size);
