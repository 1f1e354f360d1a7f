/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base64.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_add(struct strbuf *out, const void *bytes, size_t size)
{
	const unsigned char *p = bytes;

	for (size_t at = 0; at < size; at += 3) {
		size_t n = size - at < 3 ? size - at : 3;
		uint32_t v = (uint32_t)p[at] << 16;

		v |= n > 1 ? (uint32_t)p[at + 1] << 8 : 0;
		v |= n > 2 ? p[at + 2] : 0;
		strbuf_addc(out, digits[v >> 18]);
		strbuf_addc(out, digits[v >> 12 & 63]);
		strbuf_addc(out, n > 1 ? digits[v >> 6 & 63] : '=');
		strbuf_addc(out, n > 2 ? digits[v & 63] : '=');
	}
}

static int read_four(const char *four, bool last, unsigned char ret[static 3], size_t *ret_n)
{
	size_t n = four[3] != '=' ? 3 : four[2] != '=' ? 2 : 1;
	uint32_t v = 0;

	if (n < 3 && !last)
		return -EBADMSG;
	for (size_t i = 0; i < 4; i++) {
		const char *digit = i <= n ? strchr(digits, four[i]) : digits;

		if (!digit)
			return -EBADMSG;
		v = v << 6 | (uint32_t)(digit - digits);
	}
	/* Bits that no byte takes up must be zero: one text for equal bytes. */
	if ((n == 1 && (v & 0xffff)) || (n == 2 && (v & 0xff)))
		return -EBADMSG;
	ret[0] = (unsigned char)(v >> 16);
	ret[1] = (unsigned char)(v >> 8);
	ret[2] = (unsigned char)v;
	*ret_n = n;
	return 0;
}

int base64_read(struct arena *a, const char *text, const char **ret, size_t *ret_size)
{
	size_t length = strlen(text), size = 0;
	unsigned char *bytes;

	if (length % 4)
		return -EBADMSG;
	bytes = arena_alloc(a, length / 4 * 3 + 1);
	if (!bytes)
		return -ENOMEM;
	for (size_t at = 0; at < length; at += 4) {
		size_t n;
		int err = read_four(text + at, at + 4 == length, bytes + size, &n);

		if (err < 0)
			return err;
		size += n;
	}
	bytes[size] = 0;
	*ret = (const char *)bytes;
	*ret_size = size;
	return 0;
}
