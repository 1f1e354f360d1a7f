/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture-put.h"

#include <inttypes.h>
#include <string.h>

#include "capture-text.h"

#define LINE_WIDTH 98 /* of the lines that list modules */

static void put_path(struct strbuf *out, const char *path, bool image)
{
	size_t n = strlen(path);
	bool mark = !image && n && path[n - 1] == '!';

	strbuf_add(out, "[");
	capture_encode_name(out, path, n - mark);
	strbuf_add(out, mark ? "\\x21]\n" : image ? "!]\n" : "]\n");
}

void capture_put_section(struct strbuf *out, const char *path)
{
	put_path(out, path, false);
}

static void put_block(struct strbuf *out, const char *bytes, size_t size)
{
	const char *end = bytes + size;

	strbuf_add(out, end[-1] == '\n' ? " <<\n" : " <|\n");
	if (end[-1] == '\n')
		end--;
	for (const char *p = bytes;;) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));

		strbuf_addc(out, '\t');
		capture_encode_text(out, p, (size_t)((stop ? stop : end) - p));
		strbuf_addc(out, '\n');
		if (!stop)
			return;
		p = stop + 1;
	}
}

void capture_put_file(struct strbuf *out, const char *name, const char *bytes, size_t size)
{
	const char *newline = size ? memchr(bytes, '\n', size) : NULL;
	size_t line = newline ? (size_t)(newline - bytes) : size;

	capture_encode_name(out, name, strlen(name));
	if (newline && line + 1 < size) {
		put_block(out, bytes, size);
		return;
	}
	strbuf_add(out, newline ? " =" : " :");
	if (line)
		strbuf_addc(out, ' ');
	capture_encode_text(out, bytes, line);
	strbuf_addc(out, '\n');
}

void capture_put_folder(struct strbuf *out, const char *name)
{
	capture_encode_name(out, name, strlen(name));
	strbuf_add(out, "/\n");
}

void capture_put_error(struct strbuf *out, const char *name, const char *error)
{
	capture_encode_name(out, name, strlen(name));
	strbuf_addf(out, " ! %s\n", error ? error : "EIO");
}

void capture_put_mode(struct strbuf *out, const char *name, unsigned mode, unsigned uid,
		      unsigned gid)
{
	capture_encode_name(out, name, strlen(name));
	strbuf_addf(out, " @ %04o %u %u\n", mode, uid, gid);
}

void capture_put_link(struct strbuf *out, const char *name, const char *target)
{
	capture_encode_name(out, name, strlen(name));
	strbuf_add(out, " -> ");
	capture_encode_text(out, target, strlen(target));
	strbuf_addc(out, '\n');
}

void capture_put_image_line(struct strbuf *out, const char *name, const struct host_image *image)
{
	capture_encode_name(out, name, strlen(name));
	if (image->status == IMAGE_READ) {
		strbuf_addf(out, " image %s %" PRIu64 "\n", image->compression, image->size);
		return;
	}
	strbuf_add(out, image->status == IMAGE_BAD ? " image bad " : " image unreadable ");
	capture_encode_text(out, image->why, strlen(image->why));
	strbuf_addc(out, '\n');
}

static void put_modules(struct strbuf *out, const struct words *modules)
{
	size_t width = 0;

	array_foreach(name, modules) {
		size_t n = strlen(*name);

		if (width && width + n + 1 > LINE_WIDTH)
			width = 0;
		if (!width)
			strbuf_add(out, name == modules->at ? "+" : "\n+");
		strbuf_addf(out, " %s", *name);
		width += n + 1;
	}
	if (modules->n)
		strbuf_addc(out, '\n');
}

void capture_put_image(struct strbuf *out, const char *path, const struct host_image *image)
{
	if (image->status != IMAGE_READ || !(image->modules.n + image->files.n))
		return;
	put_path(out, path, true);
	put_modules(out, &image->modules);
	array_foreach(file, &image->files)
		capture_put_file(out, file->path, file->text, file->size);
}
