/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loader entries of type 1, and versions in names of images. */
#include "boot-entries.h"

#include <errno.h>
#include <string.h>

#include "boot-words.h"
#include "kcmdline-token.h"
#include "strbuf.h"

#define BLANKS " \t\r"

static bool is_version(const char *s, size_t len)
{
	return len && s[0] >= '0' && s[0] <= '9';
}

/* Length of the path up to and with its last separator. */
static size_t folder_length(const char *path, size_t len)
{
	while (len && !strchr("/\\", path[len - 1]))
		len--;
	return len;
}

struct piece version_in(const char *image)
{
	static const char *const prefixes[] = {"vmlinuz-", "vmlinux-", "linux-"};
	size_t len = strlen(image), base = folder_length(image, len), dir;

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		size_t n = strlen(prefixes[i]);

		if (strncmp(image + base, prefixes[i], n) == 0 &&
		    is_version(image + base + n, len - base - n))
			return (struct piece){image + base + n, len - base - n};
	}
	if (strcmp(image + base, "linux") != 0 || !base)
		return (struct piece){0};
	dir = folder_length(image, base - 1);
	if (!is_version(image + dir, base - 1 - dir))
		return (struct piece){0};
	return (struct piece){image + dir, base - 1 - dir};
}

const char *kernel_version_of(struct arena *a, const char *image)
{
	struct piece version = version_in(image);

	return version.at ? arena_strndup(a, version.at, version.len) : NULL;
}

bool options_recover(const char *options)
{
	static const char *const words[] = {"single", "recovery", "emergency"};
	struct piece name, value;
	struct token t;
	size_t pos = 0;

	while (token_next(options, &pos, &t)) {
		token_split(options + t.at, t.len, &name, &value);
		for (size_t i = 0; !value.at && i < ARRAY_LEN(words); i++)
			if (piece_is(name, words[i]))
				return true;
	}
	return false;
}

struct entry {
	struct piece title, version, image, efi, machine_id;
	unsigned image_line, efi_line;
	struct strbuf options;
	ARRAY_OF(struct piece) initrds;
};

static void entry_done(struct entry *e)
{
	strbuf_done(&e->options);
}

/* Several stand on a line where GRUB reads it; tuned leaves room there by a variable (2.27). */
static int take_initrds(struct arena *a, struct entry *e, struct piece value)
{
	size_t at = 0, n;

	for (; at < value.len; at += n + 1) {
		for (n = 0; at + n < value.len && !strchr(BLANKS, value.at[at + n]);)
			n++;
		if (n && value.at[at] != '$' &&
		    array_push(a, &e->initrds, ((struct piece){value.at + at, n})) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* 0 or -ENOMEM. */
static int take(struct arena *a, struct entry *e, struct piece key, struct piece value,
		unsigned line)
{
	if (piece_is(key, "title")) {
		e->title = value;
	} else if (piece_is(key, "version")) {
		e->version = value;
	} else if (piece_is(key, "machine-id")) {
		e->machine_id = value;
	} else if (piece_is(key, "linux")) {
		e->image = value;
		e->image_line = line;
	} else if (piece_is(key, "efi") || piece_is(key, "uki")) {
		e->efi = value;
		e->efi_line = line;
	} else if (piece_is(key, "initrd")) {
		return take_initrds(a, e, value);
	} else if (piece_is(key, "options") && value.len) {
		if (e->options.len)
			strbuf_addc(&e->options, ' ');
		strbuf_addn(&e->options, value.at, value.len);
	}
	return 0;
}

static int read_entry(struct arena *a, const char *text, struct entry *e)
{
	for (unsigned line = 1; *text; line++) {
		size_t size = strcspn(text, "\n"), key, blank;
		const char *at = text;

		text += size + (text[size] == '\n');
		while (size && strchr(BLANKS, at[size - 1]))
			size--;
		for (blank = 0; blank < size && strchr(BLANKS, at[blank]);)
			blank++;
		at += blank;
		size -= blank;
		if (!size || *at == '#')
			continue;
		for (key = 0; key < size && !strchr(BLANKS, at[key]);)
			key++;
		for (blank = key; blank < size && strchr(BLANKS, at[blank]);)
			blank++;
		if (take(a, e, (struct piece){at, key}, (struct piece){at + blank, size - blank},
			 line) < 0)
			return -ENOMEM;
	}
	return 0;
}

static const char *copy(struct arena *a, struct piece p)
{
	return arena_strndup(a, p.at ? p.at : "", p.len);
}

int loader_entry_parse(struct arena *a, const char *text, struct boot_line *ret)
{
	_cleanup_(entry_done) struct entry e = {0};
	struct boot_line line = {0};
	struct piece version;

	if (read_entry(a, text, &e) < 0)
		return -ENOMEM;
	line.title = copy(a, e.title);
	line.image = copy(a, e.image.at ? e.image : e.efi);
	line.machine_id = copy(a, e.machine_id);
	line.line = e.image.at ? e.image_line : e.efi_line;
	if (!line.title || !line.image || !line.machine_id ||
	    strbuf_to_arena(&e.options, a, &line.options) < 0)
		return -ENOMEM;
	version = version_in(line.image);
	if (!version.at && is_version(e.version.at, e.version.len))
		version = e.version;
	if (version.at)
		line.kernel = copy(a, version);
	if (version.at && !line.kernel)
		return -ENOMEM;
	array_foreach(it, &e.initrds) {
		const char *path = copy(a, *it);

		if (!path || array_push(a, &line.initrds, path) < 0)
			return -ENOMEM;
	}
	line.recovery = options_recover(line.options);
	*ret = line;
	return 0;
}
