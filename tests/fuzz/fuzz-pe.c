/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a PE file: refused with a phrase, or all that it lists is inside it and is read. */
#include "must.h"

#include "pe.h"

struct memory {
	const uint8_t *at;
	size_t size;
};

static int read_memory(void *ctx, uint64_t at, size_t n, void *to)
{
	struct memory *m = ctx;

	MUST(at <= m->size && n <= m->size - at);
	memcpy(to, m->at + at, n);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct memory memory = {data, size};
	struct pe_source source = {read_memory, &memory, size};
	const char *why = NULL, *text;
	struct pe pe;
	size_t n;
	int err = pe_open(a, source, &pe, &why);

	MUST(err == 0 || err == -EBADMSG);
	MUST((err < 0) == (why != NULL));
	if (err < 0)
		return 0;
	MUST(pe_begins(data, size));
	array_foreach(it, &pe.sections) {
		MUST(it->offset <= size && it->raw_size <= size - it->offset);
		MUST(it->size <= it->raw_size && strlen(it->name) < sizeof(it->name));
		MUST(pe_section(&pe, it->name, &n) && n);
		err = pe_text(a, source, it, 1u << 16, &text, &n);
		MUST(err == -EFBIG || (err == 0 && strlen(text) == n));
	}
	return 0;
}
