/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The udev rules that bind early, at the real root and inside images whose builder copies them
 * (5.14): driver_override for exactly these addresses after the ids were compared. Pure.
 */
#pragma once

#include "initramfs.h"

/* The word on the kernel line that switches early binding off, for a host that must come up. */
#define EARLY_OFF_NAME	"passthroughd"
#define EARLY_OFF_VALUE "off"

/*
 * Text of PATH_UDEV_RULES; "" when the wish has no overrides. 0, -ENOMEM, or -EINVAL when a
 * driver's name is none.
 */
int udev_rules_render(struct arena *a, const struct early_wish *wish, const char **ret);
