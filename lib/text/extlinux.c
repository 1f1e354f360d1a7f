/* SPDX-License-Identifier: GPL-2.0-or-later */
/* extlinux.conf as U-Boot reads it: a word, then a value to the end of the line (2.25). */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "boot-entries.h"
#include "boot-words.h"
#include "kcmdline-token.h"

#define BLANKS " \t\r"

static bool says(struct piece p, const char *word)
{
	return p.len == strlen(word) && strncasecmp(p.at, word, p.len) == 0;
}

/* The line's first word and what follows it; false for an empty line or a comment. */
static bool cut(const char *line, size_t n, struct piece *ret_word, struct piece *ret_value)
{
	size_t at = 0, end;

	while (n && strchr(BLANKS, line[n - 1]))
		n--;
	while (at < n && strchr(BLANKS, line[at]))
		at++;
	for (end = at; end < n && !strchr(BLANKS, line[end]);)
		end++;
	*ret_word = (struct piece){line + at, end - at};
	while (end < n && strchr(BLANKS, line[end]))
		end++;
	*ret_value = (struct piece){line + end, n - end};
	return at < n && line[at] != '#';
}

/* The label's entry so far; image NULL: none was named. */
static int put(struct arena *a, struct boot_line *entry, struct boot_lines *to)
{
	bool named = entry->image;
	struct piece version;

	if (!named)
		return 0;
	version = version_in(entry->image);
	entry->kernel = version.at ? arena_strndup(a, version.at, version.len) : NULL;
	if (version.at && !entry->kernel)
		return -ENOMEM;
	entry->recovery = options_recover(entry->options);
	return array_push(a, &to->list, *entry);
}

static int take(struct arena *a, struct boot_line *entry, struct piece word, struct piece value,
		unsigned line)
{
	const char **to = NULL;

	if (says(word, "linux") || says(word, "kernel")) {
		to = &entry->image;
		entry->line = line;
	} else if (says(word, "append")) {
		to = &entry->options;
	} else if (says(word, "menu") && value.len > 6 && strncasecmp(value.at, "label ", 6) == 0) {
		to = &entry->title;
		value = (struct piece){value.at + 6, value.len - 6};
	}
	if (!to)
		return 0;
	*to = arena_strndup(a, value.at, value.len);
	return *to ? 0 : -ENOMEM;
}

int extlinux_parse(struct arena *a, const char *text, struct boot_lines *ret)
{
	static const struct boot_line none = {.title = "", .options = "", .machine_id = ""};
	struct boot_line entry = none;
	struct boot_lines lines = {0};
	bool label = false;
	int err = 0;

	for (unsigned line = 1; err == 0 && *text; line++) {
		size_t n = strcspn(text, "\n");
		struct piece word, value;

		if (cut(text, n, &word, &value) && says(word, "label")) {
			err = put(a, &entry, &lines);
			entry = none;
			label = true;
		} else if (word.len && *word.at != '#' && label) {
			err = take(a, &entry, word, value, line);
		}
		text += n + (text[n] == '\n');
	}
	if (err == 0)
		err = put(a, &entry, &lines);
	if (err == 0)
		*ret = lines;
	return err;
}
