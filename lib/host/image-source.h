/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where an image's bytes come from, and the decompressors; internal to image*.c. */
#pragma once

#include "arena.h"
#include "image-newc.h"

/* A seekable file, or memory when fd is -1. Never mapped: images are replaced while we read. */
struct source {
	int fd;
	const char *bytes;
	uint64_t size, offset;
	int error; /* negative errno of reading */
};

/* Reads up to size bytes and moves on; 0 at the end. */
size_t source_read(struct source *s, void *to, size_t size);

/* A compression by its first bytes. */
struct compression {
	const char
		*name; /* as struct host_image has it; NULL: why it cannot be read stands in why */
	const char *why;
	const char *magic;
	size_t magic_size;
	int filter; /* libarchive's number */
};

/* What the bytes begin with, NULL when nothing known. */
const struct compression *compression_of(const char *bytes, size_t size);

/*
 * Decompresses the rest of the source into the cpio reader, by libarchive, which is loaded here.
 * 0; -EBADMSG with a phrase; -EIO when the source failed; -ENOSYS when libarchive cannot be
 * loaded; -ENOMEM.
 */
int decompress(const struct compression *c, struct source *s, struct newc *into, struct arena *a,
	       const char **ret_why);
