/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads a FAT file system (12, 16, 32 bits, long names) from its bytes. ESPs that are mounted only
 * for moments (4.10) are looked at this way: to mount one, if only to read, would keep whoever
 * writes it from mounting it, and that fails without a word (4.11). Microsoft's "FAT32 File System
 * Specification" 1.03. What is on the disk is trusted in nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "array.h"

struct fat_source {
	int (*read)(void *ctx, uint64_t at, size_t n,
		    void *to); /* all of it: 0 or negative errno */
	void *ctx;
};

struct fat_node {
	uint32_t cluster; /* 0: the root, or an empty file */
	uint32_t size;
	uint32_t stamp; /* date and time of the last write, two seconds a step, in local time */
	bool folder;
};

struct fat;

/* -EBADMSG: no such file system. fat lives in the arena. */
int fat_open(struct arena *a, struct fat_source source, struct fat **ret);

/* The node at an absolute path; letters of ASCII count alike in either case. -ENOENT, -ENOTDIR. */
int fat_find(struct fat *f, const char *path, struct arena *a, struct fat_node *ret);

/* Names in a folder, sorted by bytes. -ENOTDIR. */
int fat_list(struct fat *f, const struct fat_node *folder, struct arena *a, struct words *ret);

/* Bytes that are free, by the table itself. */
int fat_free(struct fat *f, uint64_t *ret);

/*
 * A whole file of at most max bytes, with a NUL behind it. -EFBIG, -EISDIR, -EBADMSG when its
 * clusters do not lead to its end.
 */
int fat_read(struct fat *f, const struct fat_node *file, size_t max, struct arena *a,
	     const char **ret);
