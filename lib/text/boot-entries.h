/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What boots: menu entries of grub.cfg and loader entries of type 1. Pure. */
#pragma once

#include <stdbool.h>

#include "array.h"

struct boot_line {
	unsigned line;	     /* of the linux command */
	const char *title;   /* of the enclosing menuentry, "" */
	const char *image;   /* path as written: "/boot/vmlinuz-6.1.0-18-amd64" */
	const char *kernel;  /* version from the image's name, NULL when there is none */
	const char *options; /* the arguments after the image, words joined by one blank */
	bool recovery;	     /* has "single", "recovery" or "emergency" as a word (2.5) */
	/* Of loader entries alone: */
	struct words initrds;	/* paths as written, in order; none that a variable stands for */
	const char *machine_id; /* whose entry it is, "" when not said */
};

struct boot_lines {
	ARRAY_OF(struct boot_line) list;
};

/*
 * Every linux, linux16, linuxefi command of a grub.cfg. Options are what the kernel gets to see,
 * quoted as GRUB does it (1.21), except that variables stay as they are written. Returns 0,
 * -EBADMSG when the file ends inside a quote or a block (truncated copy, fact 2.9) or closes a
 * block that is not open, -ENOMEM.
 */
int grub_cfg_parse(struct arena *a, const char *text, struct boot_lines *ret);

/*
 * Every label of an extlinux.conf that names a kernel, with what stands in its append lines (2.25);
 * words of the file are read in either case, as U-Boot does. 0 or -ENOMEM.
 */
int extlinux_parse(struct arena *a, const char *text, struct boot_lines *ret);

/*
 * One loader/entries file (Boot Loader Specification type 1); options lines are joined by a
 * blank. The image is that of linux, else of efi or uki, else "" with line 0; the version key
 * stands in where the image's name holds none. 0 or -ENOMEM.
 */
int loader_entry_parse(struct arena *a, const char *text, struct boot_line *ret);

/*
 * Version in an image's file name: "vmlinuz-V", "vmlinux-V", "linux-V", "V/linux", where V begins
 * with a digit; NULL when none. Backslashes separate as slashes do.
 */
const char *kernel_version_of(struct arena *a, const char *image);
