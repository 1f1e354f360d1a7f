/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A line, then "name=value" lines in which a backslash makes the byte behind it plain, then '#' up
 * to the size that the file has had from the beginning.
 */
#include "grubenv.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "kcmdline-token.h"
#include "strbuf.h"

static const char head[] = "# GRUB Environment Block\n";

static bool is_block(const char *text)
{
	return text && strncmp(text, head, strlen(head)) == 0;
}

/* Length of what stands before the '#' that fill the block; they begin a line. */
static size_t used(const char *block)
{
	size_t n = strlen(block);

	while (n && block[n - 1] == '#')
		n--;
	return n;
}

/* The line at *at and its length without its end, which a backslash hides; NULL past the last. */
static const char *next(const char *block, size_t end, size_t *at, size_t *ret_n)
{
	size_t from = *at, n = from;

	if (from >= end)
		return NULL;
	while (n < end && block[n] != '\n')
		n += block[n] == '\\' && n + 1 < end ? 2 : 1;
	*ret_n = n - from;
	*at = n + (n < end);
	return block + from;
}

static bool sets(const char *line, size_t n, const char *name)
{
	size_t len = strlen(name);

	return n > len && strncmp(line, name, len) == 0 && line[len] == '=';
}

int grubenv_get(struct arena *a, const char *block, const char *name, const char **ret)
{
	_cleanup_strbuf_ struct strbuf value = {0};
	size_t end = is_block(block) ? used(block) : 0, at = 0, n;
	const char *line;

	while ((line = next(block, end, &at, &n))) {
		if (!sets(line, n, name))
			continue;
		for (size_t i = strlen(name) + 1; i < n; i++) {
			i += line[i] == '\\' && i + 1 < n;
			strbuf_addc(&value, line[i]);
		}
		return strbuf_to_arena(&value, a, ret);
	}
	*ret = NULL;
	return 0;
}

static void add_line(struct strbuf *out, const char *name, const char *value)
{
	strbuf_addf(out, "%s=", name);
	for (; *value; value++) {
		if (strchr("\\\n", *value))
			strbuf_addc(out, '\\');
		strbuf_addc(out, *value);
	}
	strbuf_addc(out, '\n');
}

int grubenv_set(struct arena *a, const char *block, const char *name, const char *value,
		const char **ret)
{
	_cleanup_strbuf_ struct strbuf out = {0};
	size_t end, at = 0, n;
	const char *line;
	bool done = false;

	if (!is_block(block))
		return -EBADMSG;
	end = used(block);
	while ((line = next(block, end, &at, &n))) {
		if (!sets(line, n, name))
			strbuf_addf(&out, "%.*s\n", (int)n, line);
		else if (!done)
			add_line(&out, name, value);
		done |= sets(line, n, name);
	}
	if (!done)
		add_line(&out, name, value);
	if (out.error)
		return -ENOMEM;
	if (out.len > strlen(block))
		return -ENOSPC;
	while (!out.error && out.len < strlen(block))
		strbuf_addc(&out, '#');
	return strbuf_to_arena(&out, a, ret);
}

static bool in_name(char c, bool first)
{
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (!first && c >= '0' && c <= '9');
}

/* The name of the variable at text, which begins with '$'; its length with all around it, 0. */
static size_t variable(const char *text, struct piece *ret)
{
	bool braced = text[1] == '{';
	size_t from = braced ? 2 : 1, n = 0;

	while (in_name(text[from + n], n == 0))
		n++;
	if (!n || (braced && text[from + n] != '}'))
		return 0;
	*ret = (struct piece){text + from, n};
	return from + n + braced;
}

int grubenv_expand(struct arena *a, const char *block, const char *text, const char **ret)
{
	_cleanup_strbuf_ struct strbuf out = {0};

	while (*text) {
		const char *name, *value = NULL;
		struct piece found;
		size_t n = *text == '$' ? variable(text, &found) : 0;

		if (n && block) {
			name = arena_strndup(a, found.at, found.len);
			if (!name || grubenv_get(a, block, name, &value) < 0)
				return -ENOMEM;
		}
		if (value)
			strbuf_add(&out, value);
		else
			strbuf_addn(&out, text, n ? n : 1);
		text += n ? n : 1;
	}
	return strbuf_to_arena(&out, a, ret);
}
