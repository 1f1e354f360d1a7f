/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decompresses by libarchive. Only its decompressors are used: which files of an image matter, and
 * when it is cut, is for image-newc.c.
 */
#include <archive.h>
#include <errno.h>
#include <string.h>

#include "arena.h"
#include "image-library.h"
#include "image-source.h"

#define CHUNK_SIZE   (128u << 10)
#define EXPANDED_MAX (UINT64_C(2) << 30) /* a boot needs this much memory twice */
#define XZ_DICT_MAX  (UINT64_C(128) << 20)

#define FUNCTIONS(X)                                                                               \
	X(archive_read_new)                                                                        \
	X(archive_read_free)                                                                       \
	X(archive_read_support_format_raw)                                                         \
	X(archive_read_support_filter_gzip)                                                        \
	X(archive_read_support_filter_bzip2)                                                       \
	X(archive_read_support_filter_lzma)                                                        \
	X(archive_read_support_filter_xz)                                                          \
	X(archive_read_support_filter_lz4)                                                         \
	X(archive_read_support_filter_zstd)                                                        \
	X(archive_read_open)                                                                       \
	X(archive_read_next_header)                                                                \
	X(archive_read_data_block)                                                                 \
	X(archive_filter_count)                                                                    \
	X(archive_filter_code)                                                                     \
	X(archive_error_string)

struct api {
	struct library library;
	FUNCTIONS(LIBRARY_FIELD)
};

static void api_close(struct api *api)
{
	library_close(&api->library);
}

static int api_open(struct api *api)
{
	const struct library_symbol symbols[] = {FUNCTIONS(LIBRARY_SYMBOL)};

	return library_open(&api->library, symbols, ARRAY_LEN(symbols));
}

#define MAGIC(bytes) .magic = (bytes), .magic_size = sizeof(bytes) - 1

static const struct compression compressions[] = {
	{.name = "gzip", MAGIC("\x1f\x8b"), .filter = ARCHIVE_FILTER_GZIP},
	{.name = "zstd", MAGIC("\x28\xb5\x2f\xfd"), .filter = ARCHIVE_FILTER_ZSTD},
	{.name = "xz", MAGIC("\xfd\x37zXZ\0"), .filter = ARCHIVE_FILTER_XZ},
	{.name = "lz4", MAGIC("\x02\x21\x4c\x18"), .filter = ARCHIVE_FILTER_LZ4},
	{.name = "bzip2", MAGIC("BZh"), .filter = ARCHIVE_FILTER_BZIP2},
	{.name = "lzma", MAGIC("\x5d\0\0"), .filter = ARCHIVE_FILTER_LZMA},
	{.why = "lz4 in its frame format, which the kernel does not read",
	 MAGIC("\x04\x22\x4d\x18")},
	{.why = "lzo compression is not supported", MAGIC("\x89LZO")},
};

const struct compression *compression_of(const char *bytes, size_t size)
{
	for (size_t i = 0; i < ARRAY_LEN(compressions); i++)
		if (size >= compressions[i].magic_size &&
		    memcmp(bytes, compressions[i].magic, compressions[i].magic_size) == 0)
			return &compressions[i];
	return NULL;
}

static int support(const struct api *api, struct archive *archive, int filter)
{
	switch (filter) {
	case ARCHIVE_FILTER_GZIP:
		return api->archive_read_support_filter_gzip(archive);
	case ARCHIVE_FILTER_ZSTD:
		return api->archive_read_support_filter_zstd(archive);
	case ARCHIVE_FILTER_XZ:
		return api->archive_read_support_filter_xz(archive);
	case ARCHIVE_FILTER_LZ4:
		return api->archive_read_support_filter_lz4(archive);
	case ARCHIVE_FILTER_BZIP2:
		return api->archive_read_support_filter_bzip2(archive);
	case ARCHIVE_FILTER_LZMA:
		return api->archive_read_support_filter_lzma(archive);
	default:
		return ARCHIVE_FATAL;
	}
}

struct feed {
	struct source *source;
	char chunk[CHUNK_SIZE];
};

static la_ssize_t more(struct archive *archive _unused_, void *data, const void **ret)
{
	struct feed *feed = data;
	size_t n = source_read(feed->source, feed->chunk, sizeof(feed->chunk));

	*ret = feed->chunk;
	return feed->source->error ? -1 : (la_ssize_t)n;
}

