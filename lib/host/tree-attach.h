/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File systems of a root's devices that are not mounted, seen below a path all the same. */
#pragma once

#include "fat.h"
#include "image-cache.h"
#include "root.h"
#include "tree.h"

struct attached {
	const char *at;
	size_t len;
	int fd;
	char *block; /* aligned: a device that is read past the page cache asks for it */
	size_t block_size;
	uint64_t block_at, device; /* device: its number */
	struct fat *fat;
};

struct attachments {
	struct arena *arena; /* NULL: none yet */
	ARRAY_OF(struct attached *) list;
};

/* As attach of struct tree_ops. */
int attach_device(struct attachments *all, const struct root *root, const char *name,
		  const char *at, uint64_t *ret_free);
void attachments_done(struct attachments *all);

/* Where path lies, with the rest of it; NULL: in none. */
struct attached *attached_of(const struct attachments *all, const char *path,
			     const char **ret_inside);

/* As those of struct tree_ops. */
int attached_read(struct attached *d, const char *path, size_t max, struct arena *a,
		  const char **ret, size_t *ret_size);
int attached_list(struct attached *d, const char *path, struct arena *a, struct words *ret);
int attached_stat(struct attached *d, const char *path, struct tree_stat *ret);

/*
 * What may stand for the contents of the file at path, until it is written again. 1; 0 when it was
 * written so lately that it could change without its time stamp doing so; negative errno.
 */
int attached_key(struct attached *d, const char *path, struct image_key *ret);
