/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What grub.cfg and loader entries share, for this folder's own use. Pure. */
#pragma once

#include <stdbool.h>

#include "kcmdline-token.h"

/* Where in an image's name the version stands; at NULL: nowhere. */
struct piece version_in(const char *image);

/* Whether a word of the options makes the entry a recovery one (2.5). */
bool options_recover(const char *options);
