/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pe-write.h"

#include <stdint.h>
#include <string.h>

#define ALIGNMENT     512
#define PE_AT	      64
#define OPTIONAL_SIZE 240 /* PE32+ with sixteen directories */
#define SECTION_SIZE  40
#define CERTIFICATES  4
#define CERTIFICATE   "\x10\0\0\0\0\x02\x02\0PKCS 7.."

static void put(struct strbuf *out, uint64_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		strbuf_addc(out, i < 8 ? (char)(value >> 8 * i) : '\0');
}

static void fill(struct strbuf *out, size_t from, size_t up_to)
{
	while (!out->error && out->len - from < up_to)
		strbuf_addc(out, '\0');
}

static size_t padded(size_t size)
{
	return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static void put_headers(struct strbuf *out, size_t from, size_t n, size_t certificates)
{
	strbuf_add(out, "MZ");
	fill(out, from, 0x3c);
	put(out, PE_AT, 4);
	strbuf_addn(out, "PE\0\0", 4);
	put(out, 0x8664, 2);
	put(out, n, 2);
	put(out, 0, 12);
	put(out, OPTIONAL_SIZE, 2);
	put(out, 0x0022, 2);
	put(out, 0x20b, 2);
	fill(out, from, PE_AT + 24 + 108);
	put(out, 16, 4);
	fill(out, from, PE_AT + 24 + 112 + 8 * CERTIFICATES);
	put(out, certificates, 4);
	put(out, certificates ? sizeof(CERTIFICATE) - 1 : 0, 4);
	fill(out, from, PE_AT + 24 + OPTIONAL_SIZE);
}

void pe_write(const struct pe_part *parts, size_t n, bool signature, struct strbuf *out)
{
	size_t from = out->len, at = padded(PE_AT + 24 + OPTIONAL_SIZE + n * SECTION_SIZE);
	size_t end = at, memory = 0x10000;

	for (size_t i = 0; i < n; i++)
		end += padded(parts[i].size);
	put_headers(out, from, n, signature ? end : 0);
	for (size_t i = 0; i < n; i++) {
		char name[8] = {0};

		memcpy(name, parts[i].name, strnlen(parts[i].name, sizeof(name)));
		strbuf_addn(out, name, sizeof(name));
		put(out, parts[i].size, 4);
		put(out, memory, 4);
		put(out, padded(parts[i].size), 4);
		put(out, at, 4);
		put(out, 0, 12);
		put(out, 0x40000040, 4);
		at += padded(parts[i].size);
		memory += (parts[i].size + 0x2000) / 0x1000 * 0x1000;
	}
	for (size_t i = 0; i < n; i++) {
		fill(out, from, padded(out->len - from));
		strbuf_addn(out, parts[i].bytes, parts[i].size);
	}
	fill(out, from, padded(out->len - from));
	if (signature)
		strbuf_addn(out, CERTIFICATE, sizeof(CERTIFICATE) - 1);
}
