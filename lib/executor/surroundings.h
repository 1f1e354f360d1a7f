/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a builder finds around it: the host's own locale, and a /dev. Effects. */
#pragma once

#include "array.h"
#include "root.h"

/*
 * The LANG, LANGUAGE and LC_* words of /etc/default/locale or /etc/locale.conf below the root, as
 * login and systemd read them; LANG=C.UTF-8 where neither says (systemd's default). Titles of menu
 * entries, by which GRUB remembers the chosen one, depend on them. 0 or -ENOMEM.
 */
int host_locale(const struct root *root, struct arena *a, struct words *ret);

/*
 * In a child that is about to chroot into root, its working directory: a tree without /dev/null
 * gets a /dev of null, zero, full, random and urandom, in a mount namespace of the child's own.
 * 0 or negative errno.
 */
int provide_dev(void);
