/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "entry-options.h"

#include <errno.h>
#include <string.h>

#include "kcmdline-token.h"

#define BLANKS " \t\r"

/* Where the value stands in the text; at NULL: no such line. */
static struct piece find(const char *text)
{
	static const char key[] = "options";

	while (*text) {
		const char *at = text + strspn(text, BLANKS), *end = text + strcspn(text, "\n");
		size_t n = strlen(key);

		if (strncmp(at, key, n) == 0 && at[n] && strchr(BLANKS, at[n])) {
			at += n + strspn(at + n, BLANKS);
			while (end > at && strchr(BLANKS, end[-1]))
				end--;
			if (end > at)
				return (struct piece){at, (size_t)(end - at)};
		}
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return (struct piece){0};
}

int entry_options(struct arena *a, const char *text, const char **ret)
{
	struct piece value = find(text);
	const char *copy = value.at ? arena_strndup(a, value.at, value.len) : NULL;

	if (value.at && !copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

int entry_options_set(struct arena *a, const char *text, const char *value, const char **ret)
{
	struct piece old = find(text);
	const char *whole;

	if (!old.at)
		return -ENOENT;
	whole = arena_printf(a, "%.*s%s%s", (int)(old.at - text), text, value, old.at + old.len);
	if (!whole)
		return -ENOMEM;
	*ret = whole;
	return 0;
}
