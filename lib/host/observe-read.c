/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe-parts.h"

#include <stdio.h>

#define SCRATCH_KEPT (1u << 20)

bool kept(struct observer *o, bool ok)
{
	if (!ok)
		o->lost = true;
	return ok;
}

/* The path in the observer's buffer, NULL when it does not fit: no such file then. */
static _printf_(2, 0) const char *path_va(struct observer *o, const char *fmt, va_list ap)
{
	int n = vsnprintf(o->path, sizeof(o->path), fmt, ap);

	return n >= 0 && (size_t)n < sizeof(o->path) ? o->path : NULL;
}

static const char *read_into(struct observer *o, struct arena *a, size_t max, const char *path)
{
	const char *text;
	size_t size;
	int err = path ? o->tree->ops->read(o->tree, path, max, a, &text, &size) : -ENAMETOOLONG;

	kept(o, err != -ENOMEM);
	return err < 0 ? NULL : text;
}

const char *see_text(struct observer *o, size_t max, const char *fmt, ...)
{
	const char *path;
	va_list ap;

	va_start(ap, fmt);
	path = path_va(o, fmt, ap);
	va_end(ap);
	return read_into(o, o->scratch, max, path);
}

const char *keep_text(struct observer *o, size_t max, const char *fmt, ...)
{
	const char *path, *text;
	va_list ap;

	va_start(ap, fmt);
	path = path_va(o, fmt, ap);
	va_end(ap);
	text = read_into(o, o->a, max, path);
	return text ? text : "";
}

const char *see_file(struct observer *o, size_t max, const char *path)
{
	return read_into(o, o->scratch, max, path);
}

const char *first_line(struct observer *o, const char *text)
{
	size_t n = text ? strcspn(text, "\n") : 0;

	if (!text || !text[n])
		return text;
	text = arena_strndup(o->scratch, text, n);
	kept(o, text);
	return text;
}

const char *see_line(struct observer *o, const char *fmt, ...)
{
	const char *path;
	va_list ap;

	va_start(ap, fmt);
	path = path_va(o, fmt, ap);
	va_end(ap);
	return first_line(o, read_into(o, o->scratch, MAX_LINE, path));
}

const char *see_link(struct observer *o, const char *fmt, ...)
{
	const char *path, *target;
	va_list ap;
	int err;

	va_start(ap, fmt);
	path = path_va(o, fmt, ap);
	va_end(ap);
	err = path ? o->tree->ops->readlink(o->tree, path, o->scratch, &target) : -ENAMETOOLONG;
	kept(o, err != -ENOMEM);
	return err < 0 ? NULL : target;
}

static struct words list_into(struct observer *o, struct arena *a, const char *path)
{
	struct words names = {0};
	int err = path ? o->tree->ops->list(o->tree, path, a, &names) : -ENAMETOOLONG;

	kept(o, err != -ENOMEM);
	return err < 0 ? (struct words){0} : names;
}

struct words see_list(struct observer *o, const char *fmt, ...)
{
	const char *path;
	va_list ap;

	va_start(ap, fmt);
	path = path_va(o, fmt, ap);
	va_end(ap);
	return list_into(o, o->scratch, path);
}

struct words keep_list(struct observer *o, const char *fmt, ...)
{
	const char *path;
	va_list ap;

	va_start(ap, fmt);
	path = path_va(o, fmt, ap);
	va_end(ap);
	return list_into(o, o->a, path);
}

bool see_stat(struct observer *o, struct tree_stat *ret, const char *fmt, ...)
{
	const char *path;
	va_list ap;

	va_start(ap, fmt);
	path = path_va(o, fmt, ap);
	va_end(ap);
	return path && o->tree->ops->stat(o->tree, path, ret) == 0;
}

bool see_exists(struct observer *o, const char *fmt, ...)
{
	struct tree_stat st;
	const char *path;
	va_list ap;

	va_start(ap, fmt);
	path = path_va(o, fmt, ap);
	va_end(ap);
	return path && o->tree->ops->stat(o->tree, path, &st) == 0;
}

const char *keep(struct observer *o, const char *s)
{
	const char *copy = s ? arena_strdup(o->a, s) : NULL;

	return kept(o, copy || !s) ? copy : "";
}

const char *keep_printf(struct observer *o, const char *fmt, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	text = arena_vprintf(o->a, fmt, ap);
	va_end(ap);
	return kept(o, text) ? text : "";
}

void keep_word(struct observer *o, struct words *w, const char *s)
{
	kept(o, words_add(o->a, w, s) >= 0);
}

bool see_first(struct observer *o, struct words *seen, const char *s)
{
	int added = words_add(o->scratch, seen, s);

	return kept(o, added >= 0) && added;
}

void keep_serial(struct observer *o, struct words *w, const char *s)
{
	const char *text;
	size_t n;

	if (!s)
		return;
	s += strspn(s, " \t");
	n = strcspn(s, "\n");
	while (n && (s[n - 1] == ' ' || s[n - 1] == '\t'))
		n--;
	if (!n)
		return;
	text = arena_strndup(o->scratch, s, n);
	if (kept(o, text))
		keep_word(o, w, text);
}

void scratch_trim(struct observer *o)
{
	struct arena *fresh;

	if (arena_size(o->scratch) < SCRATCH_KEPT)
		return;
	fresh = arena_new();
	if (!kept(o, fresh))
		return;
	arena_free(o->scratch);
	o->scratch = fresh;
}

const char *field_of(struct observer *o, const char *line, unsigned n)
{
	const char *field;
	size_t size;

	for (line += strspn(line, " \t"); n && *line; n--) {
		line += strcspn(line, " \t");
		line += strspn(line, " \t");
	}
	size = strcspn(line, " \t\n");
	if (!size)
		return NULL;
	field = arena_strndup(o->scratch, line, size);
	kept(o, field);
	return field;
}

const char *next_line(struct observer *o, const char **at)
{
	size_t n = strcspn(*at, "\n");
	const char *line;

	if (!**at)
		return NULL;
	line = arena_strndup(o->scratch, *at, n);
	kept(o, line);
	*at += n + ((*at)[n] == '\n');
	return line;
}

bool path_function(const char *path, struct pci_addr *ret)
{
	bool found = false;

	for (const char *at = path; *at;) {
		size_t n = strcspn(at, "/");
		char part[PCI_ADDR_TEXT_SIZE];
		struct pci_addr addr;

		/* Domain and function are always there in sysfs: "usb1" or "0:0:0:0" are no such.
		 */
		if (n >= sizeof("0000:00:00.0") - 1 && n < sizeof(part)) {
			memcpy(part, at, n);
			part[n] = '\0';
			if (part[n - 2] == '.' && pci_addr_parse(part, &addr) == 0) {
				*ret = addr;
				found = true;
			}
		}
		at += n + (at[n] == '/');
	}
	return found;
}
