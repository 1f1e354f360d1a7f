/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What grub.cfg and loader entries share, for this folder's own use. Pure. */
#pragma once

#include <stdbool.h>

/* Whether a word of the options makes the entry a recovery one (2.5). */
bool options_recover(const char *options);
