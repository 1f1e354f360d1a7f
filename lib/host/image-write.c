/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image-write.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "early.h"
#include "image-library.h"
#include "pe-write.h"

#define LZ4_CHUNK (8u << 20) /* of the legacy format: unpacked bytes a block, at most */

/* --- the archive ----------------------------------------------------------------------------- */

struct archive_file {
	const char *path, *bytes;
	size_t size;
	unsigned mode, ino;
};

static void pad(struct strbuf *out)
{
	while (out->len % 4)
		strbuf_addc(out, '\0');
}

static void add_entry(struct strbuf *out, const struct archive_file *file)
{
	unsigned links = S_ISDIR(file->mode) ? 2 : 1;

	/* ino mode uid gid nlink mtime size major minor rmajor rminor namesize check */
	strbuf_addf(out, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", file->ino,
		    file->mode, 0u, 0u, links, 0u, (unsigned)file->size, 0u, 0u, 0u, 0u,
		    (unsigned)strlen(file->path) + 1, 0u);
	strbuf_addn(out, file->path, strlen(file->path) + 1);
	pad(out);
	strbuf_addn(out, file->bytes, file->size);
	pad(out);
}

struct writer {
	struct strbuf *out;
	struct arena *arena;
	struct words folders; /* written already */
	unsigned ino;
	bool failed;
};

/* The folders above a path, once each: the kernel makes none by itself. */
static void add_folders(struct writer *w, const char *path)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		const char *folder = arena_strndup(w->arena, path, (size_t)(slash - path));
		int r = folder ? words_add(w->arena, &w->folders, folder) : -ENOMEM;

		if (r < 0)
			w->failed = true;
		if (r == 1)
			add_entry(w->out, &(struct archive_file){.path = folder,
								 .mode = S_IFDIR | 0755,
								 .ino = ++w->ino});
	}
}

static void add_file(struct writer *w, const char *path, const char *bytes, size_t size,
		     unsigned mode)
{
	struct archive_file file = {path, bytes, size, S_IFREG | mode, ++w->ino};

	add_folders(w, path);
	add_entry(w->out, &file);
}

void image_write_archive(const struct host_image *image, struct arena *a, struct strbuf *out)
{
	struct writer w = {.out = out, .arena = a};

	add_file(&w, "init", "", 0, 0755);
	array_foreach(file, &image->files)
		if (file->path[0] != '.')
			add_file(&w, file->path, file->text, file->size, 0644);
	array_foreach(name, &image->modules) {
		const char *path = arena_printf(a, "lib/modules/%s.ko", *name);

		if (path)
			add_file(&w, path, "", 0, 0644);
		w.failed |= !path;
	}
	add_entry(out, &(struct archive_file){.path = "TRAILER!!!"});
	if (w.failed)
		out->error = -ENOMEM;
}

/* --- compressing ----------------------------------------------------------------------------- */

#define FUNCTIONS(X)                                                                               \
	X(archive_write_new)                                                                       \
	X(archive_write_free)                                                                      \
	X(archive_write_set_format_raw)                                                            \
	X(archive_write_add_filter_gzip)                                                           \
	X(archive_write_add_filter_bzip2)                                                          \
	X(archive_write_add_filter_lzma)                                                           \
	X(archive_write_add_filter_xz)                                                             \
	X(archive_write_add_filter_zstd)                                                           \
	X(archive_write_set_bytes_in_last_block)                                                   \
	X(archive_write_open)                                                                      \
	X(archive_write_header)                                                                    \
	X(archive_write_data)                                                                      \
	X(archive_write_close)                                                                     \
	X(archive_entry_new)                                                                       \
	X(archive_entry_free)                                                                      \
	X(archive_entry_set_filetype)

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

static int add_filter(const struct api *api, struct archive *archive, const char *compression)
{
	const struct {
		const char *name;
		int (*add)(struct archive *);
	} filters[] = {
		{"gzip", api->archive_write_add_filter_gzip},
		{"bzip2", api->archive_write_add_filter_bzip2},
		{"lzma", api->archive_write_add_filter_lzma},
		{"xz", api->archive_write_add_filter_xz},
		{"zstd", api->archive_write_add_filter_zstd},
	};

	for (size_t i = 0; i < ARRAY_LEN(filters); i++)
		if (strcmp(filters[i].name, compression) == 0)
			return filters[i].add(archive) == ARCHIVE_OK ? 0 : -ENOTSUP;
	return -ENOTSUP;
}

static la_ssize_t collect(struct archive *archive _unused_, void *data, const void *bytes,
			  size_t size)
{
	struct strbuf *out = data;

	strbuf_addn(out, bytes, size);
	return out->error ? -1 : (la_ssize_t)size;
}

