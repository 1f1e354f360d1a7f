/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "utf8.h"

#include <stdint.h>

static bool continues(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

size_t utf8_length(const char *text, size_t size)
{
	const unsigned char *c = (const unsigned char *)text;
	size_t n = !size	 ? 0
		   : c[0] < 0x80 ? 1
		   : c[0] < 0xc2 ? 0
		   : c[0] < 0xe0 ? 2
		   : c[0] < 0xf0 ? 3
		   : c[0] < 0xf5 ? 4
				 : 0;

	if (n > size)
		return 0;
	for (size_t i = 1; i < n; i++)
		if (!continues(c[i]))
			return 0;
	/* Overlong forms, surrogates, and what lies beyond U+10FFFF. */
	if (n == 3 && ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] >= 0xa0)))
		return 0;
	if (n == 4 && ((c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] >= 0x90)))
		return 0;
	return n;
}

bool utf8_text(const char *text, size_t size)
{
	for (size_t at = 0, n; at < size; at += n) {
		n = utf8_length(text + at, size - at);
		if (n == 0 || !text[at])
			return false;
	}
	return true;
}
