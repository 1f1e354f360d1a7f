/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unified kernel images: the initramfs of one is read as any, its texts are kept beside it. */
#pragma once

#include "host.h"
#include "image-source.h"

/*
 * What is kept of one goes to the image's files, as the first of all: no path of an archive begins
 * with a dot. 1: window is where its initramfs stands; 0: it has none; -EBADMSG with a phrase;
 * -EIO when the source failed; -ENOMEM.
 */
int unified_open(struct source *s, struct arena *a, struct host_image *image,
		 struct source *ret_window);

/* Whether the source is one. */
bool unified_begins(const struct source *s);
