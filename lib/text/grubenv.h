/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GRUB's environment block, and its variables in an entry's text (2.14, 2.17). Pure. */
#pragma once

#include <stddef.h>

#include "arena.h"

/*
 * The variable's value in a block; NULL: it is not set there, or the text is no block. 0 or
 * -ENOMEM.
 */
int grubenv_get(struct arena *a, const char *block, const char *name, const char **ret);

/*
 * The block with the variable set to value, every other one as it is and no byte longer or
 * shorter: what GRUB itself saves at boot goes into the same blocks of the disk. 0; -EBADMSG when
 * the text is no block; -ENOSPC when there is no room in it; -ENOMEM.
 */
int grubenv_set(struct arena *a, const char *block, const char *name, const char *value,
		const char **ret);

/*
 * Text with $name and ${name} replaced by what the block (NULL: none) has for them; those it does
 * not have stay as they are written. 0 or -ENOMEM.
 */
int grubenv_expand(struct arena *a, const char *block, const char *text, const char **ret);
