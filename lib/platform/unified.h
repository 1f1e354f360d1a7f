/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unified kernel images (UAPI.5): kernel, initramfs and line in one file, which is made anew as a
 * whole. Pure.
 */
#pragma once

#include "host.h"

/* Whether one of an installed kernel is there. */
bool unified_present(const struct host *host);

/* Whether kernel-install makes them anew. */
bool unified_installs(const struct host *host);

/*
 * Why what has to get into one cannot, as a sentence for people; NULL: nothing keeps it out. Where
 * none is there that is the reason. 0 or -ENOMEM.
 */
int unified_refusal(struct arena *a, const struct host *host, const char **ret);
