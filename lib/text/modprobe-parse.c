/* SPDX-License-Identifier: GPL-2.0-or-later */
/* modprobe.d as libkmod reads it: which files, in which order, and their lines (6.1 to 6.6). */
#include <errno.h>
#include <string.h>

#include "modprobe.h"

/* Names that libkmod reads from the kernel's own module directory, not from modprobe.d (6.3). */
static bool is_kernels(const char *name)
{
	return strcmp(name, "modules.softdep") == 0 || strcmp(name, "modules.weakdep") == 0;
}

static bool is_conf(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && len > 5 && strcmp(name + len - 5, ".conf") == 0;
}

/* Rank of the directory that path lies in, n_dirs when in none. */
static size_t rank_of(const char *path, const char *const *dirs, size_t n_dirs)
{
	size_t len = (size_t)(base_name(path) - path), rank;

	while (len > 1 && path[len - 1] == '/')
		len--;
	for (rank = 0; rank < n_dirs; rank++) {
		size_t n = strlen(dirs[rank]);

		while (n > 1 && dirs[rank][n - 1] == '/')
			n--;
		if (n == len && memcmp(path, dirs[rank], n) == 0)
			break;
	}
	return rank;
}

struct candidate {
	const char *path, *name;
	size_t rank;
};

static int by_name_and_rank(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	return c ? c : (x->rank > y->rank) - (x->rank < y->rank);
}

int modprobe_order(struct arena *a, const struct words *paths, const char *const *dirs,
		   size_t n_dirs, struct words *ret)
{
	ARRAY_OF(struct candidate) found = {0};
	struct words order = {0};
	const char *last = NULL;

	array_foreach(it, paths) {
		struct candidate c = {.path = *it, .name = base_name(*it)};

		c.rank = rank_of(*it, dirs, n_dirs);
		if (!is_kernels(c.name) && (c.rank == n_dirs || !is_conf(c.name)))
			continue;
		if (array_push(a, &found, c) < 0)
			return -ENOMEM;
	}
	if (found.n)
		qsort(found.at, found.n, sizeof(*found.at), by_name_and_rank);
	array_foreach(it, &found) {
		if (last && strcmp(last, it->name) == 0)
			continue;
		last = it->name;
		if (array_push(a, &order, it->path) < 0)
			return -ENOMEM;
	}
	*ret = order;
	return 0;
}

static const struct keyword {
	const char *name;
	bool needs_rest;
} keywords[] = {
	{"options", true}, {"blacklist", false}, {"softdep", true}, {"install", true},
	{"remove", true},  {"alias", true},	 {"weakdep", true},
};

/* Reads text line by line; out has room for all of it, and each line is left there. */
struct reader {
	const char *at;
	char *out;
	unsigned line;
};

/*
 * One logical line with its NUL, or NULL at the end. A backslash joins the next line; before any
 * other byte libkmod drops it and keeps the byte.
 */
static char *next_line(struct reader *r, unsigned *ret_line)
{
	char *start = r->out;

	if (!*r->at)
		return NULL;
	*ret_line = ++r->line;
	for (; *r->at && *r->at != '\n'; r->at++) {
		if (*r->at == '\\') {
			r->at++;
			if (!*r->at)
				break;
			if (*r->at == '\n') {
				r->line++;
				continue;
			}
		}
		*r->out++ = *r->at;
	}
	if (*r->at)
		r->at++;
	*r->out++ = '\0';
	return start;
}

/* Cuts the next word off, as strtok_r would. NULL: none left. */
static char *take_word(char **rest)
{
	char *word = *rest + strspn(*rest, " \t");
	char *end = word + strcspn(word, " \t");

	if (!*word)
		return NULL;
	*rest = *end ? end + 1 : end;
	*end = '\0';
	return word;
}

static const char *trim(char *s)
{
	size_t len;

	s += strspn(s, " \t");
	len = strlen(s);
	while (len && strchr(" \t", s[len - 1]))
		len--;
	s[len] = '\0';
	return s;
}

/* Makes '-' into '_' outside brackets, which must pair; as libkmod does. */
static bool to_kernel_name(char *s)
{
	for (; *s; s++) {
		if (*s == '-')
			*s = '_';
		if (*s == ']')
			return false;
		if (*s == '[')
			s += strcspn(s, "]");
		if (!*s)
			return false;
	}
	return true;
}

/* Whether libkmod takes the line; rest is what follows the keyword. */
static bool fill(struct modprobe_line *line, char *rest)
{
	char *module, *target, *copy;

	for (size_t i = 0; i < ARRAY_LEN(keywords); i++) {
		if (strcmp(line->keyword, keywords[i].name) != 0)
			continue;
		module = take_word(&rest);
		if (!module || !to_kernel_name(module) || (keywords[i].needs_rest && !*rest))
			return false;
		line->module = module;
		copy = rest;
		if (strcmp(line->keyword, "alias") == 0) {
			target = take_word(&copy);
			if (!target || !to_kernel_name(target))
				return false;
			rest = target;
		}
		line->rest = trim(rest);
		return true;
	}
	return false;
}

static int parse_source(struct arena *a, const struct modprobe_source *source, struct modprobe *m)
{
	struct reader r = {.at = source->text};
	unsigned number;
	char *text;

	r.out = arena_alloc(a, strlen(source->text) + 1);
	if (!r.out)
		return -ENOMEM;
	while ((text = next_line(&r, &number))) {
		struct modprobe_line line = {
			.path = source->path, .line = number, .module = "", .rest = ""};
		int e;

		if (*text == '#') /* only here is it a comment (6.5) */
			continue;
		line.keyword = take_word(&text);
		if (!line.keyword)
			continue;
		if (fill(&line, text))
			e = array_push(a, &m->lines, line);
		else
			e = array_push(a, &m->bad, line);
		if (e < 0)
			return e;
	}
	return 0;
}

int modprobe_parse(struct arena *a, const struct modprobe_source *sources, size_t n,
		   struct modprobe *ret)
{
	struct modprobe m = {0};

	for (size_t i = 0; i < n; i++)
		if (parse_source(a, &sources[i], &m) < 0)
			return -ENOMEM;
	*ret = m;
	return 0;
}
