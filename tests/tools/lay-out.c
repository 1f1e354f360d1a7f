/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usage: lay-out CAPTURE DIR: lay a captured host out as real files below DIR. */
#include <stdio.h>
#include <stdlib.h>

#include "capture.h"

static char *slurp(const char *path, size_t *ret_size)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t cap = 0;
	ssize_t n = file ? getdelim(&text, &cap, '\0', file) : -1;

	if (file)
		fclose(file);
	*ret_size = n < 0 ? 0 : (size_t)n;
	return text;
}

int main(int argc, char **argv)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_strbuf_ struct strbuf out = {0};
	_cleanup_free_ char *text = NULL;
	struct diags diags = {.arena = a};
	size_t size;
	int err;

	if (argc != 3 || !a) {
		fprintf(stderr, "usage: lay-out CAPTURE DIR\n");
		return 2;
	}
	text = slurp(argv[1], &size);
	if (!text) {
		perror(argv[1]);
		return 1;
	}
	err = capture_lay_out(argv[1], text, size, argv[2], &diags);
	diags_render(&diags, false, &out);
	fputs(strbuf_text(&out), stderr);
	return err < 0;
}
