/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a builder said, made fit to be shown: bounded, whole lines, valid UTF-8. Pure. */
#include <stdint.h>
#include <string.h>

#include "child.h"
#include "utf8.h"

static const char *last_lines(const char *text, const char *end, unsigned lines)
{
	const char *at = end;

	if (at > text && at[-1] == '\n')
		at--;
	while (at > text) {
		if (at[-1] == '\n' && --lines == 0)
			break;
		at--;
	}
	return at;
}

const char *output_tail(struct arena *a, const char *text, size_t size, unsigned lines, size_t max)
{
	const char *end = text + size, *at = last_lines(text, end, lines);
	char *out, *to;

	if ((size_t)(end - at) > max) {
		const char *line;

		at = end - max;
		line = memchr(at, '\n', max);
		if (line && line + 1 < end)
			at = line + 1;
	}
	/* A replacement is three bytes long. */
	to = out = arena_alloc(a, (size_t)(end - at) * 3 + 1);
	if (!out)
		return NULL;
	while (at < end) {
		size_t n = utf8_length(at, (size_t)(end - at));
		bool shown = n > 1 || (n == 1 &&
				       ((unsigned char)*at >= 0x20 || *at == '\n' || *at == '\t') &&
				       *at != 0x7f);

		if (shown)
			to = mempcpy(to, at, n);
		else if (*at != '\r') /* progress bars return to the line's start */
			to = mempcpy(to, "\xef\xbf\xbd", 3);
		at += n ? n : 1;
	}
	return out;
}
