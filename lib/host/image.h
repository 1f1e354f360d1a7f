/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Initramfs images (fact 5.17). libarchive does the decompressing and is loaded when first used. */
#pragma once

#include "host.h"

/*
 * Reads an image from fd (seekable) or from memory: uncompressed cpio archives first, then a
 * compressed or plain one. Fills in all of ret but its path; what is wrong with the image is
 * its status and why. 0 or -ENOMEM.
 */
int image_read_fd(int fd, struct arena *a, struct host_image *ret);
int image_read_memory(const void *bytes, size_t size, struct arena *a, struct host_image *ret);