/* What is wrong when libarchive gave up or an archive inside did. */
static int failed(const struct api *api, struct archive *archive, const struct compression *c,
		  struct arena *a, const char **ret_why)
{
	const char *says = api->archive_error_string(archive);

	*ret_why = arena_printf(a, "%s data is cut short or damaged%s%s", c->name, says ? ": " : "",
				says ? says : "");
	return *ret_why ? -EBADMSG : -ENOMEM;
}

static int broken(const char *why, const char **ret_why)
{
	*ret_why = why;
	return -EBADMSG;
}

static int pump(const struct api *api, struct archive *archive, struct newc *into,
		const char **ret_why)
{
	const void *bytes;
	la_int64_t offset;
	size_t size, used;
	int r;

	while ((r = api->archive_read_data_block(archive, &bytes, &size, &offset)) == ARCHIVE_OK) {
		if (into->total + size > EXPANDED_MAX)
			return broken("unpacks to more than 2 GiB", ret_why);
		if (!size)
			continue;
		r = newc_feed(into, bytes, size, &used);
		if (r == 1)
			return broken("something that is no cpio archive inside", ret_why);
		if (r == -EBADMSG && into->why)
			*ret_why = into->why;
		if (r < 0)
			return r;
	}
	return r == ARCHIVE_EOF ? 0 : -EPROTO;
}

static int unpack(const struct api *api, struct archive *archive, const struct compression *c,
		  struct newc *into, struct arena *a, const char **ret_why)
{
	struct archive_entry *entry;
	int r;

	if (api->archive_read_next_header(archive, &entry) != ARCHIVE_OK)
		return failed(api, archive, c, a, ret_why);
	/* libarchive looks closer than at the magic number, and peels off nested ones too. */
	if (api->archive_filter_count(archive) != 2 ||
	    api->archive_filter_code(archive, 0) != c->filter)
		return failed(api, archive, c, a, ret_why);
	r = pump(api, archive, into, ret_why);
	return r == -EPROTO ? failed(api, archive, c, a, ret_why) : r;
}

/*
 * liblzma takes its dictionary from the heap before it knows that there are data for it. Looks at
 * the first block's header (.xz format 3.1): no builder writes blocks that differ.
 */
static bool xz_asks_too_much(const struct compression *c, const struct source *s)
{
	struct source look = *s;
	unsigned char head[64] = {0};
	size_t n = source_read(&look, head, sizeof(head)), at = 14;
	unsigned bits;

	if (c->filter != ARCHIVE_FILTER_XZ || n < 20)
		return false;
	for (int i = 0; i < 2; i++)
		if (head[13] & (0x40 << i))
			while (at < 32 && head[at++] & 0x80)
				;
	for (int filters = (head[13] & 3) + 1; filters > 0 && at + 3 < sizeof(head); filters--) {
		if (head[at] == 0x21 && head[at + 1] == 1) {
			bits = head[at + 2];
			return bits > 40 ||
			       ((2 | (uint64_t)(bits & 1)) << (bits / 2 + 11)) > XZ_DICT_MAX;
		}
		at += 2u + head[at + 1];
	}
	return false;
}

int decompress(const struct compression *c, struct source *s, struct newc *into, struct arena *a,
	       const char **ret_why)
{
	_cleanup_(api_close) struct api api = {0};
	_cleanup_free_ struct feed *feed = malloc(sizeof(*feed));
	struct archive *archive;
	int r;

	if (!feed)
		return -ENOMEM;
	if (xz_asks_too_much(c, s))
		return broken("asks for more than 128 MiB to be unpacked", ret_why);
	r = api_open(&api);
	if (r < 0)
		return r;
	archive = api.archive_read_new();
	if (!archive)
		return -ENOMEM;
	feed->source = s;
	/* ARCHIVE_WARN of a filter is an external program: not for us. */
	if (api.archive_read_support_format_raw(archive) != ARCHIVE_OK ||
	    support(&api, archive, c->filter) != ARCHIVE_OK)
		r = -ENOSYS;
	else if (api.archive_read_open(archive, feed, NULL, more, NULL) != ARCHIVE_OK)
		r = failed(&api, archive, c, a, ret_why);
	else
		r = unpack(&api, archive, c, into, a, ret_why);
	api.archive_read_free(archive);
	return s->error ? -EIO : r;
}
