/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who else may be building images or boot entries on this host. Effects. */
#pragma once

#include "root.h"

/*
 * Keeps all others from building while we do: two builders at once share one temporary file (5.6),
 * and grub.cfg is copied in place (2.9). Takes the lock of dpkg's front ends where the root has
 * dpkg, and looks for builders that run below the same root: a person's, or one that went on when
 * the apply that had begun it was killed. Does not wait.
 *
 * Returns 0 and in *ret_fd what holds the lock until it is closed, -1 where there is no dpkg.
 * -EBUSY and who, as "apt-get (process 812)": it never ends by waiting when *ret_above, for then we
 * run below it. -EAGAIN when dpkg has just let go. Else negative errno.
 */
int others_keep_out(const struct root *root, struct arena *a, int *ret_fd, const char **ret_who,
		    bool *ret_above);
