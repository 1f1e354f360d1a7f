/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What images contain, remembered by the identity of their files, so that a plan with nothing new
 * opens none. Pure: the text is read and written by the tree.
 */
#pragma once

#include "host.h"
#include "strbuf.h"

struct image_key {
	uint64_t dev, ino, size;
	int64_t mtime_ns, ctime_ns;
};

struct image_cache;

/* From the text of a cache; one that is damaged, or of another version, is as none. */
int image_cache_new(const char *text, size_t size, struct image_cache **ret);
struct image_cache *image_cache_free(struct image_cache *c);
DEFINE_CLEANUP(struct image_cache *, image_cache_free);
#define _cleanup_image_cache_ _cleanup_(image_cache_freep)

/* 1 when it is known: all of ret but its path is filled in. 0, -ENOMEM. */
int image_cache_find(struct image_cache *c, const char *path, const struct image_key *key,
		     struct arena *a, struct host_image *ret);

/* Remembers the image as the one at path. */
int image_cache_add(struct image_cache *c, const char *path, const struct image_key *key,
		    const struct host_image *image);

/* Whether anything was added. */
bool image_cache_changed(const struct image_cache *c);

/* Writes those that were found or added, the latest of each path. 0 or -ENOMEM. */
int image_cache_write(struct image_cache *c, struct strbuf *out);
