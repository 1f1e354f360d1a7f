/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Captures of any bytes: refused with a place, or read, observed, and written again unchanged. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static int open_capture(const char *text, size_t size, struct tree **ret)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct diags diags = {.arena = a};
	int err = a ? tree_capture_new("fuzz", text, size, &diags, ret) : -ENOMEM;

	if (err == -EBADMSG)
		check(diags_failed(&diags) && diags.list.at[0].place.line > 0);
	else if (err == 0)
		check(!diags.list.n);
	return err;
}

/* Reads everything below a folder. */
static void visit(struct tree *t, const char *folder, struct arena *a, unsigned depth)
{
	struct words names = {0};

	if (depth > 20 || t->ops->list(t, folder, a, &names) < 0)
		return;
	array_foreach(name, &names) {
		const char *path = arena_printf(a, "%s/%s", folder, *name), *text;
		struct host_image image;
		struct tree_stat st;
		size_t size;

		check(path != NULL);
		if (t->ops->read(t, path, SIZE_MAX, a, &text, &size) == 0)
			check(!text[size] && t->ops->stat(t, path, &st) == 0 && st.size == size);
		check(t->ops->image(t, path, a, &image) == 0);
		if (t->ops->readlink(t, path, a, &text) < 0)
			visit(t, path, a, depth + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_strbuf_ struct strbuf first = {0}, second = {0};
	_cleanup_tree_ struct tree *tree = NULL, *again = NULL;

	if (!a || open_capture((const char *)data, size, &tree) < 0)
		return 0;
	visit(tree, "", a, 0);
	check(capture_write(tree, &first) == 0);
	check(open_capture(first.text, first.len, &again) == 0);
	check(capture_write(again, &second) == 0);
	check(first.len == second.len && memcmp(first.text, second.text, first.len) == 0);
	return 0;
}
