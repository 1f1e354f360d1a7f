/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a FAT file system: refused, or all that it lists is found again and read. */
#include "must.h"

#include "fat.h"

struct memory {
	const uint8_t *at;
	size_t size;
	unsigned left; /* reads: a folder can hold itself */
};

static int read_memory(void *ctx, uint64_t at, size_t n, void *to)
{
	struct memory *m = ctx;

	if (!m->left || at > m->size || n > m->size - at)
		return -EIO;
	m->left--;
	memcpy(to, m->at + at, n);
	return 0;
}

static void visit(struct fat *f, const struct fat_node *folder, const char *path, unsigned depth)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct words names = {0};

	if (depth > 3 || fat_list(f, folder, a, &names) < 0)
		return;
	array_foreach(name, &names) {
		const char *below = arena_printf(a, "%s/%s", path, *name), *text;
		struct fat_node node;

		MUST(**name && !strchr(*name, '/'));
		if (fat_find(f, below, a, &node) < 0)
			continue; /* of two names that differ in case, or the reads are used up */
		if (node.folder)
			visit(f, &node, below, depth + 1);
		else if (fat_read(f, &node, 1u << 16, a, &text) == 0)
			MUST(text[node.size] == '\0');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct memory memory = {data, size, 2000};
	struct fat_node root = {.folder = true};
	struct fat *f;

	if (fat_open(a, (struct fat_source){read_memory, &memory}, &f) == 0)
		visit(f, &root, "", 0);
	return 0;
}