static int write_raw(const struct api *api, struct archive *archive, struct strbuf *out,
		     const struct strbuf *from)
{
	struct archive_entry *entry = api->archive_entry_new();
	bool good;

	if (!entry)
		return -ENOMEM;
	api->archive_entry_set_filetype(entry, AE_IFREG);
	good = api->archive_write_open(archive, out, NULL, collect, NULL) == ARCHIVE_OK &&
	       api->archive_write_header(archive, entry) == ARCHIVE_OK &&
	       api->archive_write_data(archive, from->text, from->len) == (la_ssize_t)from->len &&
	       api->archive_write_close(archive) == ARCHIVE_OK;
	api->archive_entry_free(entry);
	return good ? 0 : out->error ? out->error : -ENOTSUP;
}

static int by_libarchive(const char *compression, const struct strbuf *from, struct strbuf *out)
{
	_cleanup_(api_close) struct api api = {0};
	struct archive *archive;
	int r = api_open(&api);

	if (r < 0)
		return -ENOTSUP;
	archive = api.archive_write_new();
	if (!archive)
		return -ENOMEM;
	if (api.archive_write_set_format_raw(archive) != ARCHIVE_OK ||
	    api.archive_write_set_bytes_in_last_block(archive, 1) != ARCHIVE_OK)
		r = -ENOTSUP;
	if (r == 0)
		r = add_filter(&api, archive, compression);
	if (r == 0)
		r = write_raw(&api, archive, out, from);
	api.archive_write_free(archive);
	return r;
}

static void add_le32(struct strbuf *out, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		strbuf_addc(out, (char)(value >> 8 * i));
}

/*
 * The legacy container that kernels read, and that libarchive only reads: blocks of one sequence
 * that is all literals.
 */
static void lz4_block(const char *bytes, size_t n, struct strbuf *out)
{
	size_t left = n < 15 ? 0 : n - 15;

	strbuf_addc(out, (char)(n < 15 ? n << 4 : 0xf0));
	for (; n >= 15 && left >= 255; left -= 255)
		strbuf_addc(out, (char)255);
	if (n >= 15)
		strbuf_addc(out, (char)left);
	strbuf_addn(out, bytes, n);
}

static void lz4_legacy(const struct strbuf *from, struct strbuf *out)
{
	strbuf_addn(out, "\x02\x21\x4c\x18", 4);
	for (size_t at = 0, n; at < from->len; at += n) {
		_cleanup_strbuf_ struct strbuf block = {0};

		n = from->len - at < LZ4_CHUNK ? from->len - at : LZ4_CHUNK;
		lz4_block(from->text + at, n, &block);
		if (block.error)
			out->error = block.error;
		add_le32(out, (uint32_t)block.len);
		strbuf_addn(out, block.text, block.len);
	}
}

int image_compress(const char *compression, const struct strbuf *archive, struct strbuf *out)
{
	if (strcmp(compression, "none") == 0)
		strbuf_addn(out, archive->text, archive->len);
	else if (strcmp(compression, "lz4") == 0)
		lz4_legacy(archive, out);
	else
		return by_libarchive(compression, archive, out);
	return out->error;
}

/* The sections that a unified image was seen to have; of those that were not kept, the name. */
static int write_unified(const struct host_image *image, const struct strbuf *initrd,
			 struct arena *a, struct strbuf *out)
{
	ARRAY_OF(struct pe_part) parts = {0};
	const char *line = image_file(image, UNIFIED_SECTIONS)->text;
	bool signature = false;

	for (size_t n; *line; line += n + (line[n] == '\n')) {
		struct pe_part part = {.name = "", .bytes = "stub", .size = 4};
		const struct image_file *text;

		n = strcspn(line, "\n");
		part.name = arena_strndup(a, line, n);
		if (!part.name)
			return -ENOMEM;
		text = image_file(image, part.name);
		if (text)
			part = (struct pe_part){part.name, text->text, text->size};
		if (strcmp(part.name, ".initrd") == 0)
			part = (struct pe_part){part.name, initrd->text, initrd->len};
		if (strcmp(part.name, UNIFIED_SIGNATURE) == 0)
			signature = true;
		else if (array_push(a, &parts, part) < 0)
			return -ENOMEM;
	}
	pe_write(parts.at, parts.n, signature, out);
	return out->error;
}

int image_write(const struct host_image *image, struct strbuf *out)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_strbuf_ struct strbuf archive = {0}, packed = {0};
	int r;

	if (!a)
		return -ENOMEM;
	image_write_archive(image, a, &archive);
	if (archive.error)
		return archive.error;
	r = image_compress(image->compression ? image->compression : "none", &archive, &packed);
	if (r == -ENOTSUP) {
		strbuf_done(&packed);
		r = image_compress("none", &archive, &packed);
	}
	if (r < 0)
		return r;
	if (image_file(image, UNIFIED_SECTIONS))
		return write_unified(image, &packed, a, out);
	strbuf_addn(out, packed.text, packed.len);
	return out->error;
}
