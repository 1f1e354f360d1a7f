/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "module-list.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "kcmdline.h"
#include "macro.h"

#define BLANKS " \t\r\v\f"

struct line {
	const char *at;
	size_t len;
};

/* The next line without its newline and the blanks around it; false at the end of the text. */
static bool next_line(const char **text, struct line *ret)
{
	const char *at = *text, *end;

	if (!*at)
		return false;
	end = strchrnul(at, '\n');
	*text = *end ? end + 1 : end;
	at += strspn(at, BLANKS);
	if (at > end)
		at = end;
	while (end > at && strchr(BLANKS, end[-1]))
		end--;
	*ret = (struct line){at, (size_t)(end - at)};
	return true;
}

static const char *kernel_name(struct arena *a, const char *at, size_t len)
{
	const char *copy = arena_strndup(a, at, len);

	return copy ? module_name_kernel(a, copy) : NULL;
}

int module_list_parse(struct arena *a, const char *text, struct words *ret)
{
	struct words words = {0};
	struct line line;

	while (next_line(&text, &line)) {
		const char *name;

		if (!line.len || line.at[0] == '#' || line.at[0] == ';')
			continue;
		name = kernel_name(a, line.at, line.len);
		if (!name || array_push(a, &words, name) < 0)
			return -ENOMEM;
	}
	*ret = words;
	return 0;
}

int module_list_parse_args(struct arena *a, const char *text, struct words *ret)
{
	struct words words = {0};
	struct line line;

	while (next_line(&text, &line)) {
		size_t len = strcspn(line.at, BLANKS "\n");
		const char *name;

		if (!line.len || line.at[0] == '#')
			continue;
		name = kernel_name(a, line.at, len < line.len ? len : line.len);
		if (!name || array_push(a, &words, name) < 0)
			return -ENOMEM;
	}
	*ret = words;
	return 0;
}

/*
 * Whether the bytes before the pattern's first special one fit. Most of the 25,000 patterns of a
 * modules.alias end here, without a copy and without fnmatch.
 */
static bool prefix_fits(struct line pattern, const char *name)
{
	for (size_t i = 0; i < pattern.len; i++) {
		char p = pattern.at[i], n = name[i];

		if (p == '*' || p == '?' || p == '[' || p == '\\')
			return true;
		if (p != n && !((p == '-' || p == '_') && (n == '-' || n == '_')))
			return false;
	}
	return true;
}

/* libkmod makes '-' into '_' in aliases and names, except inside brackets. */
static char *alias_normal(struct arena *a, const char *at, size_t len)
{
	char *copy = arena_strndup(a, at, len);
	bool inside = false;

	for (char *c = copy; c && *c; c++) {
		inside = *c == '[' || (inside && *c != ']');
		if (*c == '-' && !inside)
			*c = '_';
	}
	return copy;
}

struct lookup {
	struct arena *arena;
	const char *name; /* as alias_normal() makes it */
	struct words *found;
};

static int try_alias(const struct lookup *l, struct line pattern, struct line module)
{
	const char *copy;

	if (!module.len || !prefix_fits(pattern, l->name))
		return 0;
	copy = alias_normal(l->arena, pattern.at, pattern.len);
	if (!copy)
		return -ENOMEM;
	if (fnmatch(copy, l->name, 0) != 0)
		return 0;
	copy = kernel_name(l->arena, module.at, module.len);
	if (!copy)
		return -ENOMEM;
	return words_add(l->arena, l->found, copy) < 0 ? -ENOMEM : 0;
}

/* "alias PATTERN MODULE" */
static int try_alias_line(const struct lookup *l, struct line line)
{
	const char *end = line.at + line.len, *pattern, *module = end;

	if (line.len < 6 || memcmp(line.at, "alias", 5) != 0 || !strchr(BLANKS, line.at[5]))
		return 0;
	pattern = line.at + 5 + strspn(line.at + 5, BLANKS);
	while (module > pattern && !strchr(BLANKS, module[-1]))
		module--;
	end = module;
	while (end > pattern && strchr(BLANKS, end[-1]))
		end--;
	if (end == pattern)
		return 0;
	return try_alias(l, (struct line){pattern, (size_t)(end - pattern)},
			 (struct line){module, (size_t)(line.at + line.len - module)});
}

/* "MODULE.alias=PATTERN" */
static int try_builtin_line(const struct lookup *l, struct line line)
{
	static const char key[] = ".alias=";
	const char *dot = memchr(line.at, '.', line.len);
	size_t left = dot ? (size_t)(line.at + line.len - dot) : 0;

	if (left < sizeof(key) - 1 || memcmp(dot, key, sizeof(key) - 1) != 0)
		return 0;
	return try_alias(l, (struct line){dot + sizeof(key) - 1, left - (sizeof(key) - 1)},
			 (struct line){line.at, (size_t)(dot - line.at)});
}

int module_alias_lookup(struct arena *a, const char *alias_text, const char *builtin_text,
			const char *modalias, struct words *ret)
{
	struct words found = {0};
	struct lookup l = {a, alias_normal(a, modalias, strlen(modalias)), &found};
	struct line line;
	int r = l.name ? 0 : -ENOMEM;

	while (r == 0 && next_line(&alias_text, &line))
		r = try_alias_line(&l, line);
	while (r == 0 && next_line(&builtin_text, &line))
		r = try_builtin_line(&l, line);
	if (r == 0)
		*ret = found;
	return r;
}
