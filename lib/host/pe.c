/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pe.h"

#include <errno.h>
#include <string.h>

#define DOS_SIZE     64
#define DOS_PE_AT    0x3c
#define COFF_SIZE    24 /* with the four bytes before it */
#define SECTION_SIZE 40
#define SECTIONS_MAX 512

/* Of the optional header: its kind, how many directories, and the fourth, of certificates. */
#define MAGIC_32	0x10b
#define MAGIC_64	0x20b
#define DIRECTORIES_32	92
#define DIRECTORIES_64	108
#define DIRECTORY_SIZE	8
#define CERTIFICATES	4
#define OPTIONAL_LOOKED (DIRECTORIES_64 + 4 + (CERTIFICATES + 1) * DIRECTORY_SIZE)

static uint32_t le16(const unsigned char *at)
{
	return at[0] | (uint32_t)at[1] << 8;
}

static uint32_t le32(const unsigned char *at)
{
	return le16(at) | le16(at + 2) << 16;
}

static bool inside(uint64_t size, uint64_t at, uint64_t n)
{
	return at <= size && n <= size - at;
}

static int bad(const char **ret_why, const char *why)
{
	*ret_why = why;
	return -EBADMSG;
}

bool pe_begins(const void *bytes, size_t size)
{
	return size >= 2 && memcmp(bytes, "MZ", 2) == 0;
}

/* Both forms of the header have the directories behind all else. */
static int read_optional(struct pe_source s, uint64_t at, uint32_t size, struct pe *pe)
{
	unsigned char head[OPTIONAL_LOOKED] = {0};
	const unsigned char *directory;
	uint32_t base, n = size < sizeof(head) ? size : (uint32_t)sizeof(head);
	int err = n ? s.read(s.ctx, at, n, head) : 0;

	if (err < 0)
		return err;
	base = le16(head) == MAGIC_64	? DIRECTORIES_64
	       : le16(head) == MAGIC_32 ? DIRECTORIES_32
					: 0;
	if (!base || base + 4 + (CERTIFICATES + 1) * DIRECTORY_SIZE > n ||
	    le32(head + base) <= CERTIFICATES)
		return 0;
	directory = head + base + 4 + (size_t)CERTIFICATES * DIRECTORY_SIZE;
	pe->has_signature = le32(directory) && le32(directory + 4);
	return 0;
}

static int add_section(struct arena *a, const struct pe_source *s, const unsigned char *row,
		       struct pe *pe, const char **ret_why)
{
	struct pe_section section = {
		.virtual_size = le32(row + 8),
		.raw_size = le32(row + 16),
		.offset = le32(row + 20),
	};

	memcpy(section.name, row, 8);
	/* Nothing of it is in the file: its offset means nothing. */
	if (!section.raw_size)
		section.offset = 0;
	if (!inside(s->size, section.offset, section.raw_size))
		return bad(ret_why, "cut short: a section reaches beyond its end");
	section.size = section.virtual_size && section.virtual_size < section.raw_size
			       ? section.virtual_size
			       : section.raw_size;
	return array_push(a, &pe->sections, section);
}

static int read_sections(struct arena *a, const struct pe_source *s, uint64_t at, uint32_t n,
			 struct pe *pe, const char **ret_why)
{
	if (n > SECTIONS_MAX)
		return bad(ret_why, "too many sections");
	if (!inside(s->size, at, (uint64_t)n * SECTION_SIZE))
		return bad(ret_why, "cut short in its table of sections");
	for (uint32_t i = 0; i < n; i++) {
		unsigned char row[SECTION_SIZE];
		int err = s->read(s->ctx, at + (uint64_t)i * SECTION_SIZE, sizeof(row), row);

		if (err == 0)
			err = add_section(a, s, row, pe, ret_why);
		if (err < 0)
			return err;
	}
	return 0;
}

int pe_open(struct arena *a, struct pe_source source, struct pe *ret, const char **ret_why)
{
	unsigned char dos[DOS_SIZE], coff[COFF_SIZE];
	struct pe pe = {0};
	uint32_t optional;
	uint64_t at;
	int err;

	if (!inside(source.size, 0, DOS_SIZE))
		return bad(ret_why, "cut short in its first header");
	err = source.read(source.ctx, 0, DOS_SIZE, dos);
	if (err < 0)
		return err;
	at = le32(dos + DOS_PE_AT);
	if (!pe_begins(dos, sizeof(dos)) || !inside(source.size, at, COFF_SIZE))
		return bad(ret_why, "no PE file");
	err = source.read(source.ctx, at, COFF_SIZE, coff);
	if (err < 0)
		return err;
	if (memcmp(coff, "PE\0\0", 4) != 0)
		return bad(ret_why, "no PE file");
	optional = le16(coff + 20);
	if (!inside(source.size, at + COFF_SIZE, optional))
		return bad(ret_why, "cut short in its second header");
	err = read_optional(source, at + COFF_SIZE, optional, &pe);
	if (err == 0)
		err = read_sections(a, &source, at + COFF_SIZE + optional, le16(coff + 6), &pe,
				    ret_why);
	if (err == 0)
		*ret = pe;
	return err;
}

const struct pe_section *pe_section(const struct pe *pe, const char *name, size_t *ret_count)
{
	const struct pe_section *found = NULL;
	size_t n = 0;

	array_foreach(it, &pe->sections)
		if (strcmp(it->name, name) == 0 && n++ == 0)
			found = it;
	if (ret_count)
		*ret_count = n;
	return found;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

int pe_text(struct arena *a, struct pe_source source, const struct pe_section *section, size_t max,
	    const char **ret, size_t *ret_size)
{
	size_t size = (size_t)section->size, at = 0;
	char *text;
	int err;

	if (section->size > max)
		return -EFBIG;
	text = arena_alloc(a, size + 1);
	if (!text)
		return -ENOMEM;
	err = size ? source.read(source.ctx, section->offset, size, text) : 0;
	if (err < 0)
		return err;
	text[size] = '\0';
	size = strlen(text);
	while (at < size && is_blank(text[at]))
		at++;
	while (size > at && is_blank(text[size - 1]))
		size--;
	text[size] = '\0';
	*ret = text + at;
	*ret_size = size - at;
	return 0;
}
