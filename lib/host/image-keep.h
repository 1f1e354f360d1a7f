/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which parts of an initramfs image matter to us, by name, and gathering them. Pure. */
#pragma once

#include "host.h"
#include "image-newc.h"

struct kept_file {
	struct image_file file;
	const char *target; /* of a symbolic link, NULL otherwise */
	uint32_t ino, major, minor;
	bool pending; /* a hard link whose bytes stand at another name, perhaps later */
	bool hidden;  /* only kept because links may lead there */
};

/* Zero-initialise, set arena (of the image) and keep apart from it what is only needed here. */
struct image_keep {
	struct arena *arena;
	ARRAY_OF(struct kept_file) files;
	struct words modules;
	size_t text_total;
	bool has_main; /* more than an early archive has: microcode and tables, below "kernel/" */
	const char *why;
};

/* A struct newc_sink whose data is a struct image_keep. -EBADMSG with why: too much of it. */
extern const struct newc_sink image_keep_sink;

/* Sorts, resolves links, and moves what was gathered to the image. 0 or -ENOMEM. */
int image_keep_finish(struct image_keep *keep, struct host_image *ret);
