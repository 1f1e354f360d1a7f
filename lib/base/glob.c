/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "glob.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

static int fold(char c)
{
	return c >= 'A' && c <= 'Z' ? c | 32 : (unsigned char)c;
}

/* The ']' that closes a set; NULL when none does. One that comes first is a member. */
static const char *set_end(const char *set)
{
	const char *p = set + 1;

	if (*p == '!' || *p == '^')
		p++;
	return *p ? strchr(p + 1, ']') : NULL;
}

static bool set_has(const char *set, const char *end, char c)
{
	const char *p = set + 1;
	bool inverted = *p == '!' || *p == '^', found = false;

	for (p += inverted; p < end; p++) {
		char from = *p, to = *p;

		if (p[1] == '-' && p + 2 < end) {
			to = p[2];
			p += 2;
		}
		found |= fold(c) >= fold(from) && fold(c) <= fold(to);
	}
	return found != inverted;
}

/* Whether the glob's first element fits c; *ret is what follows it. */
static bool one(const char *glob, char c, const char **ret)
{
	const char *end = *glob == '[' ? set_end(glob) : NULL;

	*ret = end ? end + 1 : glob + 1;
	if (end)
		return set_has(glob, end, c);
	return *glob == '?' || fold(*glob) == fold(c);
}

bool glob_match(const char *glob, const char *text)
{
	const char *star = NULL, *resume = NULL, *next;

	if (!*text)
		return *glob && glob[strspn(glob, "*")] == '\0';
	while (*text) {
		if (*glob == '*') {
			star = ++glob;
			resume = text;
		} else if (*glob && one(glob, *text, &next)) {
			glob = next;
			text++;
		} else if (star) {
			/* Let the last star swallow one character more. */
			glob = star;
			text = ++resume;
		} else {
			return false;
		}
	}
	return glob[strspn(glob, "*")] == '\0';
}

const char *glob_refused(const char *glob)
{
	if (!*glob)
		return "is empty and would match nothing";
	for (const char *p = glob; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return "holds a control character";
		if (*p != '[')
			continue;
		p = set_end(p);
		if (!p)
			return "has a [ that is never closed";
	}
	return NULL;
}

bool glob_names(const char *glob)
{
	for (const char *p = glob; *p; p++) {
		const char *end = *p == '[' ? set_end(p) : NULL;

		if (end)
			p = end;
		else if (isalnum((unsigned char)*p))
			return true;
	}
	return false;
}
