/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the fake machine share. */
#pragma once

#include "fake-ops.h"

/* fake-kernel.c */
int fake_kernel_write(struct fake *f, const char *path, const char *value);
int fake_kernel_load(struct fake *f, const char *name);

/* fake-build.c: exit status of the command. */
int fake_build(struct fake *f, const struct ops_command *command, struct arena *a,
	       struct ops_result *ret);

/* An image while it is made. */
struct build;

/* fake-build.c: what the makers of images share. Files are those of dir that end so. */
bool fake_add_module(struct build *b, const char *name);       /* whether the kernel has it */
bool fake_has_module(const struct build *b, const char *name); /* whether it is inside */
void fake_keep_modules(struct build *b, bool (*keep)(const char *module, const void *data),
		       const void *data);
const char *fake_version(const struct build *b);
void fake_add_file(struct build *b, const char *path, const char *text);
void fake_add_files(struct build *b, const char *dir, const char *end, const char *to);

/* Puts into an image what its maker takes from the files below the root. */
typedef void fake_maker(struct build *b, struct fake *f, const char *image);

/* fake-build.c: 0 or an exit status. */
int fake_build_image(struct fake *f, const char *image, const char *version, fake_maker *maker,
		     bool spoil);
fake_maker fake_by_dracut;

/* fake-mkinitcpio.c */
int fake_mkinitcpio(struct fake *f, const struct words *argv, bool spoil);

/* fake-booster.c */
int fake_booster(struct fake *f, const struct words *argv, bool spoil);

/* fake-unified.c */
int fake_kernel_install(struct fake *f, const struct words *argv, bool spoil);
int fake_dracut_uefi(struct fake *f, const struct words *argv, bool spoil);

/* fake-uboot.c */
int fake_u_boot_update(struct fake *f, const struct words *argv, bool spoil);

/* fake-ostree.c */
int fake_rpm_ostree(struct fake *f, const struct words *argv, bool spoil);

/* fake-guest.c */
int fake_qm(struct fake *f, const struct words *argv, bool spoil);
int fake_virsh(struct fake *f, const struct words *argv, bool spoil);

/* Whole file; NULL when absent. */
const char *fake_read(struct fake *f, const char *path);
int fake_write(struct fake *f, const char *path, const void *bytes, size_t size);
