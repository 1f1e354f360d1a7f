/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text from a host as UTF-8 that cannot steer a terminal or break a JSON document. */
#include <stdint.h>

#include "render-page.h"

/* Length of the UTF-8 character at text, 0 when there is none (RFC 3629). */
static size_t decode(const char *text, size_t n, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char first = (unsigned char)text[0];
	size_t len = first < 0x80	      ? 1
		     : (first & 0xe0) == 0xc0 ? 2
		     : (first & 0xf0) == 0xe0 ? 3
		     : (first & 0xf8) == 0xf0 ? 4
					      : 0;
	uint32_t value = len == 1 ? first : first & (0x7fu >> len);

	if (len == 0 || len > n)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | ((unsigned char)text[i] & 0x3f);
	}
	if (value < least[len] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return 0;
	*ret = value;
	return len;
}

/* Controls, and marks that turn the direction of what follows. */
static bool steers(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || c == 0x200e || c == 0x200f ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

void render_escape(struct strbuf *out, const char *text, size_t n, bool keep_controls)
{
	while (n) {
		uint32_t c = 0;
		size_t len = decode(text, n, &c);
		bool plain = len && (keep_controls || !steers(c));

		if (!len)
			len = 1;
		if (plain)
			strbuf_addn(out, text, len);
		for (size_t i = 0; !plain && i < len; i++)
			strbuf_addf(out, "\\x%02x", (unsigned char)text[i]);
		text += len;
		n -= len;
	}
}
