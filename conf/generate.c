/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes what is made from the table of keys while the project is built: the manual page (from a
 * template, whose line ".\" KEYS" the reference replaces), the JSON Schema, the fuzzer's
 * dictionary.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config.h"

#define KEYS_LINE ".\\\" KEYS\n"

static int render_page(const char *template, struct strbuf *out)
{
	FILE *in = fopen(template, "re");
	char line[1024];

	if (!in)
		return -errno;
	while (fgets(line, sizeof(line), in)) {
		if (strcmp(line, KEYS_LINE) == 0)
			config_render_manual(out);
		else
			strbuf_add(out, line);
	}
	return fclose(in) == 0 ? 0 : -errno;
}

static int render_schema(const char *template _unused_, struct strbuf *out)
{
	config_render_schema(out);
	return 0;
}

static int render_dictionary(const char *template _unused_, struct strbuf *out)
{
	config_render_dictionary(out);
	return 0;
}

static const struct output {
	const char *name;
	int args;
	int (*render)(const char *template, struct strbuf *out);
} outputs[] = {
	{"page", 4, render_page},
	{"schema", 3, render_schema},
	{"dictionary", 3, render_dictionary},
};

static int write_file(const char *path, const struct strbuf *text)
{
	FILE *out = fopen(path, "we");
	bool written;

	if (!out)
		return -errno;
	written = fwrite(text->text, 1, text->len, out) == text->len;
	return fclose(out) == 0 && written ? 0 : -EIO;
}

int main(int argc, char **argv)
{
	_cleanup_strbuf_ struct strbuf text = {0};
	int err = -EINVAL;

	for (size_t i = 0; argc > 2 && i < ARRAY_LEN(outputs); i++)
		if (strcmp(argv[1], outputs[i].name) == 0 && argc == outputs[i].args)
			err = outputs[i].render(argc == 4 ? argv[3] : NULL, &text);
	if (err == 0)
		err = text.error ? text.error : write_file(argv[2], &text);
	if (err == -EINVAL)
		fprintf(stderr, "usage: %s page OUT TEMPLATE | schema OUT | dictionary OUT\n",
			argv[0]);
	else if (err < 0)
		fprintf(stderr, "%s: %s\n", argv[2], strerror(-err));
	return err < 0;
}
