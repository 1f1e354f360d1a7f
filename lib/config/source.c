/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source.h"

#include <stdint.h>
#include <string.h>

#define BAD UINT32_MAX

/* Decodes one character strictly (no overlong form, no surrogate); returns its length, 1 if BAD. */
static size_t decode(const unsigned char *p, size_t left, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = p[0] < 0x80		   ? 1
		   : (p[0] & 0xe0) == 0xc0 ? 2
		   : (p[0] & 0xf0) == 0xe0 ? 3
		   : (p[0] & 0xf8) == 0xf0 ? 4
					   : 0;
	uint32_t c = n == 1 ? p[0] : n ? p[0] & (0xffu >> (n + 1)) : BAD;

	for (size_t i = 1; i < n && c != BAD; i++)
		c = i < left && (p[i] & 0xc0) == 0x80 ? c << 6 | (p[i] & 0x3f) : BAD;
	if (c == BAD || c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
		*ret = BAD;
		return 1;
	}
	*ret = c;
	return n;
}

/* YAML 1.1, "c-printable". */
static bool allowed(uint32_t c)
{
	return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c <= 0x7e) || c == 0x85 ||
	       (c >= 0xa0 && c <= 0xfffd && c != 0xfeff) || (c >= 0x10000 && c <= 0x10ffff);
}

/* What libyaml counts as the end of a line, so that its line numbers are ours. */
static bool ends_line(const unsigned char *p, size_t left, uint32_t c)
{
	if (c == '\r')
		return left < 2 || p[1] != '\n';
	return c == '\n' || c == 0x85 || c == 0x2028 || c == 0x2029;
}

static void refuse(struct source *s, struct diags *diags, unsigned column, size_t at, uint32_t c)
{
	unsigned char byte = (unsigned char)s->bytes[at];
	struct place place = {.line = (unsigned)s->starts.n, .column = column};

	s->cut = true;
	if (at == 0 && (byte == 0xff || byte == 0xfe))
		source_error(s, diags, place, CODE_SYNTAX,
			     "this looks like UTF-16; save the file as UTF-8");
	else if (c == 0)
		source_error(s, diags, place, CODE_SYNTAX,
			     "a NUL byte stands here: this is not a text file");
	else if (c == BAD)
		source_error(s, diags, place, CODE_SYNTAX,
			     "byte 0x%02x is not UTF-8; save the file as UTF-8", byte);
	else
		source_error(s, diags, place, CODE_SYNTAX,
			     "the control character U+%04X is not allowed in YAML", c);
}

static int scan(struct arena *a, struct source *s, struct diags *diags)
{
	const unsigned char *p = (const unsigned char *)s->bytes;
	size_t all = s->size;
	unsigned column = 1;
	uint32_t c;

	if (array_push(a, &s->starts, 0) < 0)
		return -ENOMEM;
	for (size_t at = 0; at < all;) {
		size_t n = decode(p + at, all - at, &c);

		if (!allowed(c)) {
			s->size = at;
			refuse(s, diags, column, at, c);
			return 0;
		}
		column++;
		if (ends_line(p + at, all - at, c)) {
			if (array_push(a, &s->starts, at + n) < 0)
				return -ENOMEM;
			column = 1;
		}
		at += n;
	}
	return 0;
}

int source_open(struct arena *a, const struct config_input *input, struct diags *diags,
		struct source *ret)
{
	static const char mark[] = "\xef\xbb\xbf";
	struct source s = {.path = input->path};
	int err;

	if (input->size > SPEC_FILE_MAX) {
		s.cut = true;
		source_error(&s, diags, (struct place){0}, CODE_TOO_LARGE,
			     "the file has %zu bytes; a spec of more than %u is not read",
			     input->size, SPEC_FILE_MAX);
		*ret = s;
		return 0;
	}
	s.bytes = input->size ? input->bytes : "";
	s.size = input->size;
	if (s.size >= 3 && memcmp(s.bytes, mark, 3) == 0) {
		s.bytes += 3;
		s.size -= 3;
	}
	err = scan(a, &s, diags);
	if (err < 0)
		return err;
	*ret = s;
	return 0;
}

/* Offset of a character in its line, in bytes; stops at the end of the line. */
static size_t walk(const char *line, size_t left, unsigned column)
{
	size_t at = 0;

	while (column > 1 && at < left && line[at] != '\n' && line[at] != '\r') {
		at++;
		while (at < left && ((unsigned char)line[at] & 0xc0) == 0x80)
			at++;
		column--;
	}
	return at;
}

char source_char(const struct source *s, unsigned line, unsigned column)
{
	size_t at;

	if (line == 0 || line > s->starts.n)
		return '\0';
	at = s->starts.at[line - 1];
	at += walk(s->bytes + at, s->size - at, column);
	return at < s->size ? s->bytes[at] : '\0';
}

/* The line as text; what stands behind s->size is no text, so the line ends there. */
static const char *line_text(const struct source *s, struct place at,
			     char ret[static SOURCE_LINE_SIZE])
{
	size_t from, end, n;

	if (at.line == 0 || at.line > s->starts.n || at.column > SOURCE_LINE_MAX)
		return NULL;
	from = s->starts.at[at.line - 1];
	end = at.line < s->starts.n ? s->starts.at[at.line] : s->size;
	n = walk(s->bytes + from, end - from, SOURCE_LINE_MAX + 1);
	memcpy(ret, s->bytes + from, n);
	ret[n] = '\0';
	return ret;
}

bool source_listens(const struct source *s)
{
	return s->errors < SOURCE_ERRORS_MAX;
}

void source_report(struct source *s, struct diags *diags, struct place at, enum code code,
		   const char *message)
{
	char line[SOURCE_LINE_SIZE];

	at.file = s->path;
	s->errors++;
	if (s->errors == SOURCE_ERRORS_MAX + 1)
		message = "more is wrong from here on; mend what stands above first";
	diags->lost |= !message;
	if (message && s->errors <= SOURCE_ERRORS_MAX + 1)
		diags_add(diags, SEVERITY_ERROR, code, at, line_text(s, at, line), "%s", message);
}

void source_warning(struct source *s, struct diags *diags, struct place at, enum code code,
		    const char *message)
{
	char line[SOURCE_LINE_SIZE];

	at.file = s->path;
	diags_add(diags, SEVERITY_WARNING, code, at, line_text(s, at, line), "%s", message);
}

void source_error(struct source *s, struct diags *diags, struct place at, enum code code,
		  const char *fmt, ...)
{
	const char *message = "";
	va_list ap;

	va_start(ap, fmt);
	if (source_listens(s))
		message = arena_vprintf(diags->arena, fmt, ap);
	va_end(ap);
	source_report(s, diags, at, code, message);
}
