/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Initramfs images of any bytes: an answer that holds together, whatever pieces they come in. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image-keep.h"
#include "image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_image(const struct host_image *image)
{
	check(image->status == IMAGE_READ || image->status == IMAGE_BAD);
	if (image->status == IMAGE_BAD) {
		check(image->why && *image->why && !image->files.n && !image->modules.n);
		return;
	}
	check(!image->why && image->compression);
	for (size_t i = 0; i < image->files.n; i++) {
		const struct image_file *file = &image->files.at[i];

		check(!file->text[file->size]);
		check(!i || strcmp(image->files.at[i - 1].path, file->path) < 0);
	}
	for (size_t i = 1; i < image->modules.n; i++)
		check(strcmp(image->modules.at[i - 1], image->modules.at[i]) < 0);
}

/* What the archives at the front hold, read in pieces of that many bytes. */
static size_t modules_by(const uint8_t *data, size_t size, size_t piece, struct arena *a)
{
	struct image_keep keep = {.arena = a};
	struct newc newc = {.sink = &image_keep_sink, .data = &keep};
	int r = 0;

	for (size_t at = 0, n, used; at < size && r == 0; at += used) {
		n = size - at < piece ? size - at : piece;
		r = newc_feed(&newc, (const char *)data + at, n, &used);
		check(used <= n && (r || used == n));
	}
	newc_done(&newc);
	return keep.modules.n + keep.files.n + newc.entries;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct host_image image;

	if (!a || image_read_memory(data, size, a, &image) < 0)
		return 0;
	check_image(&image);
	check(modules_by(data, size, size, a) == modules_by(data, size, 7, a));
	return 0;
}
