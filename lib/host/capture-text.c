/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "capture-text.h"

#include <stdint.h>
#include <string.h>

/*
 * Whether eight bytes are printable ASCII without a backslash. A byte's high bit is set by itself,
 * or below 0x20, or from 0x7f on, or when it is a backslash; a carry may flag its neighbour too,
 * which costs a second look.
 */
static bool plain_word(const char *s)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
	uint64_t w, slash;

	memcpy(&w, s, 8);
	slash = w ^ (ones * '\\');
	return !((w | (w - ones * 0x20) | (w + ones) | (slash - ones)) & high);
}

/* How many bytes at the front need no second look. */
static size_t plain_prefix(const char *s, size_t n)
{
	size_t i = 0;

	while (i + 8 <= n && plain_word(s + i))
		i += 8;
	/* The rest of a line by a word that overlaps what was looked at. */
	if (n >= 8 && n - i < 8 && plain_word(s + n - 8))
		return n;
	while (i < n && s[i] >= 0x20 && s[i] < 0x7f && s[i] != '\\')
		i++;
	return i;
}

/* Length of the well-formed UTF-8 sequence of several bytes at s, 0 when there is none. */
static size_t utf8_sequence(const unsigned char *s, size_t n)
{
	static const struct {
		unsigned char lead_min, lead_max, second_min, second_max, length;
	} forms[] = {
		{0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
		{0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3},
		{0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
		{0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		if (s[0] < forms[i].lead_min || s[0] > forms[i].lead_max)
			continue;
		if (n < forms[i].length || s[1] < forms[i].second_min || s[1] > forms[i].second_max)
			return 0;
		for (size_t k = 2; k < forms[i].length; k++)
			if ((s[k] & 0xc0) != 0x80)
				return 0;
		return forms[i].length;
	}
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Length of the escape at s, which is a backslash; 0 when it is none. */
static size_t escape_length(const char *s, size_t n)
{
	if (n >= 2 && s[1] == '\\')
		return 2;
	if (n >= 4 && s[1] == 'x' && hex_digit(s[2]) >= 0 && hex_digit(s[3]) >= 0)
		return 4;
	return 0;
}

enum capture_flaw capture_check_line(const char *line, size_t n, size_t *ret_at, bool *ret_plain)
{
	size_t i = plain_prefix(line, n);

	*ret_plain = true;
	while (i < n) {
		unsigned char c = (unsigned char)line[i];
		size_t step;

		*ret_at = i;
		if (c == '\\') {
			*ret_plain = false;
			step = escape_length(line + i, n - i);
			if (!step)
				return FLAW_ESCAPE;
		} else if (c >= 0x80) {
			step = utf8_sequence((const unsigned char *)line + i, n - i);
			if (!step)
				return FLAW_UTF8;
		} else if (c == '\t') {
			step = 1;
		} else {
			return FLAW_CONTROL;
		}
		i += step;
		i += plain_prefix(line + i, n - i);
	}
	return FLAW_NONE;
}

size_t capture_decoded_size(const char *text, size_t n)
{
	const char *end = text + n, *p = text;
	size_t size = n;

	while ((p = memchr(p, '\\', (size_t)(end - p)))) {
		size_t length = escape_length(p, (size_t)(end - p));

		if (!length)
			break;
		size -= length - 1;
		p += length;
	}
	return size;
}

size_t capture_decode(const char *text, size_t n, char *ret)
{
	size_t size = 0;

	if (!n || !memchr(text, '\\', n)) {
		if (n)
			memcpy(ret, text, n);
		return n;
	}
	for (size_t i = 0; i < n;) {
		size_t length = text[i] == '\\' ? escape_length(text + i, n - i) : 0;

		if (length == 4)
			ret[size++] = (char)(hex_digit(text[i + 2]) << 4 | hex_digit(text[i + 3]));
		else
			ret[size++] = text[i];
		i += length ? length : 1;
	}
	return size;
}

static void encode(struct strbuf *out, const char *bytes, size_t n, const char *also)
{
	for (size_t i = 0; i < n;) {
		unsigned char c = (unsigned char)bytes[i];
		size_t step = c < 0x80 ? 1 : utf8_sequence((const unsigned char *)bytes + i, n - i);

		if (c == '\\')
			strbuf_add(out, "\\\\");
		else if (!step || c == 0x7f || (c < 0x20 && c != '\t') || (c && strchr(also, c)))
			strbuf_addf(out, "\\x%02x", c);
		else
			strbuf_addn(out, bytes + i, step);
		i += step ? step : 1;
	}
}

void capture_encode_text(struct strbuf *out, const char *bytes, size_t n)
{
	bool blank_last = n && (bytes[n - 1] == ' ' || bytes[n - 1] == '\t');

	/* A blank at the end of a line is easily lost on the way. */
	encode(out, bytes, n - blank_last, "");
	if (blank_last)
		strbuf_addf(out, "\\x%02x", (unsigned char)bytes[n - 1]);
}

void capture_encode_name(struct strbuf *out, const char *bytes, size_t n)
{
	bool first = n && strchr("#;[+!", bytes[0]) && bytes[0];

	if (first)
		strbuf_addf(out, "\\x%02x", (unsigned char)bytes[0]);
	encode(out, bytes + first, n - first, " \t");
}
