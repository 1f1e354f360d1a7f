/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image-newc.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define ALIGN4(n) (((n) + 3) & ~(uint64_t)3)

void newc_done(struct newc *n)
{
	free(n->body);
	n->body = NULL;
}

static int bad(struct newc *n, const char *why)
{
	n->why = why;
	return -EBADMSG;
}

static size_t at_most(size_t a, uint64_t b)
{
	return a < b ? a : (size_t)b;
}

/* Copies towards want bytes of one part; whether it is complete now. */
static bool gather(struct newc *n, char *part, size_t want, const char **bytes, size_t *size)
{
	size_t take = at_most(*size, want - n->have);

	memcpy(part + n->have, *bytes, take);
	n->have += take;
	*bytes += take;
	*size -= take;
	return n->have == want;
}

static bool hex_field(const char *field, uint32_t *ret)
{
	uint32_t value = 0;

	for (int i = 0; i < 8; i++) {
		char c = field[i];
		uint32_t digit;

		if (c >= '0' && c <= '9')
			digit = (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			digit = (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return false;
		value = value << 4 | digit;
	}
	*ret = value;
	return true;
}

static int read_header(struct newc *n)
{
	uint32_t field[13];

	if (memcmp(n->header, "070707", 6) == 0)
		return bad(n, "an old cpio format that the kernel does not read");
	if (memcmp(n->header, "070701", 6) != 0 && memcmp(n->header, "070702", 6) != 0)
		return bad(n, "not a cpio archive inside");
	for (size_t i = 0; i < ARRAY_LEN(field); i++)
		if (!hex_field(n->header + 6 + 8 * i, &field[i]))
			return bad(n, "a damaged cpio header");
	n->entry = (struct newc_entry){
		.ino = field[0],
		.mode = field[1],
		.nlink = field[4],
		.size = field[6],
		.major = field[7],
		.minor = field[8],
	};
	n->name_size = field[11];
	if (!n->name_size || n->name_size > NEWC_NAME_MAX)
		return bad(n, "a damaged cpio header");
	if (++n->entries > n->sink->entries_max)
		return bad(n, "too many files");
	n->state = NEWC_NAME;
	n->have = 0;
	return 0;
}

/* Bytes of the name with the padding behind it; header and name together are aligned. */
static size_t padded_name(const struct newc *n)
{
	return (size_t)ALIGN4(NEWC_HEADER_SIZE + (uint64_t)n->name_size) - NEWC_HEADER_SIZE;
}

static int end_entry(struct newc *n)
{
	n->state = NEWC_BETWEEN;
	n->have = 0;
	return 0;
}

static int read_name(struct newc *n)
{
	int wanted;

	if (n->name[n->name_size - 1] != '\0')
		return bad(n, "a damaged cpio header");
	n->entry.name = n->name;
	n->have = 0;
	n->closed = strcmp(n->name, "TRAILER!!!") == 0;
	wanted = n->closed ? 0 : n->sink->entry(n->data, &n->entry);
	if (wanted < 0)
		return wanted;
	if (!wanted) {
		n->skip = ALIGN4((uint64_t)n->entry.size);
		n->state = NEWC_SKIP;
		return n->skip ? 0 : end_entry(n);
	}
	if (n->entry.size > n->sink->body_max)
		return bad(n, "a configuration file that is too large");
	free(n->body);
	n->body_size = (uint32_t)ALIGN4((uint64_t)n->entry.size);
	n->body = malloc((size_t)n->body_size + 1);
	if (!n->body)
		return -ENOMEM;
	n->state = NEWC_BODY;
	return 0;
}

static int read_body(struct newc *n)
{
	int r;

	n->body[n->entry.size] = '\0';
	r = n->sink->body(n->data, &n->entry, n->body);
	return r < 0 ? r : end_entry(n);
}

/* Passes zeros over. 1: neither a zero nor an archive follows. */
static int between(struct newc *n, const char **bytes, size_t *size, uint64_t at)
{
	while (*size && **bytes == '\0') {
		(*bytes)++;
		(*size)--;
		at++;
	}
	if (!*size)
		return 0;
	if (**bytes != '0')
		return 1;
	/* The kernel looks for archives at multiples of four only. */
	if (at % 4)
		return bad(n, "an archive at an odd place");
	n->state = NEWC_HEADER;
	return 0;
}

static int take(struct newc *n, const char **bytes, size_t *size, uint64_t at)
{
	size_t skip;

	switch (n->state) {
	case NEWC_BETWEEN:
		return between(n, bytes, size, at);
	case NEWC_HEADER:
		return gather(n, n->header, NEWC_HEADER_SIZE, bytes, size) ? read_header(n) : 0;
	case NEWC_NAME:
		return gather(n, n->name, padded_name(n), bytes, size) ? read_name(n) : 0;
	case NEWC_BODY:
		return gather(n, n->body, n->body_size, bytes, size) ? read_body(n) : 0;
	case NEWC_SKIP:
		skip = at_most(*size, n->skip);
		*bytes += skip;
		*size -= skip;
		n->skip -= skip;
		return n->skip ? 0 : end_entry(n);
	}
	return -EINVAL;
}

int newc_feed(struct newc *n, const char *bytes, size_t size, size_t *ret_used)
{
	size_t left = size;
	int r = 0;

	/* A body of no bytes is complete before any byte comes. */
	while (r == 0 && (left || (n->state == NEWC_BODY && !n->body_size)))
		r = take(n, &bytes, &left, n->total + (size - left));
	n->total += size - left;
	*ret_used = size - left;
	return r;
}

uint64_t newc_skippable(const struct newc *n)
{
	return n->state == NEWC_SKIP ? n->skip : 0;
}

void newc_skipped(struct newc *n, uint64_t size)
{
	n->skip -= size;
	n->total += size;
	if (!n->skip)
		end_entry(n);
}

bool newc_whole(const struct newc *n)
{
	return n->closed && n->state == NEWC_BETWEEN;
}
