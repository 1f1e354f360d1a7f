/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel-line.h"

#include <string.h>

#include "strbuf.h"

/* The next line and its length; NULL past the end. */
static const char *next_line(const char **rest, size_t *ret_n)
{
	const char *line = *rest;

	if (!*line)
		return NULL;
	*ret_n = strcspn(line, "\n");
	*rest = line + *ret_n + (line[*ret_n] == '\n');
	return line;
}

int kernel_line_mend(struct arena *a, const char *text, struct kernel_line *ret)
{
	_cleanup_strbuf_ struct strbuf b = {};
	struct kernel_line m = {};
	const char *rest = text, *line;
	size_t n;

	while ((line = next_line(&rest, &n))) {
		size_t indent = strspn(line, " \t\r");

		while (n > indent && strchr(" \t\r", line[n - 1]))
			n--;
		if (indent >= n)
			continue;
		if (line[indent] == '#') {
			m.comments++;
			continue;
		}
		m.whole = line == text;
		if (m.lines++)
			strbuf_addc(&b, ' ');
		strbuf_addn(&b, line + indent, n - indent);
	}
	m.whole = m.whole && m.lines == 1 && m.comments == 0;
	if (strbuf_to_arena(&b, a, &m.line) < 0)
		return -ENOMEM;
	*ret = m;
	return 0;
}

int kernel_line_running(struct arena *a, const struct host *host, const char **ret)
{
	_cleanup_strbuf_ struct strbuf b = {};
	struct kcmdline running;
	int r = kcmdline_parse(a, host->cmdline, &running);

	if (r < 0)
		return r;
	array_foreach(param, &running.params)
		if (strcmp(param->name, "BOOT_IMAGE") != 0 && strcmp(param->name, "initrd") != 0)
			strbuf_addf(&b, "%s%s", b.len ? " " : "", param->raw);
	return strbuf_to_arena(&b, a, ret);
}

/* What says where the root file system is and how it is mounted; "boot=zfs" is part of it. */
static const char *const root_names[] = {"root", "rootfstype", "rootflags", "boot"};

static bool names_root(const struct kparam *param)
{
	for (size_t i = 0; i < ARRAY_LEN(root_names); i++)
		if (!param->for_init && kparam_name_equal(param->name, root_names[i]))
			return true;
	return false;
}

/* Words of a boot that is not to be repeated. */
static const char *const once[] = {"single", "recovery", "emergency",	 "rescue",   "s",
				   "S",	     "1",	 "systemd.unit", "nomodeset"};

const char *kernel_line_once(const struct kcmdline *line)
{
	array_foreach(param, &line->params)
		for (size_t i = 0; i < ARRAY_LEN(once); i++)
			if (strcmp(param->name, once[i]) == 0)
				return param->raw;
	return NULL;
}

bool kernel_line_has_root(const struct kcmdline *line)
{
	array_foreach(param, &line->params)
		if (!param->for_init && strcmp(param->name, "root") == 0 && param->value)
			return true;
	return false;
}

/* A quote that is never closed would swallow what follows it (1.6), a quoted newline the rest. */
static bool whole(const char *token)
{
	size_t quotes = 0;

	if (strpbrk(token, "\n\r"))
		return false;
	for (; *token; token++)
		quotes += *token == '"';
	return quotes % 2 == 0;
}

int kernel_line_root(struct arena *a, const struct kcmdline *line, const char **ret)
{
	_cleanup_strbuf_ struct strbuf b = {};
	bool found = false;

	array_foreach(param, &line->params) {
		if (!names_root(param) || !whole(param->raw))
			continue;
		found |= strcmp(param->name, "root") == 0 && param->value;
		strbuf_addf(&b, "%s%s", b.len ? " " : "", param->raw);
	}
	if (b.error)
		return -ENOMEM;
	if (found)
		return strbuf_to_arena(&b, a, ret);
	*ret = NULL;
	return 0;
}

/* proxmox-boot-tool reads the first line (4.8), kernel-install joins all, comments too (3.9). */
static int line_read(struct arena *a, const struct host *host, const char *text, const char **ret)
{
	size_t n = host->boot.proxmox ? strcspn(text, "\n") : strlen(text);
	char *line = arena_strndup(a, text, n);

	for (char *c = line; c && *c; c++)
		if (*c == '\n')
			*c = ' ';
	if (!line)
		return -ENOMEM;
	*ret = line;
	return 0;
}

int kernel_line_in_force(struct arena *a, const struct host *host, const char *text,
			 const char **ret)
{
	struct kcmdline line;
	const char *read;
	int r = line_read(a, host, text, &read);

	if (r == 0)
		r = kcmdline_parse(a, read, &line);
	if (r == 0)
		*ret = host->boot.proxmox && !kernel_line_has_root(&line) ? "" : read;
	return r;
}
