/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "counted.h"

#include <string.h>

#include "paths.h"

#define DIGITS "0123456789"

/* Whether it is +LEFT or +LEFT-DONE from there to its end. */
static bool is_count(const char *text, size_t n)
{
	size_t left = n > 1 && *text == '+' ? strspn(text + 1, DIGITS) + 1 : 0;

	if (left < 2 || left >= n)
		return left > 1 && left == n;
	return text[left] == '-' && left + 1 < n && strspn(text + left + 1, DIGITS) == n - left - 1;
}

size_t counted_stem(const char *path, const char *suffix, const char *version)
{
	size_t n = strlen(path), end = strlen(suffix), name = strlen(version), at;

	n -= n > end ? end : 0;
	if (n > name && path[n - name - 1] == '-' && strncmp(path + n - name, version, name) == 0)
		return n;
	for (at = n; at && path[at - 1] != '/'; at--)
		if (path[at - 1] == '+')
			return is_count(path + at - 1, n - at + 1) ? at - 1 : n;
	return n;
}

bool counted_named(const struct host_entry *entry, const char *suffix)
{
	size_t n = counted_stem(entry->source, suffix, entry->kernel);
	size_t version = strlen(entry->kernel);

	return n > version && entry->source[n - version - 1] == '-' &&
	       strncmp(entry->source + n - version, entry->kernel, version) == 0;
}

const char *counted_trouble(const struct host *host)
{
	const char *tries = host->boot.tries;

	return !tries || (*tries && !tries[strspn(tries, DIGITS)]) ? NULL
								   : PATH_KERNEL_TRIES
		       " holds no number, and kernel-install would fail at it; "
		       "write the number of tries, or remove the file";
}

int counted_next(struct arena *a, const struct host *host, const struct host_entry *entry,
		 const char *suffix, struct step *step)
{
	size_t n = counted_stem(entry->source, suffix, entry->kernel);
	const char *tries = host->boot.tries;

	step->produces = arena_printf(a, "%.*s%s%s%s", (int)n, entry->source, tries ? "+" : "",
				      tries ? tries : "", suffix);
	if (!step->produces)
		return -ENOMEM;
	array_foreach(it, &host->boot.entries)
		if (it->loader == entry->loader && it->kernel &&
		    strcmp(it->kernel, entry->kernel) == 0 &&
		    counted_stem(it->source, suffix, it->kernel) == n &&
		    strncmp(it->source, entry->source, n) == 0 &&
		    strcmp(it->source, step->produces) != 0 &&
		    words_add(a, &step->supersedes, it->source) < 0)
			return -ENOMEM;
	return 0;
}
