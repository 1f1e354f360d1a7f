/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake-cpio.h"

#include <errno.h>
#include <string.h>

#define HEADER 110
#define LAST   "TRAILER!!!"

static void pad(struct strbuf *out)
{
	while (out->len % 4)
		strbuf_addc(out, '\0');
}

void cpio_add(struct strbuf *out, const char *name, const char *bytes, size_t size)
{
	const unsigned fields[13] = {
		0, 0100644, 0, 0, 1, 0, (unsigned)size, 0, 0, 0, 0, (unsigned)strlen(name) + 1, 0};

	strbuf_add(out, "070701");
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		strbuf_addf(out, "%08X", fields[i]);
	strbuf_addn(out, name, strlen(name) + 1);
	pad(out);
	strbuf_addn(out, bytes, size);
	pad(out);
}

void cpio_end(struct strbuf *out)
{
	cpio_add(out, LAST, "", 0);
}

static size_t field(const char *header, int index)
{
	char text[9] = "";

	memcpy(text, header + 6 + 8 * index, 8);
	return strtoul(text, NULL, 16);
}

static int add_module(struct arena *a, const char *path, struct words *ret)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	const char *ko = strstr(base, ".ko");

	if (!ko)
		return 0;
	base = arena_strndup(a, base, (size_t)(ko - base));
	return base && words_add(a, ret, base) >= 0 ? 0 : -ENOMEM;
}

int cpio_modules(struct arena *a, const char *image, size_t size, struct words *ret)
{
	size_t at = 0;

	while (at + HEADER < size && memcmp(image + at, "07070", 5) == 0) {
		size_t names = field(image + at, 11), bytes = field(image + at, 6);
		const char *name = image + at + HEADER;

		if (names == 0 || at + HEADER + names > size || name[names - 1])
			break;
		if (add_module(a, name, ret) < 0)
			return -ENOMEM;
		at = (at + HEADER + names + 3) / 4 * 4;
		at = (at + bytes + 3) / 4 * 4;
		while (strcmp(name, LAST) == 0 && at < size && !image[at])
			at++;
	}
	return 0;
}
