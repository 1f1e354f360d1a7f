/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walks an image: archives that stand as they are, then one that is compressed or not (5.17). */
#include "image.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "image-keep.h"
#include "image-source.h"
#include "image-unified.h"

#define CHUNK_SIZE (64u << 10)

size_t source_read(struct source *s, void *to, size_t size)
{
	size_t got = 0;

	if (s->offset >= s->size)
		return 0;
	if (size > s->size - s->offset)
		size = (size_t)(s->size - s->offset);
	if (s->fd < 0 && s->bytes) {
		memcpy(to, s->bytes + s->offset, size);
		got = size;
	}
	while (s->fd >= 0 && got < size) {
		ssize_t n = pread(s->fd, (char *)to + got, size - got, (off_t)(s->offset + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			s->error = -errno;
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	s->offset += got;
	return got;
}

/* The archives that are not compressed. 1: something else begins at the source's offset. */
static int plain_part(struct source *s, struct newc *newc)
{
	_cleanup_free_ char *chunk = malloc(CHUNK_SIZE);

	if (!chunk)
		return -ENOMEM;
	for (;;) {
		uint64_t start = s->offset, skip;
		size_t n = source_read(s, chunk, CHUNK_SIZE), used;
		int r;

		if (s->error)
			return -EIO;
		if (!n)
			return 0;
		r = newc_feed(newc, chunk, n, &used);
		s->offset = start + used;
		if (r)
			return r;
		skip = newc_skippable(newc);
		if (skip > s->size - s->offset)
			return 0; /* cut: the archive is not whole */
		if (skip) {
			newc_skipped(newc, skip);
			s->offset += skip;
		}
	}
}

static int compressed_part(struct source *s, struct newc *newc, struct arena *a,
			   struct host_image *image)
{
	struct source look = *s;
	char magic[8];
	size_t n = source_read(&look, magic, sizeof(magic));
	const struct compression *c = compression_of(magic, n);
	int r;

	if (look.error)
		return -EIO;
	if (!c || !c->name) {
		image->why = c		     ? c->why
			     : newc->entries ? "no known compression behind the first archives"
			     : s->size - s->offset ? "neither an archive nor a known compression"
						   : "empty";
		return -EBADMSG;
	}
	image->compression = c->name;
	/* The archive inside begins anew, at a multiple of four of its own. */
	newc->total = 0;
	newc->closed = false;
	r = decompress(c, s, newc, a, &image->why);
	if (r == -ENOSYS)
		image->why = arena_printf(a, "libarchive that can read %s is missing", c->name);
	return r == -ENOSYS && !image->why ? -ENOMEM : r;
}

static int read_all(struct source *s, struct image_keep *keep, struct host_image *image)
{
	_cleanup_(newc_done) struct newc newc = {.sink = &image_keep_sink, .data = keep};
	int r = plain_part(s, &newc);

	if (r == 1 || (r == 0 && !newc.entries && newc.state == NEWC_BETWEEN))
		r = compressed_part(s, &newc, keep->arena, image);
	if (r == -EBADMSG && keep->why)
		image->why = keep->why;
	else if (r == -EBADMSG && newc.why)
		image->why = newc.why;
	if (r < 0)
		return r;
	if (!newc_whole(&newc)) {
		image->why = "cut short";
		return -EBADMSG;
	}
	if (!keep->has_main) {
		image->why = "nothing behind the early archives: cut there";
		return -EBADMSG;
	}
	return 0;
}

/* An initramfs, or the one in a unified image, if it has one. */
static int read_image(struct source *s, struct arena *a, struct host_image *image)
{
	struct image_keep keep = {.arena = a};
	struct source window = *s;
	bool unified = unified_begins(s);
	int r = unified ? unified_open(s, a, image, &window) : 1;

	if (r <= 0)
		return r;
	r = read_all(&window, &keep, image);
	s->error = window.error;
	if (r == -EBADMSG && unified) {
		image->why = arena_printf(a, "its initramfs: %s", image->why);
		return image->why ? r : -ENOMEM;
	}
	return r < 0 ? r : image_keep_finish(&keep, image);
}

static int read_source(struct source *s, struct arena *a, struct host_image *ret)
{
	struct host_image image = {.size = s->size, .compression = "none"};
	int r = read_image(s, a, &image);

	if (r == -ENOMEM)
		return r;
	image.status = r == 0 ? IMAGE_READ : r == -EBADMSG ? IMAGE_BAD : IMAGE_UNREADABLE;
	if (r < 0) {
		image.compression = NULL;
		image.files.n = 0;
	}
	if (r == -EIO)
		image.why = arena_strdup(a, strerror(-s->error));
	if (r < 0 && !image.why)
		return -ENOMEM;
	*ret = image;
	return 0;
}

int image_read_fd(int fd, struct arena *a, struct host_image *ret)
{
	struct source s = {.fd = fd};
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		*ret = (struct host_image){.status = IMAGE_UNREADABLE, .why = "not a regular file"};
		return 0;
	}
	s.size = (uint64_t)st.st_size;
	return read_source(&s, a, ret);
}

int image_read_memory(const void *bytes, size_t size, struct arena *a, struct host_image *ret)
{
	struct source s = {.fd = -1, .bytes = bytes, .size = size};

	return read_source(&s, a, ret);
}
