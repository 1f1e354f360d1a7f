/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes an initramfs image of what is known about one: for captures laid out as files. */
#pragma once

#include "host.h"
#include "strbuf.h"

/*
 * Writes a newc archive with an empty init, the image's files, and an empty .ko file for each of
 * its modules, compressed as the image's compression says; plain where libarchive cannot do that.
 * 0 or -ENOMEM.
 */
int image_write(const struct host_image *image, struct strbuf *out);

/* The archive alone, and compressing one: -ENOTSUP when that is not possible here, -ENOMEM. */
void image_write_archive(const struct host_image *image, struct arena *a, struct strbuf *out);
int image_compress(const char *compression, const struct strbuf *archive, struct strbuf *out);
