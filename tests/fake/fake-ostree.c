/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rpm-ostree kargs as it behaves (2.26, 8.7): whole words are given and taken, another deployment
 * is staged, in GVariant, and none where the line would be the same. What it staged last it notes
 * for itself beside that.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fake-part.h"
#include "strbuf.h"

#define STAGED	"/run/ostree/staged-deployment"
#define NOTE	"/run/ostree/line"
#define ENTRY	"/boot/loader/entries/ostree-%d.conf"
#define ENTRIES 9

static void add_offset(struct strbuf *b, size_t offset, size_t members, size_t n)
{
	strbuf_addc(b, (char)(offset & 0xff));
	if (members + n > 0xff)
		strbuf_addc(b, (char)(offset >> 8));
}

/* {"kargs": words} */
static int stage(struct fake *f, const struct words *words)
{
	_cleanup_strbuf_ struct strbuf b = {0}, entry = {0};
	size_t begin = 0, members;

	array_foreach(it, words)
		strbuf_addn(&b, *it, strlen(*it) + 1);
	members = b.len;
	array_foreach(it, words) {
		begin += strlen(*it) + 1;
		add_offset(&b, begin, members, words->n);
	}
	strbuf_addn(&entry, "kargs\0\0\0", 8);
	strbuf_addn(&entry, b.text, b.len);
	strbuf_addn(&entry, "\0as", 3);
	add_offset(&entry, strlen("kargs") + 1, entry.len, 1);
	members = entry.len;
	add_offset(&entry, members, members, 1);
	return entry.error ? 1 : fake_write(f, STAGED, entry.text, entry.len) < 0;
}

static void split(struct fake *f, const char *line, struct words *ret)
{
	line += strspn(line, " \t");
	while (*line && *line != '\n') {
		size_t n = strcspn(line, " \t\n");

		words_add(f->arena, ret, arena_strndup(f->arena, line, n));
		line += n + strspn(line + n, " \t");
	}
}

/* Of the deployment that boots next. */
static void read_line(struct fake *f, struct words *ret)
{
	const char *text = fake_read(f, NOTE);

	for (int i = ENTRIES; !text && i >= 0; i--) {
		const char *entry = fake_read(f, arena_printf(f->arena, ENTRY, i));

		entry = entry ? strstr(entry, "\noptions ") : NULL;
		text = entry ? entry + strlen("\noptions ") : NULL;
	}
	split(f, text ? text : "", ret);
}

static void take(struct words *words, const char *word)
{
	size_t kept = 0;

	for (size_t i = 0; i < words->n; i++)
		if (strcmp(words->at[i], word) != 0)
			words->at[kept++] = words->at[i];
	words->n = kept;
}

static const char *join(const struct words *words, struct strbuf *out)
{
	array_foreach(it, words)
		strbuf_addf(out, "%s%s", out->len ? " " : "", *it);
	return strbuf_text(out);
}

int fake_rpm_ostree(struct fake *f, const struct words *argv, bool spoil)
{
	static const char add[] = "--append-if-missing=", less[] = "--delete-if-present=";
	_cleanup_strbuf_ struct strbuf before = {0}, after = {0};
	struct words words = {0};

	read_line(f, &words);
	join(&words, &before);
	array_foreach(it, argv)
		if (strncmp(*it, add, strlen(add)) == 0)
			words_add(f->arena, &words, *it + strlen(add));
		else if (strncmp(*it, less, strlen(less)) == 0)
			take(&words, *it + strlen(less));
	if (strcmp(join(&words, &after), strbuf_text(&before)) == 0)
		return 0;
	mkdir(arena_printf(f->arena, "%s/run/ostree", f->dir), 0755);
	if (stage(f, &words) || fake_write(f, NOTE, after.text, after.len) < 0)
		return 1;
	return spoil;
}
