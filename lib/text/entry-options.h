/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of a loader entry as GRUB's blscfg takes them, read and edited in place. Pure. */
#pragma once

#include "arena.h"

/* The value of the first options line, which alone counts there; NULL without. 0 or -ENOMEM. */
int entry_options(struct arena *a, const char *text, const char **ret);

/*
 * The text with another value on that line; every other byte stays. 0, -ENOMEM, or -ENOENT without
 * such a line: GRUB then takes a line of its own, which an options line would hide.
 */
int entry_options_set(struct arena *a, const char *text, const char *value, const char **ret);
