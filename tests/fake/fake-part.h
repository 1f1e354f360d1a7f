/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the fake machine share. */
#pragma once

#include "fake-ops.h"

/* fake-kernel.c */
int fake_kernel_write(struct fake *f, const char *path, const char *value);
int fake_kernel_load(struct fake *f, const char *name);

/* fake-build.c: exit status of the command. */
int fake_build(struct fake *f, const struct words *argv, struct arena *a, struct ops_result *ret);

/* fake-build.c: 0 or an exit status. */
int fake_build_image(struct fake *f, const char *image, const char *version, bool with_dracut,
		     bool spoil);

/* fake-unified.c */
int fake_kernel_install(struct fake *f, const struct words *argv, bool spoil);
int fake_dracut_uefi(struct fake *f, const struct words *argv, bool spoil);

/* fake-uboot.c */
int fake_u_boot_update(struct fake *f, const struct words *argv, bool spoil);

/* Whole file; NULL when absent. */
const char *fake_read(struct fake *f, const char *path);
int fake_write(struct fake *f, const char *path, const void *bytes, size_t size);
